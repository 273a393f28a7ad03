// HTTP over AF_UNIX. RFC 9112 §4, §6.
#include "core/main/unix_http.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/ascii.h"

namespace posthus::main {
namespace {

constexpr std::size_t kMaxAnswer = 16 * 1024 * 1024;  // a full page of a list is below 1 MiB

// False when the server has closed its end: its answer is to be read.
Result<bool> send_on_socket(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
    if (sent < 0) return std::unexpected(error_from_errno(errno, "send to the server"));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Result<std::string> read_to_end(int fd) {
  std::string answer;
  char buffer[64 * 1024];
  while (answer.size() < kMaxAnswer) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == ECONNRESET && !answer.empty()) break;
    if (count < 0) return std::unexpected(error_from_errno(errno, "read from the server"));
    if (count == 0) break;
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  return answer;
}

// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4)
Result<web_admin::Response> parse_answer(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  const auto status = answer.size() > 12 && answer.starts_with("HTTP/1.1 ")
                          ? ascii::parse_decimal<std::uint16_t>(answer.substr(9, 3))
                          : std::nullopt;
  if (end == std::string_view::npos || !status) return fail(ErrorKind::kIo, "the server's answer is incomplete");
  return web_admin::Response{.status = *status, .body = std::string(answer.substr(end + 4))};
}

}  // namespace

Result<UniqueFd> connect_unix(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return fail(ErrorKind::kInvalid, "the path " + path + " is too long for a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(error_from_errno(errno, "socket"));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (errno == ENOENT || errno == ECONNREFUSED) return fail(ErrorKind::kNotFound, "no server listens on " + path);
  return std::unexpected(error_from_errno(errno, path));
}

Result<web_admin::Response> exchange(UniqueFd socket, std::string_view method, std::string_view target,
                                     std::string_view head_fields, std::uint64_t length,
                                     FunctionRef<Result<std::string_view>()> body) {
  std::string head(method);
  head.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").append(head_fields);
  if (length > 0) head.append("Content-Length: ").append(std::to_string(length)).append("\r\n");
  bool is_open = POSTHUS_TRY(send_on_socket(socket.get(), head.append("\r\n")));
  while (is_open) {
    const std::string_view piece = POSTHUS_TRY(body());
    if (piece.empty()) break;
    is_open = POSTHUS_TRY(send_on_socket(socket.get(), piece));
  }
  return parse_answer(POSTHUS_TRY(read_to_end(socket.get())));
}

}  // namespace posthus::main
