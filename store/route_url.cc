// Routes as people write them; see route_url.h.
#include "store/route_url.h"

#include <utility>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"

namespace posthus::store {
namespace {

using Tls = RouteRecord::Tls;

constexpr std::string_view kPlain = "smtp://", kImplicit = "smtps://", kTls = "?tls=";

constexpr std::pair<std::string_view, Tls> kTlsWords[] = {
    {"never", Tls::kNever}, {"opportunistic", Tls::kOpportunistic}, {"required", Tls::kRequired}};

/// host, and what stands behind it; nothing when it is none.
Result<std::string> parse_host(std::string_view& rest) {
  if (rest.starts_with('[')) {
    const std::size_t bracket = rest.find(']');
    const auto address = bracket == std::string_view::npos ? std::nullopt : parse_ip_address(rest.substr(1, bracket - 1));
    if (!address) return fail(ErrorKind::kInvalid, "address");
    rest.remove_prefix(bracket + 1);
    return to_string(*address);
  }
  const std::size_t end = std::min(rest.find(':'), rest.size());
  const std::string_view host = rest.substr(0, end);
  rest.remove_prefix(end);
  if (parse_ip_address(host)) return std::string(host);
  return mail::normalise_domain(host);
}

}  // namespace

Result<RouteRecord::Hop> parse_route_url(std::string_view text) {
  const auto invalid = [text] {
    return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 200)) + "' is not smtp://HOST:PORT or smtps://HOST:PORT");
  };
  RouteRecord::Hop hop;
  std::string_view rest = text;
  if (rest.starts_with(kPlain)) {
    rest.remove_prefix(kPlain.size());
  } else if (rest.starts_with(kImplicit)) {
    rest.remove_prefix(kImplicit.size());
    hop.tls = Tls::kImplicit;
    hop.port = 465;
  } else {
    return invalid();
  }
  if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
    const std::string_view value = rest.substr(query).starts_with(kTls) ? rest.substr(query + kTls.size()) : "";
    bool is_known = false;
    for (const auto& [word, tls] : kTlsWords) {
      if (word != value || hop.tls == Tls::kImplicit) continue;
      hop.tls = tls;
      is_known = true;
      break;
    }
    if (!is_known) return invalid();
    rest = rest.substr(0, query);
  }
  auto host = parse_host(rest);
  if (!host) return invalid();
  hop.host = *std::move(host);
  if (rest.empty()) return hop;
  const auto port = rest.starts_with(':') ? ascii::parse_decimal<std::uint16_t>(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0) return invalid();
  hop.port = *port;
  return hop;
}

std::string to_text(const RouteRecord::Hop& hop) {
  std::string out(hop.tls == Tls::kImplicit ? kImplicit : kPlain);
  const bool is_ipv6 = hop.host.find(':') != std::string::npos;
  out.append(is_ipv6 ? "[" + hop.host + "]" : hop.host).append(":").append(std::to_string(hop.port));
  for (const auto& [word, tls] : kTlsWords) {
    if (tls == hop.tls && tls != Tls::kOpportunistic) out.append(kTls).append(word);
  }
  return out;
}

}  // namespace posthus::store
