// Who asks through a reverse proxy: Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host, of which each proxy appends what
// it saw. Believed from named addresses only, and read from the right: what stands left of the first address that is no proxy of
// ours was written by who knows whom, and is not even looked at. Thread rule: pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "web-admin/http_head.h"
#include "web-admin/request.h"

namespace posthus::web_admin {

inline constexpr std::size_t kMaxHops = 16;  // proxies in a row that are looked at; nobody has so many

/// What proxies say it with. WHY one of them and not both: a proxy that writes one passes on what a client has written as the
/// other.
enum class ProxyFields : std::uint8_t { kXForwarded, kForwarded };

/// What a connection from loopback stands for: a program of this machine, or a forwarder (docker-proxy, slirp4netns, a proxy that
/// names nobody) that has brought it from who knows where, perhaps in clear.
enum class Loopback : std::uint8_t { kThisMachine, kForwarder };

struct TrustedProxies {
  std::vector<IpNetwork> networks;
  ProxyFields fields = ProxyFields::kXForwarded;
  Loopback loopback = Loopback::kThisMachine;
  bool contains(const IpAddress& address) const;
};

/// What the fields of one request say.
struct ForwardedFacts {
  Origin origin;
  std::string host;  // that was asked for; empty: the Host field counts
};

/// The origin of a request that came over a connection from `peer`. Without trust in it that is `peer` itself.
/// The refusal is of what a trusted proxy has written and we do not understand: to go on would be to take the proxy for the
/// client.
std::expected<ForwardedFacts, Refusal> forwarded_facts(const Origin& peer, const HttpHead& head, const TrustedProxies& proxies);

}  // namespace posthus::web_admin
