// Collecting evidence, and reading routes. Source of the routes' format: proc(5), and net/ipv6/route.c of Linux.
#include "core/base/shared_addresses.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/metrics.h"

namespace posthus {
namespace {

constexpr std::uint32_t kGatewayFlag = 2;  // RTF_GATEWAY

metrics::Gauge& warnings_gauge() {
  static metrics::Gauge& gauge =
      metrics::gauge("posthus_shared_addresses", "Addresses behind which many clients were found (see the status)");
  return gauge;
}

// "example.org" of "mx1.mail.example.org": hosts of one organisation are no unrelated clients. Empty for what is no domain name.
// WHY the last two labels and no list of public suffixes: too few clients are told apart, never too many.
std::string organisation(std::string_view helo) {
  if (helo.ends_with('.')) helo.remove_suffix(1);
  const std::size_t last = helo.rfind('.');
  if (last == std::string_view::npos || last == 0 || helo.size() > 255 || parse_ip_address(helo)) return {};
  const bool is_name =
      std::ranges::all_of(helo, [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '.'; });
  if (!is_name) return {};
  const std::size_t before = helo.rfind('.', last - 1);
  return ascii::to_lower(before == std::string_view::npos ? helo : helo.substr(before + 1));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  if (text.empty() || text.size() > 8) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : ascii::to_lower(text)) {
    const bool is_letter = c >= 'a' && c <= 'f';
    if (!is_letter && !ascii::is_digit(c)) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(is_letter ? c - 'a' + 10 : c - '0');
  }
  return value;
}

// The four bytes of IPv4 addresses are printed as one number of the machine's byte order.
std::optional<IpAddress> ipv4_gateway(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() < 8) return std::nullopt;
  const auto destination = hexadecimal(words[1]), gateway = hexadecimal(words[2]), flags = hexadecimal(words[3]),
             mask = hexadecimal(words[7]);
  if (destination != 0u || mask != 0u || !gateway || *gateway == 0 || !flags || (*flags & kGatewayFlag) == 0) return std::nullopt;
  IpAddress address;
  std::memcpy(address.bytes.data(), &*gateway, 4);
  return address;
}

std::optional<IpAddress> ipv6_gateway(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() < 9 || words[1] != "00" || words[4].size() != 32) return std::nullopt;
  const auto flags = hexadecimal(words[8]);
  if (!flags || (*flags & kGatewayFlag) == 0) return std::nullopt;
  IpAddress address{.is_v6 = true};
  for (std::size_t i = 0; i < 16; ++i) {
    const auto byte = hexadecimal(words[4].substr(2 * i, 2));
    if (!byte) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(*byte);
  }
  return address;
}

std::vector<IpAddress> gateways_in(std::string_view text, std::optional<IpAddress> (*parse)(std::string_view)) {
  std::vector<IpAddress> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto gateway = parse(text.substr(0, end))) out.push_back(*gateway);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void forget_old(std::map<std::string, std::int64_t>& seen, std::int64_t now) {
  std::erase_if(seen, [now](const auto& entry) { return now - entry.second >= kEvidenceSeconds; });
}

}  // namespace

void SharedAddresses::set_gateways(const std::vector<IpAddress>& gateways) {
  std::set<IpAddress> kept;
  for (const IpAddress& gateway : gateways) {
    if (!is_global(gateway)) kept.insert(gateway);
  }
  const std::lock_guard lock(mutex_);
  gateways_ = std::move(kept);
}

bool SharedAddresses::is_declared(const IpAddress& address) const {
  return std::ranges::any_of(declared_, [&](const IpNetwork& network) { return network.contains(address); });
}

bool SharedAddresses::is_shared(const IpAddress& address) const {
  if (is_declared(address)) return true;
  if (is_global(address)) return false;
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(address);
  return gateways_.contains(address) || (found != watched_.end() && found->second.is_found);
}

bool SharedAddresses::is_shared(std::string_view address) const {
  const auto parsed = parse_ip_address(address);
  return parsed && is_shared(*parsed);
}

void SharedAddresses::logged_in(std::string_view address, std::string_view login) { add(address, Trait::kAccount, login); }

void SharedAddresses::brought_mail(std::string_view address, std::string_view helo) {
  if (const std::string name = organisation(helo); !name.empty()) add(address, Trait::kServer, name);
}

void SharedAddresses::sent_proxy_fields(std::string_view text) {
  const auto address = parse_ip_address(text);
  // WHY not of the Internet: there it is a client that forges.
  if (!address || is_global(*address)) return;
  {
    const std::lock_guard lock(mutex_);
    if (unnamed_proxies_.size() >= kUnnamedProxies || !unnamed_proxies_.insert(*address).second) return;
  }
  log::warning("http.proxy_unnamed",
               {{"address", text}, {"advice", describe({SharedAddressWarning::Kind::kUnnamedProxy, *address})}});
}

// REQUIRES: the lock is held. Nothing when there is no room.
SharedAddresses::Evidence* SharedAddresses::evidence_of(const IpAddress& address, std::int64_t now) {
  if (const auto found = watched_.find(address); found != watched_.end()) return &found->second;
  if (watched_.size() >= kWatchedAddresses) {
    for (auto& [watched, evidence] : watched_) {
      forget_old(evidence.accounts, now);
      forget_old(evidence.servers, now);
    }
    std::erase_if(watched_, [](const auto& entry) {
      return !entry.second.is_found && entry.second.accounts.empty() && entry.second.servers.empty();
    });
  }
  return watched_.size() >= kWatchedAddresses ? nullptr : &watched_[address];
}

void SharedAddresses::add(std::string_view text, Trait trait, std::string_view name) {
  const auto address = parse_ip_address(text);
  if (!address || is_global(*address) || is_declared(*address)) return;
  const std::int64_t now = clock_.now().seconds();
  const std::lock_guard lock(mutex_);
  Evidence* const evidence = evidence_of(*address, now);
  if (!evidence || evidence->is_found) return;
  auto& seen = trait == Trait::kAccount ? evidence->accounts : evidence->servers;
  forget_old(seen, now);
  seen[std::string(name)] = now;
  judge(*address, *evidence);
}

// REQUIRES: the lock is held.
void SharedAddresses::judge(const IpAddress& address, Evidence& evidence) {
  const std::size_t enough = gateways_.contains(address) ? kUnrelatedClientsOfGateway : kUnrelatedClients;
  if (evidence.accounts.size() < enough && evidence.servers.size() < enough) return;
  evidence.is_found = true;
  warnings_gauge().add(1);
  const SharedAddressWarning warning{
      gateways_.contains(address) ? SharedAddressWarning::Kind::kGateway : SharedAddressWarning::Kind::kManyClients, address,
      evidence.accounts.size(), evidence.servers.size()};
  log::warning("net.address_shared", {{"address", to_string(address)},
                                      {"accounts", static_cast<std::uint64_t>(warning.accounts)},
                                      {"servers", static_cast<std::uint64_t>(warning.servers)},
                                      {"advice", describe(warning)}});
}

std::vector<SharedAddressWarning> SharedAddresses::warnings() const {
  using Kind = SharedAddressWarning::Kind;
  const std::lock_guard lock(mutex_);
  std::vector<SharedAddressWarning> out;
  for (const auto& [address, evidence] : watched_) {
    if (!evidence.is_found) continue;
    const Kind kind = gateways_.contains(address) ? Kind::kGateway : Kind::kManyClients;
    out.push_back({kind, address, evidence.accounts.size(), evidence.servers.size()});
  }
  for (const IpAddress& address : unnamed_proxies_) out.push_back({Kind::kUnnamedProxy, address, 0, 0});
  return out;
}

std::string_view to_string(SharedAddressWarning::Kind kind) {
  switch (kind) {
    case SharedAddressWarning::Kind::kGateway: return "gateway_hides_clients";
    case SharedAddressWarning::Kind::kManyClients: return "address_shared";
    case SharedAddressWarning::Kind::kUnnamedProxy: return "proxy_unnamed";
  }
  return "address_shared";
}

std::string describe(const SharedAddressWarning& warning) {
  const std::string address = to_string(warning.address);
  switch (warning.kind) {
    case SharedAddressWarning::Kind::kGateway:
      return "Clients from outside all come from " + address +
             ", the gateway of this container or machine, so none of them can be told from another: limits and bans by address "
             "are off "
             "for it. Keep the clients' addresses: publish ports without docker-proxy (userland-proxy: false) and give the "
             "network IPv6 of "
             "its own, use host networking or Podman with pasta, or put a proxy in front that speaks the PROXY protocol and name "
             "it in "
             "proxy.addresses.";
    case SharedAddressWarning::Kind::kManyClients:
      return "Many unrelated clients come from " + address +
             ": limits and bans by address are off for it. If a proxy or load balancer is there, let it speak the PROXY protocol "
             "and name it "
             "in proxy.addresses; if it is a NAT or a webmail server that must stay, name it in proxy.shared_addresses.";
    case SharedAddressWarning::Kind::kUnnamedProxy:
      return address +
             " sends the fields of a reverse proxy but is not named in proxy.http_addresses, so they are ignored: all who come "
             "through it "
             "count as one client, and unless it runs on this machine nobody can sign in through it. Name it there, if it is "
             "yours.";
  }
  return {};
}

std::vector<IpAddress> parse_ipv4_gateways(std::string_view text) { return gateways_in(text, ipv4_gateway); }
std::vector<IpAddress> parse_ipv6_gateways(std::string_view text) { return gateways_in(text, ipv6_gateway); }

}  // namespace posthus
