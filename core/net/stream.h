// Stream: bytes over a non-blocking socket, plain or TLS. It never waits: it says what to wait for. OpenSSL reads and
// writes the socket itself, which saves 70 KiB per idle connection against memory BIOs.
// Thread rule: the connection's io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/net/tls_context.h"
#include "core/session/session.h"

namespace posthus::net {

enum class IoStatus : std::uint8_t {
  kDone,       // `bytes` were moved, at least one
  kWantRead,   // try again when the socket is readable
  kWantWrite,  // try again when it is writable
  kClosed,     // end of stream or error; no more in this direction
};

struct IoResult {
  IoStatus status = IoStatus::kClosed;
  std::size_t bytes = 0;
};

class Stream {
 public:
  /// REQUIRES: `fd` is non-blocking and outlives the stream, which does not close it.
  explicit Stream(int fd) : fd_(fd) {}

  IoResult read(char* into, std::size_t capacity);
  IoResult write(std::string_view bytes);

  /// From now on TLS; call handshake() until it answers kDone or kClosed.
  void begin_tls(SslPointer ssl) { ssl_ = std::move(ssl); }
  IoResult handshake();
  bool is_tls() const { return ssl_ != nullptr; }
  ssl_st* ssl() const { return ssl_.get(); }

  /// Copies bytes of the socket, below TLS, and leaves them there.
  IoResult peek(std::span<char> buffer);
  /// Throws away bytes of the socket, below TLS.
  IoResult discard(std::span<char> buffer);
  /// The stream is no longer used; TLS gives its memory back.
  void release_tls() { ssl_.reset(); }

  /// Whether read() has bytes although the socket may have none.
  bool has_buffered_input() const;
  /// Tells the peer that nothing more will come (close_notify, FIN).
  void shut_down_write();
  session::TlsFacts tls_facts() const;
  /// Why the last call answered kClosed, for the log; empty for an orderly end.
  const std::string& failure() const { return failure_; }

 private:
  IoResult result_of_ssl(int returned);

  int fd_;
  SslPointer ssl_;
  bool is_tls_broken_ = false;  // after a fatal error OpenSSL must not be asked to shut down
  std::string failure_;
};

}  // namespace posthus::net
