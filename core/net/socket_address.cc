// Sockets that listen.
#include "core/net/socket_address.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace posthus::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

Error error_of_socket(const std::string& what) {
  Error error = error_from_errno(errno, what);
  if (errno == EADDRINUSE) error.kind = ErrorKind::kExists;
  if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) error.kind = ErrorKind::kInvalid;
  return error;
}

void set_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

struct BoundTo {
  IpAddress address;
  bool is_dual = false;
};

Result<UniqueFd> listen_once(const BoundTo& where, std::uint16_t port, PortSharing sharing) {
  const std::string name = to_string(where.address) + " port " + std::to_string(port);
  UniqueFd fd(::socket(where.address.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(error_of_socket(name));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (sharing == PortSharing::kOneAcceptorPerThread) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (where.address.is_v6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, where.is_dual ? 0 : 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
  const SocketAddress address = to_socket_address(where.address, port);
  if (::bind(fd.get(), address.get(), address.size) != 0) return std::unexpected(error_of_socket(name));
  if (::listen(fd.get(), kBacklog) != 0) return std::unexpected(error_of_socket(name));
  return fd;
}

bool is_listened_to(const sockaddr_un& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno != ECONNREFUSED;
}

}  // namespace

SocketAddress to_socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress out;
  if (address.is_v6) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&in6.sin6_addr, address.bytes.data(), 16);
    out.size = sizeof in6;
  } else {
    auto& in4 = reinterpret_cast<sockaddr_in&>(out.storage);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    std::memcpy(&in4.sin_addr, address.bytes.data(), 4);
    out.size = sizeof in4;
  }
  return out;
}

std::optional<IpEndpoint> to_ip_endpoint(const SocketAddress& address) {
  IpEndpoint out;
  if (address.storage.ss_family == AF_INET) {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    std::memcpy(out.address.bytes.data(), &in4.sin_addr, 4);
    out.port = ntohs(in4.sin_port);
    return out;
  }
  if (address.storage.ss_family != AF_INET6) return std::nullopt;
  const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  out.port = ntohs(in6.sin6_port);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&in6.sin6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
    std::copy_n(bytes + 12, 4, out.address.bytes.begin());
  } else {
    out.address.is_v6 = true;
    std::copy_n(bytes, 16, out.address.bytes.begin());
  }
  return out;
}

std::optional<IpEndpoint> local_endpoint(int fd) {
  SocketAddress address;
  if (::getsockname(fd, address.get(), &address.size) != 0) return std::nullopt;
  return to_ip_endpoint(address);
}

std::optional<IpEndpoint> remote_endpoint(int fd) {
  SocketAddress address;
  if (::getpeername(fd, address.get(), &address.size) != 0) return std::nullopt;
  return to_ip_endpoint(address);
}

Result<UniqueFd> listen_on_tcp(const std::string& address, std::uint16_t port, PortSharing sharing) {
  if (address == "*") {
    Result<UniqueFd> dual = listen_once({IpAddress{.is_v6 = true}, true}, port, sharing);
    if (dual || dual.error().kind != ErrorKind::kInvalid) return dual;
    return listen_once({IpAddress{}}, port, sharing);
  }
  const std::optional<IpAddress> parsed = parse_ip_address(address);
  if (!parsed) return fail(ErrorKind::kInvalid, "listener address " + address);
  return listen_once({*parsed}, port, sharing);
}

Result<UniqueFd> listen_on_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(ErrorKind::kInvalid, "path too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(error_of_socket(path));
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode) || is_listened_to(address)) return fail(ErrorKind::kExists, path);
    ::unlink(path.c_str());
  }
  // WHY: on the socket before bind, so that the file never exists with a wider mode (Linux takes the mode from here).
  ::fchmod(fd.get(), 0600);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(error_of_socket(path));
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0) return std::unexpected(error_of_socket(path));
  return fd;
}

}  // namespace posthus::net
