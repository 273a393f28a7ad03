// Socket addresses from and to values; listening sockets. Thread rule: any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/file.h"
#include "core/base/ip_address.h"
#include "core/base/result.h"

namespace posthus::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const IpAddress& address, std::uint16_t port);

struct IpEndpoint {
  IpAddress address;  // IPv4-mapped addresses as IPv4
  std::uint16_t port = 0;
};
/// Nothing for families other than IPv4 and IPv6.
std::optional<IpEndpoint> to_ip_endpoint(const SocketAddress& address);
std::optional<IpEndpoint> local_endpoint(int fd);
std::optional<IpEndpoint> remote_endpoint(int fd);

enum class PortSharing : std::uint8_t { kExclusive, kOneAcceptorPerThread };

/// A non-blocking TCP socket that listens. `address` "*" is every address of both families, or of IPv4 where the machine
/// has no IPv6. Errors: kInvalid for other text, kExists when the port is taken, else as the system says.
Result<UniqueFd> listen_on_tcp(const std::string& address, std::uint16_t port, PortSharing sharing);

/// A non-blocking Unix socket that listens, mode 0600. A socket file nobody listens on is replaced; kExists when somebody does.
Result<UniqueFd> listen_on_unix(const std::string& path);

}  // namespace posthus::net
