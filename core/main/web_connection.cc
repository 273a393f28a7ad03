// WebConnection: a non-blocking socket and OpenSSL, waited for with poll() until the deadline.
#include "core/main/web_connection.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/file.h"
#include "core/net/peer_certificate.h"

namespace posthus::main {
namespace {

Result<> wait_for_site(int descriptor, short events, const WebEnd& end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end.deadline - std::chrono::steady_clock::now()).count();
  pollfd watched[2] = {{.fd = descriptor, .events = events, .revents = 0},
                       {.fd = end.stop_descriptor, .events = POLLIN, .revents = 0}};
  if (left <= 0) return fail(ErrorKind::kTimeout, "time is up");
  const int ready = poll(watched, 2, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
  if (watched[1].revents != 0) return fail(ErrorKind::kUnavailable, "shutting down");
  if (ready == 0) return fail(ErrorKind::kTimeout, "time is up");
  return {};
}

Result<UniqueFd> connect_to_site(const IpAddress& address, std::uint16_t port, const WebEnd& end) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_in);
  if (address.is_v6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
  }
  UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(error_from_errno(errno, "socket"));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0) return socket;
  if (errno != EINPROGRESS) return fail(ErrorKind::kUnavailable, std::strerror(errno));
  POSTHUS_TRY_VOID(wait_for_site(socket.get(), POLLOUT, end));
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(ErrorKind::kUnavailable, std::strerror(error));
  return socket;
}

/// Waits for what OpenSSL wants after `result`. Errors: it is over.
Result<> wait_for_tls(SSL* ssl, int result, const WebEnd& end) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ: return wait_for_site(SSL_get_fd(ssl), POLLIN, end);
    case SSL_ERROR_WANT_WRITE: return wait_for_site(SSL_get_fd(ssl), POLLOUT, end);
    default: return fail(ErrorKind::kUnavailable, "the connection broke");
  }
}

Result<> shake_hands(SSL* ssl, const std::string& host, const WebEnd& end) {
  const session::PeerVerification verification{.kind = session::PeerVerification::Kind::kPkix, .names = {host}, .tlsa = {}};
  POSTHUS_TRY_VOID(net::expect_peer(ssl, verification));
  // RFC 8461 §3.3: only DNS-IDs count.
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl);
    if (result == 1) return {};
    auto waited = wait_for_tls(ssl, result, end);
    if (waited) continue;
    if (const std::string why = net::certificate_error(ssl); !why.empty()) return fail(ErrorKind::kDenied, why);
    return waited;
  }
}

Result<> send_request(SSL* ssl, std::string_view bytes, const WebEnd& end) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    const int result = SSL_write_ex(ssl, bytes.data(), bytes.size(), &written);
    if (result != 1) POSTHUS_TRY_VOID(wait_for_tls(ssl, result, end));
    bytes.remove_prefix(written);
  }
  return {};
}

Result<std::string> receive_all(SSL* ssl, std::size_t limit, const WebEnd& end, BodyRule rule) {
  std::string all;
  char block[16 * 1024];
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl, block, sizeof block, &count);
    if (result == 1) {
      all.append(block, count);
      if (all.size() > limit) return fail(ErrorKind::kTooLarge, "the response is too large");
      if (is_complete_response(all, rule)) return all;
      continue;
    }
    // RFC 9112 §9.8: without close_notify the end may have been cut off.
    if (SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN) return all;
    POSTHUS_TRY_VOID(wait_for_tls(ssl, result, end));
  }
}

}  // namespace

Result<std::string> exchange_over_tls(const net::TlsContext& tls, const IpAddress& address, std::uint16_t port,
                                      const std::string& host, std::string_view request, std::size_t limit, const WebEnd& end,
                                      BodyRule rule) {
  const UniqueFd socket = POSTHUS_TRY(connect_to_site(address, port, end));
  const net::SslPointer ssl = tls.connect_on(socket.get(), host);
  if (!ssl) return fail(ErrorKind::kUnavailable, "no memory for TLS");
  POSTHUS_TRY_VOID(shake_hands(ssl.get(), host, end));
  POSTHUS_TRY_VOID(send_request(ssl.get(), request, end));
  return receive_all(ssl.get(), limit, end, rule);
}

Result<std::string> exchange_in_clear(const IpAddress& address, std::uint16_t port, std::string_view request, std::size_t limit,
                                      const WebEnd& end, BodyRule rule) {
  const UniqueFd socket = POSTHUS_TRY(connect_to_site(address, port, end));
  while (!request.empty()) {
    const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      request.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return fail(ErrorKind::kUnavailable, std::strerror(errno));
    POSTHUS_TRY_VOID(wait_for_site(socket.get(), POLLOUT, end));
  }
  std::string all;
  char block[16 * 1024];
  for (;;) {
    const ssize_t count = ::recv(socket.get(), block, sizeof block, 0);
    if (count == 0) return all;
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) return fail(ErrorKind::kUnavailable, std::strerror(errno));
      POSTHUS_TRY_VOID(wait_for_site(socket.get(), POLLIN, end));
      continue;
    }
    all.append(block, static_cast<std::size_t>(count));
    if (all.size() > limit) return fail(ErrorKind::kTooLarge, "the response is too large");
    if (is_complete_response(all, rule)) return all;
  }
}

}  // namespace posthus::main
