// Socket calls and OpenSSL calls behind one face; channel bindings (RFC 9266, RFC 5929).
#include "core/net/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include "core/net/openssl_pointers.h"
#include "core/net/peer_certificate.h"

namespace posthus::net {
namespace {

IoResult result_of_socket(ssize_t returned, IoStatus would_block) {
  if (returned > 0) return {IoStatus::kDone, static_cast<std::size_t>(returned)};
  if (returned < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {would_block};
  return {IoStatus::kClosed};
}

// RFC 9266 §2: label "EXPORTER-Channel-Binding", zero-length context, 32 octets. Unique only with TLS 1.3 here.
std::string tls_exporter(SSL* ssl) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  if (SSL_version(ssl) != TLS1_3_VERSION) return {};
  std::string value(32, '\0');
  const int done = SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(value.data()), value.size(), kLabel.data(),
                                              kLabel.size(), nullptr, 0, 1);
  return done == 1 ? value : std::string{};
}

// RFC 5929 §3.1: the first Finished message: the client's, or after resumption the server's. Only with the extended
// master secret (RFC 7627 §1), without which it can be forged.
std::string tls_unique(SSL* ssl) {
  if (SSL_version(ssl) != TLS1_2_VERSION || SSL_get_extms_support(ssl) != 1) return {};
  unsigned char finished[EVP_MAX_MD_SIZE];
  const bool is_client_first = SSL_session_reused(ssl) == 0;
  const bool is_ours = is_client_first != (SSL_is_server(ssl) == 1);
  const std::size_t size =
      is_ours ? SSL_get_finished(ssl, finished, sizeof finished) : SSL_get_peer_finished(ssl, finished, sizeof finished);
  return std::string(reinterpret_cast<const char*>(finished), std::min(size, sizeof finished));
}

// RFC 5929 §4.1: the server certificate hashed with its signature's hash, SHA-256 in place of MD5 and SHA-1.
std::string tls_server_end_point(SSL* ssl) {
  X509* certificate = SSL_is_server(ssl) == 1 ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
  int digest = NID_undef;
  if (certificate == nullptr || X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) return {};
  if (digest == NID_undef) return {};
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_get_digestbynid(digest), hash, &size) != 1) return {};
  return std::string(reinterpret_cast<const char*>(hash), size);
}

}  // namespace

IoResult Stream::result_of_ssl(int returned) {
  if (returned > 0) return {IoStatus::kDone, static_cast<std::size_t>(returned)};
  const int number = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::kWantRead};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::kWantWrite};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::kClosed};
    case SSL_ERROR_SYSCALL:
      is_tls_broken_ = true;
      failure_ = number == 0 ? "connection ended" : std::generic_category().message(number);
      return {IoStatus::kClosed};
    default:
      is_tls_broken_ = true;
      failure_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED ? certificate_error(ssl_.get())
                                                                                     : take_openssl_error();
      ERR_clear_error();
      return {IoStatus::kClosed};
  }
}

IoResult Stream::read(char* into, std::size_t capacity) {
  if (!ssl_) return result_of_socket(::recv(fd_, into, capacity, 0), IoStatus::kWantRead);
  if (is_tls_broken_) return {IoStatus::kClosed};
  ERR_clear_error();
  errno = 0;
  return result_of_ssl(SSL_read(ssl_.get(), into, static_cast<int>(std::min<std::size_t>(capacity, INT_MAX))));
}

IoResult Stream::write(std::string_view bytes) {
  if (!ssl_) return result_of_socket(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), IoStatus::kWantWrite);
  if (is_tls_broken_) return {IoStatus::kClosed};
  ERR_clear_error();
  errno = 0;
  return result_of_ssl(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))));
}

IoResult Stream::peek(std::span<char> buffer) {
  return result_of_socket(::recv(fd_, buffer.data(), buffer.size(), MSG_PEEK), IoStatus::kWantRead);
}

IoResult Stream::discard(std::span<char> buffer) {
  return result_of_socket(::recv(fd_, buffer.data(), buffer.size(), 0), IoStatus::kWantRead);
}

IoResult Stream::handshake() {
  ERR_clear_error();
  errno = 0;
  return result_of_ssl(SSL_do_handshake(ssl_.get()));
}

bool Stream::has_buffered_input() const { return ssl_ && SSL_pending(ssl_.get()) > 0; }

void Stream::shut_down_write() {
  if (ssl_ && !is_tls_broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

session::TlsFacts Stream::tls_facts() const {
  SSL* ssl = ssl_.get();
  session::TlsFacts facts;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) facts.server_name = name;
  facts.tls_exporter = tls_exporter(ssl);
  facts.tls_unique = tls_unique(ssl);
  facts.tls_server_end_point = tls_server_end_point(ssl);
  return facts;
}

}  // namespace posthus::net
