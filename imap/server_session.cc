// The session: frames commands, looks them up, drives their execution and writes tagged responses. RFC 9051 §2.2, §3, §5.
// What commands do is in cmd_*.cc. Thread rule: core/session/session.h.
#include "imap/server_session.h"

#include <algorithm>

#include "core/base/check.h"
#include "imap/command_frame.h"
#include "imap/command_parser.h"
#include "imap/command_table.h"
#include "imap/execution.h"

namespace posthus::imap {
namespace {

using session::Input;
using session::Output;
using session::Step;

class ServerSession final : public session::Session {
 public:
  ServerSession(ServerContext& context, const session::ConnectionFacts& facts, session::Waker waker)
      : state_{.context = context, .waker = std::move(waker), .remote_address = facts.remote_address} {}
  ~ServerSession() override { leave_mailbox(state_); }

  Step opened(Output& out) override;
  Step received(Input& input, Output& out) override;
  Step tls_started(const session::TlsFacts& facts, Output& out) override;
  void run(Output& out) override;
  session::RunCost run_cost() const override;
  void begin(session::Resume resume) override;
  Step resumed(Output& out) override { return proceed(progress_, out); }
  Step woken(Output& out) override { return phase_ == Phase::kIdle ? proceed(Progress::kMore, out) : Step::kIdle; }
  std::chrono::seconds deadline() const override;
  void timed_out(Output& out) override {
    say_bye(out, state_.is_logged_in() ? "* BYE Idle for too long\r\n" : "* BYE Nobody has logged in\r\n");
  }
  void shutting_down(Output& out) override { say_bye(out, "* BYE [UNAVAILABLE] The server is shutting down\r\n"); }

 private:
  // What the client's next bytes are, and how far the running command is.
  enum class Phase : std::uint8_t {
    kCommand,  // no command is running
    kExecute,  // execution_ runs or waits
    kUpdate,   // execution_ has ended, updates are being written
    kLine,     // execution_ wants a line
    kIdle,     // execution_ wants a line or a wake-up
    kLiteral,  // execution_ wants bytes
    kTail,     // the line end behind execution_'s literal
    kDiscard,  // bytes and lines of a refused command
  };

  Step receive_command(Input& input, Output& out);
  Step on_literal(Input& input, Output& out);
  Step on_append(Input& input, AppendHead head, Output& out);
  Step on_command(std::string_view command, Output& out);
  Step receive_line(Input& input, Output& out);
  Step receive_literal(Input& input, Output& out);
  Step receive_tail(Input& input, Output& out);
  Step receive_discarded(Input& input, Output& out);
  Step refuse(std::string_view command, std::string_view response, Output& out);
  Step start(std::string tag, const CommandRow& row, Making execution, Output& out);
  Step proceed(Progress progress, Output& out);
  Step finish(Output& out);
  void write_tagged(Output& out);
  void say_bye(Output& out, std::string_view bye);
  std::chrono::seconds login_time_left() const;
  States now() const {
    return !state_.is_logged_in() ? States::kNotAuthenticated : state_.selected ? States::kSelected : States::kAuthenticated;
  }

  SessionState state_;
  Timestamp opened_at_;
  Phase phase_ = Phase::kCommand;
  Progress progress_ = Progress::kDone;
  int bad_commands_ = 0;
  CommandFrame frame_;
  const CommandRow* row_ = nullptr;
  std::unique_ptr<Execution> execution_;
  std::uint64_t discard_left_ = 0;
};

Step ServerSession::opened(Output& out) {
  opened_at_ = state_.context.clock.now();
  out.append("* OK [").append(capabilities(state_)).append("] ").append(state_.context.hostname).append(" Posthus ready\r\n");
  return Step::kRead;
}

Step ServerSession::received(Input& input, Output& out) {
  if (!state_.is_logged_in() && login_time_left().count() <= 0) {
    timed_out(out);
    return Step::kClose;
  }
  switch (phase_) {
    case Phase::kCommand: return receive_command(input, out);
    case Phase::kLine:
    case Phase::kIdle: return receive_line(input, out);
    case Phase::kLiteral: return receive_literal(input, out);
    case Phase::kTail: return receive_tail(input, out);
    case Phase::kDiscard: return receive_discarded(input, out);
    case Phase::kExecute:
    case Phase::kUpdate: break;
  }
  CHECK(false);
}

// ---- commands in ----

Step ServerSession::receive_command(Input& input, Output& out) {
  while (true) {
    switch (frame_.scan(input.bytes())) {
      case Frame::kIncomplete: return Step::kRead;
      case Frame::kTooLong: out.append("* BYE [CLIENTBUG] Command line is too long\r\n"); return Step::kClose;
      case Frame::kComplete: {
        const auto command = input.bytes().substr(0, frame_.size());
        const Step step = on_command(without_line_end(command), out);
        input.consume(frame_.size());
        frame_.reset();
        return step;
      }
      case Frame::kLiteral: {
        const std::size_t room = kMaxCommand - std::min(kMaxCommand, frame_.size());
        const std::size_t limit = state_.is_logged_in() ? room : std::min(room, kMaxLiteralBeforeLogin);
        const bool is_append = state_.is_logged_in() && has_verb(input.bytes(), "APPEND");
        if (is_append || frame_.literal_size() > limit || frame_.literals() == kMaxLiterals) {
          const auto before = input.size();
          const Step step = on_literal(input, out);
          if (input.size() != before || step != Step::kRead || phase_ != Phase::kCommand) return step;
        } else {
          frame_.literal_accepted();
          if (frame_.literal_kind() == Synchronizing::kYes) out.append("+ Ready for literal data\r\n");
        }
      }
    }
  }
}

/// A literal that is the message of an APPEND, or that is not to be taken. Consumes what it refuses; a literal it accepts
/// (the mailbox name of an APPEND) leaves the input alone.
Step ServerSession::on_literal(Input& input, Output& out) {
  const auto text = input.bytes().substr(0, frame_.size());
  const auto command = without_line_end(text);
  std::string_view response = "NO [LIMIT] Literal is too large";
  if (state_.is_logged_in() && has_verb(text, "APPEND")) {
    auto head = append_head(text, state_.name_form());
    if (head.outcome == AppendOutcome::kHead) return on_append(input, std::move(head), out);
    const bool fits = frame_.literal_size() <= kMaxMailboxName && frame_.literals() < kMaxLiterals;
    if (head.outcome == AppendOutcome::kIncomplete && fits) {
      frame_.literal_accepted();
      if (frame_.literal_kind() == Synchronizing::kYes) out.append("+ Ready for literal data\r\n");
      return Step::kRead;
    }
    if (head.outcome == AppendOutcome::kError) {
      response = head.error.kind == ErrorKind::kDenied ? "NO [CANNOT] Impossible mailbox name" : "BAD Malformed APPEND";
    }
  }
  const Step step = refuse(command, response, out);
  input.consume(frame_.size());
  frame_.reset();
  return step;
}

Step ServerSession::on_append(Input& input, AppendHead head, Output& out) {
  auto execution = make_append(std::move(head.arguments), frame_.literal_size(), frame_.literal_kind());
  input.consume(frame_.size());
  frame_.reset();
  count_command(&append_row());
  return start(std::move(head.tag), append_row(), std::move(execution), out);
}

/// RFC 7888 §4: answers a command whose literal is not wanted. A literal that comes anyway is read and dropped.
Step ServerSession::refuse(std::string_view command, std::string_view response, Output& out) {
  Scanner scanner(command);
  const auto tag = scanner.tag();
  if (frame_.literal_kind() == Synchronizing::kNo && frame_.literal_size() > kMaxDiscardedLiteral) {
    out.append("* BYE [TOOBIG] Literal is too large\r\n");
    return Step::kClose;
  }
  out.append(tag ? *tag : "*").append(" ").append(response).append("\r\n");
  if (frame_.literal_kind() == Synchronizing::kYes) return Step::kRead;
  discard_left_ = frame_.literal_size();
  phase_ = Phase::kDiscard;
  return Step::kRead;
}

Step ServerSession::receive_discarded(Input& input, Output& out) {
  const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(discard_left_, input.size()));
  input.consume(dropped);
  discard_left_ -= dropped;
  if (discard_left_ > 0) return Step::kRead;
  const Frame frame = frame_.scan(input.bytes());
  if (frame == Frame::kIncomplete) return Step::kRead;
  if (frame == Frame::kTooLong) {
    out.append("* BYE [CLIENTBUG] Command line is too long\r\n");
    return Step::kClose;
  }
  input.consume(frame_.size());
  const bool goes_on = frame == Frame::kLiteral && frame_.literal_kind() == Synchronizing::kNo;
  discard_left_ = goes_on ? frame_.literal_size() : 0;
  frame_.reset();
  if (discard_left_ > kMaxDiscardedLiteral) return Step::kClose;
  if (!goes_on) phase_ = Phase::kCommand;
  return Step::kRead;
}

Step ServerSession::on_command(std::string_view command, Output& out) {
  Scanner scanner(command);
  const auto answer = [&](std::string_view tag, std::string_view text) {
    out.append(tag).append(" ").append(text).append("\r\n");
    if (state_.is_logged_in() || ++bad_commands_ < kMaxBadCommands) return Step::kRead;
    out.append("* BYE Too many bad commands\r\n");
    return Step::kClose;
  };
  const auto tag = scanner.tag();
  if (!tag || !scanner.take(' ')) return answer("*", "BAD Expected a tag and a command");
  const CommandRow* row = find_command(scanner);
  count_command(row);
  if (!row) return answer(*tag, "BAD Unknown command");
  if (!is_legal(row->legal, now())) return answer(*tag, "BAD Command is not possible in this state");
  auto parsed = arguments(scanner, row->grammar, state_.name_form());
  if (!parsed) {
    const bool is_syntax = parsed.error().kind == ErrorKind::kInvalid;
    std::string text(is_syntax                                   ? "BAD "
                     : parsed.error().kind == ErrorKind::kDenied ? "NO [CANNOT] "
                                                                 : refusal_for(parsed.error().kind));
    return answer(*tag, text.append(parsed.error().context));
  }
  bad_commands_ = 0;
  return start(std::string(*tag), *row, row->make(state_, std::move(*parsed), row->numbers), out);
}

// ---- execution ----

Step ServerSession::start(std::string tag, const CommandRow& row, Making execution, Output& out) {
  state_.running_tag = std::move(tag);
  row_ = &row;
  execution_ = std::move(execution);
  if (state_.selected && state_.selected->owner() != state_.account) {
    const auto snapshot = state_.context.store.snapshot();
    if (!snapshot || !keep_rights(state_, **snapshot, out)) return Step::kClose;
  }
  return proceed(Progress::kMore, out);
}

session::RunCost ServerSession::run_cost() const {
  return phase_ == Phase::kExecute ? execution_->cost() : session::RunCost::kBrief;
}

void ServerSession::run(Output& out) {
  if (phase_ == Phase::kExecute) {
    progress_ = execution_->run(state_, out);
    if (progress_ != Progress::kDone || row_->updates == Updates::kNone) return;
    phase_ = Phase::kUpdate;
    if (out.size() >= kChunk) {
      progress_ = Progress::kMore;
      return;
    }
  }
  progress_ = write_updates(state_, out, row_->updates == Updates::kAll ? Expunges::kReport : Expunges::kHold, execution_->told);
}

void ServerSession::begin(session::Resume resume) {
  CHECK(execution_ && execution_->request);
  auto request = std::move(*execution_->request);
  execution_->request.reset();
  progress_ = Progress::kMore;
  // The driver never abandons a wait, so the execution outlives it.
  state_.context.store.submit(std::move(request),
                              [this, resume = std::move(resume)](Result<store::WriteOutcome> outcome) mutable {
                                execution_->outcome = std::move(outcome);
                                resume();
                              });
}

Step ServerSession::proceed(Progress progress, Output& out) {
  progress_ = progress;
  switch (progress) {
    case Progress::kMore:
      if (phase_ != Phase::kUpdate) phase_ = Phase::kExecute;
      return Step::kRun;
    case Progress::kWrite: return Step::kWait;
    case Progress::kLine: phase_ = Phase::kLine; return Step::kRead;
    case Progress::kLiteral: phase_ = Phase::kLiteral; return Step::kRead;
    case Progress::kIdle: phase_ = Phase::kIdle; return Step::kIdle;
    case Progress::kStartTls:
      write_tagged(out);
      finish(out);
      return Step::kStartTls;
    case Progress::kClose:
      if (!execution_->tagged.empty()) write_tagged(out);
      return Step::kClose;
    case Progress::kDone: break;
  }
  if (phase_ != Phase::kUpdate && row_->updates != Updates::kNone && state_.selected) {
    phase_ = Phase::kUpdate;
    return Step::kRun;
  }
  write_tagged(out);
  return finish(out);
}

void ServerSession::write_tagged(Output& out) {
  out.append(state_.running_tag).push_back(' ');
  if (execution_->tagged.empty()) {
    out.append("OK ").append(row_->verb).append(" completed");
  } else {
    out.append(execution_->tagged);
  }
  out.append("\r\n");
}

/// Back to waiting for commands, with nothing kept that an idle session does not need.
Step ServerSession::finish(Output&) {
  execution_.reset();
  row_ = nullptr;
  std::string().swap(state_.running_tag);
  phase_ = Phase::kCommand;
  return Step::kRead;
}

// ---- what executions ask the client for ----

Step ServerSession::receive_line(Input& input, Output& out) {
  const auto newline = input.bytes().find('\n');
  if (newline == std::string_view::npos) {
    if (input.size() > kMaxSaslLine) {
      out.append("* BYE [CLIENTBUG] Line is too long\r\n");
      return Step::kClose;
    }
    return phase_ == Phase::kIdle ? Step::kIdle : Step::kRead;
  }
  const Progress progress = execution_->on_line(state_, without_line_end(input.bytes().substr(0, newline + 1)), out);
  input.consume(newline + 1);
  return proceed(progress, out);
}

Step ServerSession::receive_literal(Input& input, Output& out) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(execution_->literal_left, input.size()));
  execution_->on_bytes(input.bytes().substr(0, taken));
  input.consume(taken);
  execution_->literal_left -= taken;
  if (execution_->literal_left > 0) return Step::kRead;
  phase_ = Phase::kTail;
  return receive_tail(input, out);
}

Step ServerSession::receive_tail(Input& input, Output& out) {
  const Frame frame = frame_.scan(input.bytes());
  if (frame == Frame::kIncomplete) return Step::kRead;
  if (frame == Frame::kTooLong) {
    out.append("* BYE [CLIENTBUG] Command line is too long\r\n");
    return Step::kClose;
  }
  const auto rest = without_line_end(input.bytes().substr(0, frame_.size()));
  if (frame == Frame::kComplete && rest.find_first_not_of(' ') == std::string_view::npos) {
    input.consume(frame_.size());
    frame_.reset();
    return proceed(Progress::kMore, out);
  }
  // Text behind the message, or a second message (RFC 3502 is not announced).
  const std::string tag = state_.running_tag;
  finish(out);
  const Step step = frame == Frame::kLiteral ? refuse(tag, "BAD APPEND takes one message", out) : Step::kRead;
  if (frame == Frame::kComplete) out.append(tag).append(" BAD Unexpected text after the message\r\n");
  input.consume(frame_.size());
  frame_.reset();
  return step;
}

// ---- the connection ----

Step ServerSession::tls_started(const session::TlsFacts& facts, Output&) {
  state_.is_tls = true;
  state_.tls = std::make_unique<session::TlsFacts>(facts);
  frame_.reset();
  return Step::kRead;
}

std::chrono::seconds ServerSession::deadline() const {
  if (!state_.is_logged_in()) return std::clamp(login_time_left(), std::chrono::seconds(0), kLoginDeadline);
  if (phase_ == Phase::kLiteral || phase_ == Phase::kTail || phase_ == Phase::kDiscard) return kLiteralDeadline;
  return kAutologout;
}

std::chrono::seconds ServerSession::login_time_left() const {
  return kLoginPatience - std::chrono::seconds(state_.context.clock.now().seconds() - opened_at_.seconds());
}

void ServerSession::say_bye(Output& out, std::string_view bye) {
  if (execution_ && execution_->is_mid_response()) return;
  out.append(bye);
}

}  // namespace

std::unique_ptr<session::Session> make_server_session(ServerContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker waker) {
  return std::make_unique<ServerSession>(context, facts, std::move(waker));
}

}  // namespace posthus::imap
