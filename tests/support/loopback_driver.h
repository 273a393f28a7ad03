// LoopbackDriver: performs a Session's steps without sockets, for dialogs, unit tests and fuzzing. What core/net/driver
// does on a connection, this does on strings; the contract is core/session/session.h.
// Thread rule: one thread uses it; wakes and resumes may come from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/session/session.h"

namespace posthus::testing {

/// Whether the connection begins inside TLS (implicit TLS), as the session sees it.
enum class Tls : bool { kNo, kImplicit };

class LoopbackDriver {
 public:
  LoopbackDriver() = default;
  LoopbackDriver(const LoopbackDriver&) = delete;
  LoopbackDriver& operator=(const LoopbackDriver&) = delete;
  ~LoopbackDriver();

  /// The waker to hand to the session's factory; call before open().
  session::Waker waker();
  /// Takes the session and lets it greet.
  void open(std::unique_ptr<session::Session> session, Tls tls = Tls::kNo);

  /// Client bytes, given to the session at most `cut` bytes at a time (0: all at once), steps performed until it wants
  /// more. Bytes sent in one call after a STARTTLS are discarded, as the real driver does.
  void send(std::string_view bytes, std::size_t cut = 0);
  /// Delivers a wake-up that is due, if the session idles. Returns true if it was woken.
  bool deliver_wake();
  bool has_wake() const;
  /// Waits until somebody has called the waker (at most `limit`), then delivers it.
  bool wait_for_wake(std::chrono::milliseconds limit);
  void time_out();
  /// The server shuts down; does nothing to a session that is not interruptible now.
  void shut_down();
  /// The peer has closed: the session dies, as it does under the real driver.
  void close_by_peer();
  /// What its next handshakes come to, for sessions of connections we make.
  void set_tls_facts(session::TlsFacts facts) { facts_ = std::move(facts); }
  void set_tls_failure(std::string reason) { tls_failure_ = std::move(reason); }

  /// All bytes written so far and not taken yet.
  std::string take_output();
  const std::string& output() const { return output_; }
  bool is_closed() const { return closed_; }
  session::Session& session() { return *session_; }
  static session::TlsFacts tls_facts();

 private:
  struct Signal;
  void perform(session::Step step);
  void feed(std::string_view bytes);
  void fail_tls();

  std::unique_ptr<session::Session> session_;
  std::shared_ptr<Signal> signal_;
  session::TlsFacts facts_ = tls_facts();
  std::string tls_failure_;  // empty: handshakes go well
  std::string leftover_, output_;
  bool closed_ = false, idle_ = false;
};

}  // namespace posthus::testing
