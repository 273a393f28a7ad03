// SharedAddresses: which client addresses stand for many clients, so that none of them must pay for another: a container's
// gateway (docker-proxy, slirp, IPv6 turned into IPv4), a NAT, a proxy that names nobody. For such an address there are no bans,
// no limit of connections, no habits; nothing is ever allowed for it. Whoever will judge a client by its address (SPF, block
// lists) asks here too.
//
// Evidence, and only against addresses that are not of the public Internet (RFC 6890): the default gateway of an interface of
// ours counts at once, since whoever comes through it has lost his own address. Any other private address counts when within a
// day kUnrelatedClients accounts logged in from it, or servers of so many domains brought mail from it. Logins cannot be forged;
// names in HELO can, which gains a neighbour in the private network one thing: he is no longer slowed down by address, still by
// account (core/sasl/login_throttle.h). What has been found holds until the restart that a better set-up needs anyway. Thread
// rule: any thread; one short lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ip_address.h"

namespace posthus {

/// A family or an office has a few accounts behind one address and hardly the mail exchangers of five other domains.
inline constexpr std::size_t kUnrelatedClients = 5;
/// At a gateway, which is known to hide its clients: so that programs of the container's host alone are no reason to warn.
inline constexpr std::size_t kUnrelatedClientsOfGateway = 2;
inline constexpr std::int64_t kEvidenceSeconds = 86'400;
inline constexpr std::size_t kWatchedAddresses = 256;  // bounds what a private network can make us keep
inline constexpr std::size_t kUnnamedProxies = 16;     // enough to see what is wrong

/// What an admin is told.
struct SharedAddressWarning {
  enum class Kind : std::uint8_t {
    kGateway,       // many clients come from the default gateway
    kManyClients,   // many clients come from another address
    kUnnamedProxy,  // an address sends fields of a reverse proxy without being named as one; says nothing about sharing
  };
  Kind kind = Kind::kGateway;
  IpAddress address;
  std::size_t accounts = 0, servers = 0;  // unrelated ones seen; at most kUnrelatedClients each
};
std::string_view to_string(SharedAddressWarning::Kind kind);
/// What it means and what to do, in one or two sentences.
std::string describe(const SharedAddressWarning& warning);

class SharedAddresses {
 public:
  /// `declared`: networks the settings call shared, and proxies: those of clients they do not name. The clock must outlive it.
  SharedAddresses(const Clock& clock, std::vector<IpNetwork> declared) : clock_(clock), declared_(std::move(declared)) {}

  /// Default gateways of our interfaces, as they are now; those of the public Internet are left out.
  void set_gateways(const std::vector<IpAddress>& gateways);

  bool is_shared(const IpAddress& address) const;
  /// False for what is no address.
  bool is_shared(std::string_view address) const;

  /// The account `login` (canonical) has logged in from `address`.
  void logged_in(std::string_view address, std::string_view login);
  /// A server that calls itself `helo` has brought a message from `address`. What is no domain name counts for nothing.
  void brought_mail(std::string_view address, std::string_view helo);
  /// An HTTP request with fields of a proxy came from `address`, which is none that was named.
  void sent_proxy_fields(std::string_view address);

  std::vector<SharedAddressWarning> warnings() const;

 private:
  struct Evidence {
    std::map<std::string, std::int64_t> accounts, servers;  // when each was seen last, in seconds
    bool is_found = false;
  };
  enum class Trait : std::uint8_t { kAccount, kServer };
  void add(std::string_view address, Trait trait, std::string_view name);
  void judge(const IpAddress& address, Evidence& evidence);
  Evidence* evidence_of(const IpAddress& address, std::int64_t now);
  bool is_declared(const IpAddress& address) const;

  const Clock& clock_;
  const std::vector<IpNetwork> declared_;
  mutable std::mutex mutex_;
  std::set<IpAddress> gateways_;
  std::map<IpAddress, Evidence> watched_;
  std::set<IpAddress> unnamed_proxies_;
};

/// Gateways of the default routes in the text of /proc/net/route (IPv4) and /proc/net/ipv6_route. Lines that are none are passed
/// over.
std::vector<IpAddress> parse_ipv4_gateways(std::string_view text);
std::vector<IpAddress> parse_ipv6_gateways(std::string_view text);

}  // namespace posthus
