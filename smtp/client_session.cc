// Steps, deadlines and ends of the SMTP client. RFC 5321 §4.5.3.2 (time-outs), §3.8 (421), §4.1.1.10 (QUIT).
// Thread rule: core/session/session.h.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "smtp/client_session_state.h"

namespace posthus::smtp {
namespace {

using std::chrono::seconds;

// RFC 5321 §4.5.3.2, and our own where it says nothing: how long each answer may take as a whole.
constexpr seconds kGreetingTimeout{300};   // §4.5.3.2.1
constexpr seconds kCommandTimeout{300};    // EHLO, HELO: as MAIL
constexpr seconds kStartTlsTimeout{120};   // nothing to look up
constexpr seconds kLoginTimeout{180};      // an authentication may ask elsewhere
constexpr seconds kMailTimeout{300};       // §4.5.3.2.2
constexpr seconds kRecipientTimeout{300};  // §4.5.3.2.3
constexpr seconds kDataTimeout{120};       // §4.5.3.2.4
constexpr seconds kDataBlockTimeout{180};  // §4.5.3.2.5: the host takes nothing of the text
constexpr seconds kEndOfDataTimeout{600};  // §4.5.3.2.6
constexpr seconds kResetTimeout{60};       // nothing to do for it
constexpr seconds kQuitTimeout{5};         // courtesy
constexpr seconds kStandByTimeout{30};     // should nobody wake us; hosts wait for minutes (RFC 5321 §4.5.3.2.7)

RemoteReply silence(std::string_view what) { return {.code = 0, .enhanced = {}, .text = std::string(what)}; }

}  // namespace

ClientSession::ClientSession(ClientOptions options, MessageSource& source) : options_(std::move(options)), source_(source) {}

ClientSession::~ClientSession() {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kQuit) {
    end();
  } else {
    give_up("The host closed the connection.");
  }
}

// "PROXY UNKNOWN": from here, for nobody else ("The PROXY protocol", version 1, section 2.1).
session::Step ClientSession::opened(Output& output) {
  if (options_.begins_with_proxy_header) output.append("PROXY UNKNOWN\r\n");
  return await_reply(Phase::kGreeting);
}

session::Step ClientSession::await_reply(Phase phase) {
  phase_ = phase;
  ++awaited_;
  begin_wait();
  return Step::kRead;
}

void ClientSession::begin_wait() {
  if (options_.clock) waits_since_ = options_.clock->now();
}

// WHY no more than the deadline: the clock is that of the wall, and may be set.
void ClientSession::count_wait() {
  if (!options_.clock) return;
  const std::chrono::microseconds waited(options_.clock->now().microseconds - waits_since_.microseconds);
  const auto counted = std::clamp<std::chrono::microseconds>(waited, std::chrono::microseconds(0), phase_deadline());
  waited_ += counted;
  if (transaction_) transaction_->waited += counted;
  begin_wait();
}

session::Step ClientSession::received(session::Input& input, Output& output) {
  std::string_view bytes = input.bytes();
  if (phase_ == Phase::kStandingBy) {
    input.consume(input.size());
    return unexpected(bytes);
  }
  const ReplyParser::Progress progress = parser_.parse(bytes);
  input.consume(input.size() - bytes.size());
  is_reply_begun_ = progress == ReplyParser::Progress::kMore;
  if (is_reply_begun_) return Step::kRead;
  if (progress == ReplyParser::Progress::kBroken) {
    return give_up("The host does not speak SMTP properly: " + std::string(parser_.problem()) + ".");
  }
  const HostReply reply = parser_.take();
  has_stood_by_ = false;
  count_wait();
  if (phase_ == Phase::kQuit) {
    end();
    return Step::kClose;
  }
  CHECK(awaited_ > 0);
  --awaited_;
  // WHY: what is said before we asked answers nothing; it must not be taken for the answer to the next command.
  const bool has_more = awaited_ == 0 && !input.empty();
  const std::size_t written = output.size();
  const Step step = replied(reply, output);
  if (!has_more || phase_ == Phase::kOver || phase_ == Phase::kQuit) return step;
  output.resize(written);
  return unexpected(input.bytes());
}

session::Step ClientSession::unexpected(std::string_view bytes) {
  parser_ = ReplyParser();
  if (transaction_) transaction_->is_text_sent = false;  // it was written, but will not be sent
  if (parser_.parse(bytes) == ReplyParser::Progress::kReply) {
    const HostReply notice = parser_.take();
    if (notice.code == 421) return give_up(to_remote_reply(notice));
  }
  return give_up("The host answered what was not asked.");
}

session::Step ClientSession::replied(const HostReply& reply, Output& output) {
  // RFC 5321 §3.8: at any time.
  if (reply.code == 421) return give_up(to_remote_reply(reply));
  switch (phase_) {
    case Phase::kGreeting: return on_greeting(reply, output);
    case Phase::kEhlo: return on_ehlo(reply, output);
    case Phase::kHelo: return on_helo(reply, output);
    case Phase::kStartTls: return on_starttls(reply, output);
    case Phase::kAuthPlain:
    case Phase::kAuthLogin:
    case Phase::kAuthName:
    case Phase::kAuthPassword: return on_login(reply, output);
    case Phase::kReset: {
      needs_reset_ = false;
      if (!transaction_) return quit(output);
      return reply.is_success() ? begin_transaction(output) : give_up(to_remote_reply(reply));
    }
    case Phase::kEnvelope: return on_envelope(reply, output);
    case Phase::kEndOfData: return on_end_of_data(reply, output);
    default: return give_up("The host answered what was not asked.");
  }
}

// A host that refuses while the text is on its way, and closes.
void ClientSession::last_words(std::string_view bytes) {
  if (phase_ == Phase::kOver || phase_ == Phase::kQuit) return;
  parser_ = ReplyParser();
  HostReply reply;
  while (!reply.is_temporary() && !reply.is_refusal()) {
    if (parser_.parse(bytes) != ReplyParser::Progress::kReply) return;
    reply = parser_.take();
  }
  if (transaction_ && reply.code != 421 && phase_ == Phase::kText) settle_accepted(reply, "DATA");
  give_up(to_remote_reply(reply));
}

void ClientSession::run(Output& output) {
  if (phase_ == Phase::kTaking) take_message();
  if (phase_ == Phase::kText) write_text(output);
}

session::Step ClientSession::resumed(Output& output) { return phase_ == Phase::kTaking ? message_taken(output) : text_written(); }

session::Step ClientSession::woken(Output&) {
  if (phase_ != Phase::kStandingBy) return Step::kIdle;
  phase_ = Phase::kTaking;
  has_stood_by_ = true;
  return Step::kRun;
}

session::Step ClientSession::quit(Output& output) {
  output.append("QUIT\r\n");
  return await_reply(Phase::kQuit);
}

session::Step ClientSession::give_up(RemoteReply why, Blame blame) {
  connection_.stage = stage();
  if (transaction_) {
    RemoteReply told = why;
    if (transaction_->is_text_sent && told.code == 0) {
      told.text += " The whole message had been sent, but not been answered: the host may have taken it.";
    }
    for (std::uint16_t i = 0; i < transaction_->recipients.size(); ++i) {
      settle(i, Verdict::kDeferred, told, connection_.stage, blame);
    }
    report();
  }
  connection_.failure = std::move(why);
  end();
  return Step::kClose;
}

void ClientSession::end() {
  phase_ = Phase::kOver;
  connection_.was_slow = is_slow();
  source_.ended(std::move(connection_));
}

std::string_view ClientSession::stage() const {
  switch (phase_) {
    case Phase::kConnected: return "connect";
    case Phase::kGreeting: return "greeting";
    case Phase::kEhlo:
    case Phase::kHelo: return "EHLO";
    case Phase::kStartTls:
    case Phase::kHandshake: return "STARTTLS";
    case Phase::kAuthPlain:
    case Phase::kAuthLogin:
    case Phase::kAuthName:
    case Phase::kAuthPassword: return "AUTH";
    case Phase::kText: return "DATA";
    case Phase::kEndOfData: return "end of data";
    case Phase::kEnvelope: break;
    default: return "MAIL";
  }
  if (transaction_->is_text_sent) return "end of data";  // with MAIL and RCPT in one group: the host may have it all
  if (transaction_->replies == 0) return "MAIL";
  if (transaction_->replies <= transaction_->group.size()) return "RCPT";
  return transaction_->is_chunked ? "end of data" : "DATA";
}

// The host's time for this answer, but no more than is left of its time for the transaction.
std::chrono::seconds ClientSession::deadline() const {
  const seconds usual = phase_deadline();
  if (!options_.clock || !transaction_ || transaction_->is_text_sent) return usual;
  const seconds for_text(transaction_->message.size / kLeastBytesPerSecond);
  const auto left = std::chrono::ceil<seconds>(kTransactionPatience + for_text - transaction_->waited);
  return std::clamp(left, seconds(1), usual);
}

std::chrono::seconds ClientSession::phase_deadline() const {
  switch (phase_) {
    case Phase::kGreeting: return kGreetingTimeout;
    case Phase::kStartTls: return kStartTlsTimeout;
    case Phase::kAuthPlain:
    case Phase::kAuthLogin:
    case Phase::kAuthName:
    case Phase::kAuthPassword: return kLoginTimeout;
    case Phase::kReset: return kResetTimeout;
    case Phase::kText: return kDataBlockTimeout;
    case Phase::kEndOfData: return kEndOfDataTimeout;
    case Phase::kStandingBy: return kStandByTimeout;
    case Phase::kQuit:
    case Phase::kOver: return kQuitTimeout;
    case Phase::kEnvelope: break;
    default: return kCommandTimeout;
  }
  if (transaction_->replies == 0) return kMailTimeout;
  if (transaction_->replies <= transaction_->group.size()) return kRecipientTimeout;
  return transaction_->is_chunked ? kEndOfDataTimeout : kDataTimeout;
}

bool ClientSession::is_interruptible() const { return !transaction_ || !transaction_->is_text_sent; }

void ClientSession::timed_out(Output& output) {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kStandingBy) output.append("QUIT\r\n");
  if (phase_ == Phase::kQuit || phase_ == Phase::kStandingBy) return end();
  give_up(phase_ == Phase::kText ? "The host did not take the text in time." : "The host did not answer in time.");
}

void ClientSession::shutting_down(Output& output) {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kQuit) return end();
  if (phase_ != Phase::kText) output.append("QUIT\r\n");
  give_up(silence("This server is being shut down."), Blame::kMessage);
}

std::unique_ptr<session::Session> make_client_session(ClientOptions options, MessageSource& source) {
  return std::make_unique<ClientSession>(std::move(options), source);
}

}  // namespace posthus::smtp
