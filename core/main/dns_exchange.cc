// DNS over TCP on a socket of its own. See dns_exchange.h.
#include "core/main/dns_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/ascii.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/ip_address.h"

namespace posthus::main {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct End {
  SteadyClock::time_point deadline;
  int stop_descriptor;
};

Result<> wait_for_server(int fd, short events, const End& end) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end.deadline - SteadyClock::now()).count();
    if (left <= 0) return fail(ErrorKind::kTimeout, "the name server does not answer");
    pollfd waits[] = {{fd, events, 0}, {end.stop_descriptor, POLLIN, 0}};
    const int ready = poll(waits, 2, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return std::unexpected(error_from_errno(errno, "poll"));
    if (ready > 0 && waits[1].revents != 0) return fail(ErrorKind::kUnavailable, "shutting down");
    if (ready > 0 && waits[0].revents != 0) return {};
  }
}

socklen_t to_sockaddr(const IpAddress& address, std::uint16_t port, sockaddr_storage& storage) {
  if (!address.is_v6) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
  return sizeof v6;
}

Result<UniqueFd> connect_to_server(const IpAddress& address, std::uint16_t port, const End& end) {
  sockaddr_storage storage{};
  const socklen_t length = to_sockaddr(address, port, storage);
  UniqueFd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorKind::kUnavailable, "no descriptor");
  int error = connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    POSTHUS_TRY_VOID(wait_for_server(fd.get(), POLLOUT, end));
    socklen_t size = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) return fail(ErrorKind::kUnavailable, "the name server cannot be reached: " + std::string(strerror(error)));
  return fd;
}

Result<> send_query(int fd, std::string_view bytes, const End& end) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return fail(ErrorKind::kUnavailable, "the name server hung up");
    if (count < 0) POSTHUS_TRY_VOID(wait_for_server(fd, POLLOUT, end));
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::string> receive(int fd, std::size_t size, const End& end) {
  std::string out(size, '\0');
  for (std::size_t have = 0; have < size;) {
    const ssize_t count = recv(fd, out.data() + have, size - have, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
      return fail(ErrorKind::kUnavailable, "the name server hung up");
    if (count < 0) POSTHUS_TRY_VOID(wait_for_server(fd, POLLIN, end));
    if (count > 0) have += static_cast<std::size_t>(count);
  }
  return out;
}

}  // namespace

Result<std::string> exchange_dns(const std::string& server, const std::string& message, std::stop_token stop) {
  const std::size_t at = server.find('@');
  const auto address = parse_ip_address(std::string_view(server).substr(0, at));
  const auto port = at == std::string::npos
                        ? std::uint16_t(53)
                        : ascii::parse_decimal<std::uint16_t>(std::string_view(server).substr(at + 1)).value_or(0);
  if (!address || port == 0 || message.size() > 65'535) return fail(ErrorKind::kInvalid, "no name server: " + server);
  const UniqueFd stop_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event) return fail(ErrorKind::kUnavailable, "no descriptor");
  const std::stop_callback wake(stop, [&stop_event] {
    const std::uint64_t one = 1;
    static_cast<void>(!write(stop_event.get(), &one, sizeof one));
  });
  const End end{SteadyClock::now() + kDnsExchangePatience, stop_event.get()};
  const UniqueFd fd = POSTHUS_TRY(connect_to_server(*address, port, end));
  std::string framed;
  append_u16(framed, static_cast<std::uint16_t>(message.size()));
  POSTHUS_TRY_VOID(send_query(fd.get(), framed + message, end));
  const std::string length = POSTHUS_TRY(receive(fd.get(), 2, end));
  return receive(fd.get(), ByteReader(length).u16(), end);
}

}  // namespace posthus::main
