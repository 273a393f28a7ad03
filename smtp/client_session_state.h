// ClientSession: the state of one connection to another server and the names of all that can happen to it. Its parts are in
// client_session.cc (steps, deadlines, ends), client_session_greeting.cc (greeting, EHLO, STARTTLS, AUTH) and
// client_session_transaction.cc (MAIL to the end of data). Thread rule: core/session/session.h.
//
// How replies find their commands: replies come in the order of commands, so `awaited_` counts those that are due, and the
// phase with the number of replies taken in it says what the next one answers. A reply that is not due is a broken peer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mail/dot_stuffing.h"
#include "core/mail/down_convert.h"
#include "smtp/client_session.h"
#include "smtp/peer_features.h"
#include "smtp/reply_parser.h"

namespace posthus::smtp {

/// A message on its way to the host, with what is known about each of its recipients.
struct ClientTransaction {
  enum class Standing : std::uint8_t {
    kWaiting,   // not yet named in a transaction
    kNamed,     // RCPT was or will be sent in this one
    kAccepted,  // the host took RCPT
    kSurplus,   // 452: too many in one transaction; the next one names it again
    kSettled,   // has its result
  };
  struct Recipient {
    Standing standing = Standing::kWaiting;
    RecipientResult result;
  };

  OutgoingMessage message;
  std::vector<Recipient> recipients;  // as in `message`
  std::vector<std::uint16_t> group;   // indexes of those of this transaction, in the order of their RCPT
  std::size_t replies = 0;            // taken: MAIL, one per RCPT, DATA
  std::size_t named = 0;              // RCPT commands sent
  std::size_t accepted = 0;
  bool is_mail_accepted = false;
  bool is_text_begun = false;  // DATA or BDAT was sent
  bool is_text_sent = false;   // the last byte is written: the host may have the message before we hear of it
  bool is_chunked = false;     // BDAT
  bool says_utf8 = false;      // SMTPUTF8, in MAIL of this transaction
  bool says_requiretls = false;
  std::uint64_t offset = 0;                        // of the text not read yet
  std::string read_ahead;                          // text that was read and not sent yet
  bool has_sent_some = false;                      // read_ahead does not begin where the text does
  std::optional<mail::DownConversion> conversion;  // the host takes 7-bit only, the message is not
  std::string signatures;                          // of what is converted, sent before it
  bool is_read_broken = false;
  std::chrono::microseconds waited{0};  // for the host
  mail::DotStuffer stuffer;
};

class ClientSession final : public session::Session {
 public:
  ClientSession(ClientOptions options, MessageSource& source);
  ~ClientSession() override;

  session::Step opened(session::Output& output) override;
  session::Step received(session::Input& input, session::Output& output) override;
  session::Step tls_started(const session::TlsFacts& facts, session::Output& output) override;
  void tls_failed(std::string_view reason) override;
  void last_words(std::string_view bytes) override;
  void run(session::Output& output) override;
  session::Step resumed(session::Output& output) override;
  std::chrono::seconds deadline() const override;
  bool keeps_deadline() const override { return is_reply_begun_; }
  bool is_interruptible() const override;
  session::Step woken(session::Output& output) override;
  void timed_out(session::Output& output) override;
  void shutting_down(session::Output& output) override;

 private:
  using Step = session::Step;
  using Output = session::Output;
  using Standing = ClientTransaction::Standing;
  using Verdict = RecipientResult::Verdict;

  enum class Phase : std::uint8_t {
    kConnected,  // before opened()
    kGreeting,
    kEhlo,
    kHelo,
    kStartTls,
    kHandshake,
    kAuthPlain,     // AUTH PLAIN with its initial response was sent
    kAuthLogin,     // AUTH LOGIN was sent
    kAuthName,      // the name was sent
    kAuthPassword,  // the last word of an exchange was sent
    kTaking,        // a worker asks for the next message
    kStandingBy,    // there was none; somebody may wake us
    kReset,
    kEnvelope,   // MAIL, RCPT, DATA
    kText,       // a worker writes the text
    kEndOfData,  // the answer to the text is awaited
    kQuit,
    kOver,
  };
  enum class Blame : bool { kMessage, kHost };  // may another host do better?

  // client_session.cc
  Step replied(const HostReply& reply, Output& output);
  Step await_reply(Phase phase);
  Step quit(Output& output);
  /// The connection is of no use any more: what is not settled is put off. Closes.
  Step give_up(RemoteReply why, Blame blame = Blame::kHost);
  Step give_up(std::string_view why) { return give_up(RemoteReply{.code = 0, .enhanced = {}, .text = std::string(why)}); }
  Step unexpected(std::string_view bytes);
  void end();
  std::string_view stage() const;
  std::chrono::seconds phase_deadline() const;
  /// From now on the host is waited for.
  void begin_wait();
  /// Counts the time since then.
  void count_wait();
  bool is_slow() const { return waited_ > kConnectionPatience; }

  // client_session_greeting.cc
  Step on_greeting(const HostReply& reply, Output& output);
  Step say_ehlo(Output& output);
  Step on_ehlo(const HostReply& reply, Output& output);
  Step on_helo(const HostReply& reply, Output& output);
  Step features_known(Output& output);
  Step on_starttls(const HostReply& reply, Output& output);
  Step log_in(Output& output);
  Step on_login(const HostReply& reply, Output& output);
  /// QUIT without a wait: the host cannot be used as we must use it.
  Step refuse_host(RemoteReply why, std::string_view stage, Output& output);
  Step ready(Output& output);

  // client_session_transaction.cc
  void take_message();
  void check_message();
  void plan_conversion();
  Result<std::string> signatures_of_converted();
  bool takes_body() const;
  void rewind_text();
  void refuse_message(std::string_view enhanced, std::string_view why);
  Step message_taken(Output& output);
  Step begin_transaction(Output& output);
  void choose_group();
  void write_mail(Output& output) const;
  void write_recipient(const OutgoingRecipient& recipient, Output& output) const;
  void write_pipeline(Output& output);
  Step begin_text(Output& output);
  bool is_at_end_of_text() const;
  bool has_whole_text() const { return is_at_end_of_text() && !transaction_->has_sent_some; }
  Step on_envelope(const HostReply& reply, Output& output);
  void on_mail(const HostReply& reply);
  void on_recipient(std::uint16_t index, const HostReply& reply);
  Step envelope_answered(Output& output);
  Step on_data(const HostReply& reply, Output& output);
  Step send_text(Output& output);
  void read_on(std::uint64_t most);
  void write_text(Output& output);
  Step text_written();
  Step on_end_of_data(const HostReply& reply, Output& output);
  Step leave_transaction(Output& output);
  Step finish_message(Output& output);
  void settle(std::uint16_t index, Verdict verdict, const RemoteReply& reply, std::string_view where, Blame blame);
  void settle_accepted(const HostReply& reply, std::string_view where);
  void settle_all(Verdict verdict, const RemoteReply& reply, std::string_view where, Blame blame);
  void report();
  std::uint32_t max_transactions() const;

  const ClientOptions options_;
  MessageSource& source_;
  Phase phase_ = Phase::kConnected;
  bool is_extended_ = false;     // EHLO was taken
  bool is_reply_begun_ = false;  // some bytes of the awaited reply have come
  bool needs_reset_ = false;     // the host still has an envelope of ours
  bool has_stood_by_ = false;    // and has said nothing since: it may have closed
  bool is_trial_ = false;        // nothing is sent (OutgoingMessage::is_trial)
  std::size_t awaited_ = 0;      // replies due
  std::uint32_t transactions_ = 0;
  Timestamp waits_since_;                // see count_wait()
  std::chrono::microseconds waited_{0};  // for the host, in all
  PeerFeatures peer_;
  ReplyParser parser_;
  ConnectionResult connection_;
  std::unique_ptr<ClientTransaction> transaction_;
};

}  // namespace posthus::smtp
