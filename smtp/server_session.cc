// Lines, verbs, deadlines and the small commands of the SMTP server. RFC 5321 §4.1.1, §4.3.2, §4.5.3.
// Thread rule: core/session/session.h.
#include "smtp/server_session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "smtp/session_state.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kFlushAt = 64 * 1024;  // output of one call: then the driver flushes

metrics::Gauge& open_sessions() {
  static metrics::Gauge& gauge = metrics::gauge("posthus_smtp_sessions", "Open SMTP connections");
  return gauge;
}

void count_refusal(const Reply& reply) {
  static metrics::Counter& temporary = metrics::counter("posthus_smtp_refusals_total", "Refused commands", "class=\"4xx\"");
  static metrics::Counter& permanent = metrics::counter("posthus_smtp_refusals_total", "Refused commands", "class=\"5xx\"");
  (reply.code < 500 ? temporary : permanent).add();
}

std::int64_t to_microseconds(std::chrono::seconds seconds) { return seconds.count() * 1'000'000; }

}  // namespace

const ServerSession::VerbRow ServerSession::kVerbTable[] = {
    {Verb::kEhlo, stage::kAny, &ServerSession::on_ehlo},
    {Verb::kHelo, stage::kAny, &ServerSession::on_helo},
    {Verb::kStartTls, stage::kGreeted, &ServerSession::on_starttls},
    {Verb::kAuth, stage::kReady, &ServerSession::on_auth},
    {Verb::kMail, stage::kReady, &ServerSession::on_mail},
    {Verb::kRcpt, stage::kEnvelope, &ServerSession::on_rcpt},
    {Verb::kData, stage::kEnvelope, &ServerSession::on_data},
    {Verb::kBdat, stage::kAny, &ServerSession::on_bdat},  // it must read its chunk wherever it comes
    {Verb::kRset, stage::kAny, &ServerSession::on_rset},
    {Verb::kNoop, stage::kAny, &ServerSession::on_noop},
    {Verb::kQuit, stage::kAny, &ServerSession::on_quit},
    {Verb::kVrfy, stage::kAny, &ServerSession::on_vrfy},
    {Verb::kExpn, stage::kAny, &ServerSession::on_expn},
    {Verb::kHelp, stage::kAny, &ServerSession::on_help},
    {Verb::kHttp, stage::kAny, &ServerSession::on_http},
};

std::unique_ptr<session::Session> make_server_session(ServerContext& context, ListenerRole role,
                                                      const session::ConnectionFacts& facts, session::Waker waker) {
  return std::make_unique<ServerSession>(context, role, facts, std::move(waker));
}

ServerSession::ServerSession(ServerContext& context, ListenerRole role, const session::ConnectionFacts& facts,
                             session::Waker waker)
    : context_(context), waker_(std::move(waker)), remote_address_(facts.remote_address), role_(role) {
  open_sessions().add(1);
}

ServerSession::~ServerSession() { open_sessions().add(-1); }

session::Step ServerSession::opened(Output& output) {
  if (log::is_enabled(log::Level::kDebug)) log::debug("smtp.connect", {{"client", remote_address_}});
  output.append("220 ").append(context_.hostname).append(" ESMTP Posthus\r\n");
  begin_reading(Reading::kCommand);
  return Step::kRead;
}

session::Step ServerSession::received(session::Input& input, Output& output) {
  if (context_.clock.now() > hard_deadline()) {
    timed_out(output);
    return Step::kClose;
  }
  Step step = Step::kRead;
  const std::size_t flush_at = output.size() + kFlushAt;
  while (step == Step::kRead && !input.empty() && output.size() < flush_at) {
    const std::size_t before = input.size();
    step = advance(input, output);
    if (input.size() == before) break;
  }
  snapshot_.reset();
  return step;
}

session::Step ServerSession::advance(session::Input& input, Output& output) {
  switch (reading_) {
    case Reading::kCommand:
    case Reading::kLoginResponse: return read_line(input, output);
    case Reading::kLongLine: return skip_line(input, output);
    case Reading::kData: return read_data(input, output);
    case Reading::kChunk: return read_chunk(input, output);
  }
  return Step::kClose;
}

session::Step ServerSession::read_line(session::Input& input, Output& output) {
  const std::string_view bytes = input.bytes();
  const std::size_t from = std::min(scanned_, bytes.size());
  const std::size_t lf = bytes.find('\n', from);
  if (lf == std::string_view::npos) {
    scanned_ = bytes.size();
    if (bytes.size() <= kMaxAuthLine) return Step::kRead;
    scanned_ = 0;
    input.consume(bytes.size());
    reading_ = Reading::kLongLine;
    return Step::kRead;
  }
  scanned_ = 0;
  input.consume(lf + 1);
  const bool is_login = reading_ == Reading::kLoginResponse;
  begin_reading(Reading::kCommand);
  if (lf + 1 > kMaxAuthLine) {
    exchange_.reset();
    return refuse(is_login ? reply::kLoginLineTooLong : reply::kLineTooLong, output);
  }
  // A line that any other program might cut in another way is no command (RFC 5321 §2.3.8).
  const std::string_view line = bytes.substr(0, lf > 0 ? lf - 1 : 0);
  const bool is_crlf = lf > 0 && bytes[lf - 1] == '\r';
  if (!is_crlf || line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos) {
    exchange_.reset();
    return refuse(reply::kBadLineEnd, output);
  }
  return is_login ? on_login_response(line, output) : on_command(line, output);
}

session::Step ServerSession::skip_line(session::Input& input, Output& output) {
  const std::size_t lf = input.bytes().find('\n');
  if (lf == std::string_view::npos) {
    input.consume(input.size());
    return Step::kRead;
  }
  input.consume(lf + 1);
  begin_reading(Reading::kCommand);
  const bool is_login = exchange_ != nullptr;
  exchange_.reset();
  return refuse(is_login ? reply::kLoginLineTooLong : reply::kLineTooLong, output);
}

session::Step ServerSession::on_command(std::string_view line, Output& output) {
  const CommandLine command = parse_command(line);
  if (line.size() + 2 > kMaxCommandLine && command.verb != Verb::kAuth) return refuse(reply::kLineTooLong, output);
  for (const VerbRow& row : kVerbTable) {
    if (row.verb != command.verb) continue;
    if (row.stages & stage_) return (this->*row.handler)(command.argument, output);
    return refuse(stage_ == stage::kFresh ? reply::kHelloFirst : reply::kBadSequence, output);
  }
  return refuse(reply::kUnknownCommand, output);
}

session::Step ServerSession::answer(const Reply& reply, Output& output) {
  append_reply(output, reply);
  return Step::kRead;
}

// A command that moves nothing: as many as anybody needs are free, the rest are errors.
session::Step ServerSession::answer_idle(const Reply& reply, Output& output) {
  append_reply(output, reply);
  return count_idle(output);
}

session::Step ServerSession::count_idle(Output& output) {
  if (++idle_commands_ <= kMaxIdleCommands || ++errors_ < kMaxErrors) return Step::kRead;
  return refuse_and_close(reply::kTooManyErrors, output);
}

session::Step ServerSession::refuse(const Reply& reply, Output& output) {
  log_refusal(reply);
  append_reply(output, reply);
  if (++errors_ < kMaxErrors) return Step::kRead;
  return refuse_and_close(reply::kTooManyErrors, output);
}

session::Step ServerSession::refuse_and_close(const Reply& reply, Output& output) {
  log_refusal(reply);
  append_reply(output, reply);
  return Step::kClose;
}

void ServerSession::log_refusal(const Reply& reply) const {
  count_refusal(reply);
  if (!log::is_enabled(log::Level::kInfo)) return;
  log::info("smtp.refused", {{"client", remote_address_},
                             {"code", static_cast<std::uint32_t>(reply.code)},
                             {"enhanced", reply.enhanced},
                             {"text", reply.text},
                             {"helo", helo_},
                             {"login", login_}});
}

void ServerSession::begin_reading(Reading reading) {
  reading_ = reading;
  reading_since_ = context_.clock.now();
}

// The time by which what is being read must be complete, however often single bytes of it come.
Timestamp ServerSession::hard_deadline() const {
  const bool is_message = reading_ == Reading::kData || reading_ == Reading::kChunk;
  const auto allowed = is_message ? kDataGrace : kCommandTimeout;
  const Timestamp of_reading{reading_since_.microseconds + to_microseconds(allowed)};
  if (!transfer_) return of_reading;
  const std::chrono::seconds earned(static_cast<std::int64_t>(transfer_->bytes() / kMinBytesPerSecond));
  const Timestamp of_message{transfer_->started.microseconds + to_microseconds(kDataGrace + earned)};
  // Between two chunks both count: a message cut into tiny chunks must move as well.
  return is_message ? of_message : std::min(of_reading, of_message);
}

std::chrono::seconds ServerSession::deadline() const {
  const bool is_message = reading_ == Reading::kData || reading_ == Reading::kChunk;
  const auto next_bytes = is_message ? kDataBlockTimeout : kCommandTimeout;
  const std::int64_t left = (hard_deadline().microseconds - context_.clock.now().microseconds) / 1'000'000;
  return std::min(next_bytes, std::chrono::seconds(std::max<std::int64_t>(left, 0)));
}

void ServerSession::timed_out(Output& output) { append_reply(output, reply::kTimedOut); }

void ServerSession::shutting_down(Output& output) { append_reply(output, reply::kShuttingDown); }

const store::Snapshot* ServerSession::snapshot() {
  if (!snapshot_) {
    auto taken = context_.store.recent_snapshot();
    if (!taken) return nullptr;
    snapshot_ = *std::move(taken);
  }
  return snapshot_.get();
}

void ServerSession::reset_transaction() {
  envelope_.reset();
  pending_.reset();
  transfer_.reset();
  outcome_.reset();
  if (stage_ != stage::kFresh) stage_ = stage::kReady;
}

void ServerSession::run(Output&) {
  if (awaiting_ == Awaiting::kVerify) exchange_->verify();
  if (awaiting_ == Awaiting::kFinish) transfer_->finish_message(context_.clock.now());
}

session::Step ServerSession::resumed(Output& output) {
  begin_reading(Reading::kCommand);
  switch (std::exchange(awaiting_, Awaiting::kNothing)) {
    case Awaiting::kVerify: return continue_login(output);
    case Awaiting::kRecipient: return recipient_checked(output);
    case Awaiting::kFinish: return message_finished(output);
    case Awaiting::kCommit: return message_committed(output);
    case Awaiting::kNothing: break;
  }
  CHECK(false);
  return Step::kClose;
}

// rset = "RSET" CRLF
session::Step ServerSession::on_rset(std::string_view argument, Output& output) {
  if (!argument.empty()) return refuse(reply::kNoArgument, output);
  reset_transaction();
  return answer_idle(reply::kOk, output);
}

// noop = "NOOP" [ SP String ] CRLF
session::Step ServerSession::on_noop(std::string_view, Output& output) { return answer_idle(reply::kOk, output); }

// quit = "QUIT" CRLF
session::Step ServerSession::on_quit(std::string_view argument, Output& output) {
  if (!argument.empty()) return refuse(reply::kNoArgument, output);
  append_reply(output, reply::kBye);
  return Step::kClose;
}

// vrfy = "VRFY" SP String CRLF
// WHY: RFC 5321 §7.3 lets a server say no more than this, and who has a mailbox here is nobody's business.
session::Step ServerSession::on_vrfy(std::string_view argument, Output& output) {
  if (argument.empty()) return refuse(reply::kBadArgument, output);
  return answer_idle(reply::kCannotVerify, output);
}

session::Step ServerSession::on_expn(std::string_view, Output& output) { return refuse(reply::kNoExpansion, output); }

// help = "HELP" [ SP String ] CRLF
session::Step ServerSession::on_help(std::string_view, Output& output) {
  MultiLineReply help(output, 214);
  help.line("2.0.0 Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP");
  help.line(role_ == ListenerRole::kSubmission ? "2.0.0 STARTTLS AUTH (RFC 6409)" : "2.0.0 STARTTLS (RFC 5321)");
  help.finish();
  return count_idle(output);
}

session::Step ServerSession::on_http(std::string_view, Output& output) { return refuse_and_close(reply::kNotSmtp, output); }

}  // namespace posthus::smtp
