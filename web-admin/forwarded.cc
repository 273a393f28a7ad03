// Reading forwarding fields from the right.
#include "web-admin/forwarded.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::web_admin {
namespace {

constexpr Refusal kNotUnderstood{400, "The proxy's fields about the client are malformed."};

/// What one proxy says of who asked it.
struct Hop {
  std::string node, proto, host;
};

bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// The last element of a list (RFC 9110 §5.6.1), which is taken away. Commas in quoted strings separate nothing.
// WHY from the right: a quotation mark that a client has opened must not swallow what our proxy has appended.
std::string_view take_last(std::string_view& list) {
  bool is_quoted = false;
  std::size_t begin = list.size();
  for (; begin > 0; --begin) {
    const char c = list[begin - 1];
    if (c == '"' && !is_escaped(list, begin - 1)) is_quoted = !is_quoted;
    if (c == ',' && !is_quoted) break;
  }
  const std::string_view element = ascii::trim(list.substr(begin));
  list = list.substr(0, begin == 0 ? 0 : begin - 1);
  return element;
}

// The elements of a list from its end, at most kMaxHops. Empty ones count for nothing (RFC 9110 §5.6.1.2).
std::vector<std::string_view> last_elements(std::string_view list) {
  std::vector<std::string_view> out;
  while (!list.empty() && out.size() < kMaxHops) {
    if (const std::string_view element = take_last(list); !element.empty()) out.push_back(element);
  }
  return out;
}

// value = token / quoted-string (RFC 7239 §4), from the beginning of `text`, which is taken away.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(';'), text.size());
    value = ascii::trim(text.substr(0, end));
    text.remove_prefix(end);
    const bool is_token = !value.empty() && value.find_first_of(" \t\"\\(),/:<=>?@[]{}") == std::string::npos;
    return is_token ? std::optional(std::move(value)) : std::nullopt;
  }
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text = ascii::trim(text.substr(at + 1));
      return value;
    }
    if (text[at] == '\\' && ++at == text.size()) break;
    value += text[at];
  }
  return std::nullopt;
}

// forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] ); forwarded-pair = token "=" value (RFC 7239 §4)
std::optional<Hop> forwarded_element(std::string_view text) {
  Hop hop;
  while (!text.empty()) {
    if (text.front() == ';') {
      text = ascii::trim(text.substr(1));
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    const std::string name = ascii::to_lower(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    auto value = take_value(text);
    if (!value || (!text.empty() && text.front() != ';')) return std::nullopt;
    std::string* const known = name == "for" ? &hop.node : name == "proto" ? &hop.proto : name == "host" ? &hop.host : nullptr;
    if (known && !known->empty()) return std::nullopt;  // a parameter must not be there twice
    if (known) *known = *std::move(value);
  }
  return hop;
}

// node = nodename [ ":" node-port ]; nodename = IPv4address / "[" IPv6address "]" (RFC 7239 §6). X-Forwarded-For has no grammar
// of its own; most write IPv6 without brackets.
std::optional<IpAddress> node_address(std::string_view node) {
  if (node.starts_with('[')) {
    const std::size_t close = node.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = node.substr(close + 1);
    if (!rest.empty() && (rest.front() != ':' || !ascii::parse_decimal<std::uint16_t>(rest.substr(1)))) return std::nullopt;
    return parse_ip_address(node.substr(1, close - 1));
  }
  if (std::ranges::count(node, ':') == 1) {
    const std::size_t colon = node.find(':');
    if (!ascii::parse_decimal<std::uint16_t>(node.substr(colon + 1))) return std::nullopt;
    node = node.substr(0, colon);
  }
  return parse_ip_address(node);
}

// "unknown" or obfnode = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" ) (RFC 7239 §6.2, §6.3): it will not say.
bool is_anonymous(std::string_view node) { return ascii::equal_ignoring_case(node, "unknown") || node.starts_with('_'); }

// The hops from the last to the first. WHY the last of a shorter list: proxies that trust one another hand on one value.
std::optional<std::vector<Hop>> hops_of(const HttpHead& head, ProxyFields fields) {
  std::vector<Hop> hops;
  if (fields == ProxyFields::kForwarded) {
    for (const std::string_view element : last_elements(head.forwarded)) {
      auto hop = forwarded_element(element);
      if (!hop && hops.empty()) return std::nullopt;
      hops.push_back(std::move(hop).value_or(Hop{.node = "?", .proto = {}, .host = {}}));
    }
    return hops;
  }
  const auto protos = last_elements(head.x_forwarded_proto), hosts = last_elements(head.x_forwarded_host);
  const auto at = [](const std::vector<std::string_view>& list, std::size_t i) {
    return list.empty() ? std::string() : std::string(list[std::min(i, list.size() - 1)]);
  };
  for (const std::string_view node : last_elements(head.x_forwarded_for)) {
    hops.push_back({std::string(node), at(protos, hops.size()), at(hosts, hops.size())});
  }
  // A proxy that tells no address may tell the rest all the same.
  if (hops.empty() && !(protos.empty() && hosts.empty())) hops.push_back({"unknown", at(protos, 0), at(hosts, 0)});
  return hops;
}

// A port after an X-Forwarded-For address is no part of it; the scheme says whether the browser's way was TLS.
void apply(const Hop& hop, ForwardedFacts& facts) {
  facts.origin.is_tls = ascii::equal_ignoring_case(hop.proto, "https") || ascii::equal_ignoring_case(hop.proto, "wss");
  facts.origin.is_surely_plain = ascii::equal_ignoring_case(hop.proto, "http");
  facts.host = hop.host;
}

bool has_fields(const HttpHead& head) {
  return !head.forwarded.empty() || !head.x_forwarded_for.empty() || !head.x_forwarded_proto.empty();
}

}  // namespace

bool TrustedProxies::contains(const IpAddress& address) const {
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(address); });
}

namespace {

// Who asks, with loopback taken for a client's own address.
std::expected<ForwardedFacts, Refusal> seen_through(const Origin& peer, const HttpHead& head, const TrustedProxies& proxies) {
  ForwardedFacts facts{.origin = peer, .host = {}};
  const auto address = parse_ip_address(peer.remote_address);
  // WHY not plain for sure: behind a proxy that nobody has named it may be TLS; a redirection would go round in circles.
  facts.origin.is_surely_plain = !peer.is_tls && !peer.is_unix_socket && !has_fields(head);
  facts.origin.is_proxy_unnamed = has_fields(head) && address && !proxies.contains(*address);
  if (!address || !proxies.contains(*address)) return facts;
  const auto hops = hops_of(head, proxies.fields);
  if (!hops) return std::unexpected(kNotUnderstood);
  if (hops->empty()) return facts;  // a program beside the proxy; each proxy that is named sends the fields
  IpAddress nearest = *address;
  facts.origin.is_proxy = true;
  for (const Hop& hop : *hops) {
    apply(hop, facts);
    if (is_anonymous(hop.node)) break;
    const auto client = node_address(hop.node);
    if (!client) return std::unexpected(kNotUnderstood);
    if (is_loopback(*client) && !is_loopback(nearest)) break;  // the proxy's machine is not this one
    nearest = *client;
    facts.origin.remote_address = to_string(*client);
    facts.origin.is_proxy = false;
    if (!proxies.contains(*client)) break;
  }
  return facts;
}

}  // namespace

std::expected<ForwardedFacts, Refusal> forwarded_facts(const Origin& peer, const HttpHead& head, const TrustedProxies& proxies) {
  auto facts = seen_through(peer, head, proxies);
  if (!facts || proxies.loopback == Loopback::kThisMachine) return facts;
  const auto address = parse_ip_address(facts->origin.remote_address);
  if (address && is_loopback(*address)) facts->origin.is_proxy = true;
  return facts;
}

}  // namespace posthus::web_admin
