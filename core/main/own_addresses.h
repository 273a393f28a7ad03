// OwnAddresses: which addresses and ports are this server's, so that mail does not come back to us. RFC 5321 §5.1.
// Thread rule: any thread; the interfaces are those of the start.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/main/settings.h"

namespace posthus::main {

class OwnAddresses {
 public:
  explicit OwnAddresses(const Settings& settings);
  /// Do we listen for mail there? Port 25 counts as well: it may be forwarded to ours.
  bool contains(const std::string& address, std::uint16_t port) const;

 private:
  std::set<std::string> addresses_;
  std::set<std::uint16_t> ports_;
  bool is_everywhere_ = false;  // listening on "*": loopback addresses are ours, too
};

/// The addresses of the listeners, or of all interfaces when we listen everywhere, that others on the Internet may know.
std::vector<IpAddress> global_addresses(const Settings& settings);

/// Addresses that stand for clients from elsewhere: default gateways of our interfaces, of both families (none where the system
/// has no /proc), and loopback where the settings say that forwarders use it.
std::vector<IpAddress> hiding_gateways(const Settings& settings);

}  // namespace posthus::main
