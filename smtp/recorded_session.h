// RecordedSession: a client session with somebody who reads along. Replies are put to the commands they answer, in their
// order (RFC 2920 §3.1); what a login consists of is left out. It also holds the session to a time by which it must be over.
// Thread rule: core/session/session.h; the listener is called from the session's thread.
// Known limit: of what the host says at most kMaxLines and kMaxBytes are kept, the rest counts but is not shown.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/session/session.h"

namespace posthus::smtp {

/// A command and its reply.
struct Exchange {
  std::string command;             // "MAIL FROM:<a@b.example>", without a login's words; empty: the greeting
  std::vector<std::string> reply;  // lines as they came, washed
};

class ExchangeListener {
 public:
  virtual ~ExchangeListener() = default;
  virtual void exchanged(Exchange exchange) = 0;
  virtual void tls_established(const session::TlsFacts& facts) = 0;
};

class RecordedSession final : public session::Session {
 public:
  static constexpr std::size_t kMaxLines = 200;        // two EHLO answers of the most lines there may be
  static constexpr std::size_t kMaxBytes = 32 * 1024;  // as much as people read of it

  /// `until`: by then the session is timed out, whatever it waits for. `keeper` lives as long as the session.
  RecordedSession(std::unique_ptr<session::Session> session, std::shared_ptr<ExchangeListener> keeper, const Clock& clock,
                  Timestamp until)
      : session_(std::move(session)), listener_(std::move(keeper)), clock_(clock), until_(until) {}
  ~RecordedSession() override { session_.reset(); }

  session::Step opened(session::Output& output) override;
  session::Step received(session::Input& input, session::Output& output) override;
  session::Step tls_started(const session::TlsFacts& facts, session::Output& output) override;
  void tls_failed(std::string_view reason) override { session_->tls_failed(reason); }
  void last_words(std::string_view bytes) override { session_->last_words(bytes); }
  void run(session::Output& output) override;
  session::RunCost run_cost() const override { return session_->run_cost(); }
  void begin(session::Resume resume) override { session_->begin(std::move(resume)); }
  session::Step resumed(session::Output& output) override;
  session::Step woken(session::Output& output) override { return session_->woken(output); }
  std::chrono::seconds deadline() const override;
  bool keeps_deadline() const override { return session_->keeps_deadline(); }
  bool is_interruptible() const override { return session_->is_interruptible(); }
  void timed_out(session::Output& output) override { session_->timed_out(output); }
  void shutting_down(session::Output& output) override { session_->shutting_down(output); }

 private:
  void hear(std::string_view bytes);
  void hear_line(std::string_view line);
  void note_commands(std::string_view text);

  std::unique_ptr<session::Session> session_;
  const std::shared_ptr<ExchangeListener> listener_;
  const Clock& clock_;
  const Timestamp until_;
  std::deque<std::string> commands_{""};  // not answered yet; the greeting answers the connection
  std::vector<std::string> reply_;        // lines of the reply that is coming in
  std::string partial_;                   // a line that has no end yet
  std::size_t lines_ = 0, bytes_ = 0;     // kept so far
};

}  // namespace posthus::smtp
