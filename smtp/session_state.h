// ServerSession: the state of one SMTP connection and the names of all that can happen to it. Its parts are in
// server_session.cc (lines, verbs, deadlines), session_greeting.cc (EHLO, STARTTLS), session_login.cc (AUTH),
// session_envelope.cc (MAIL), session_recipient.cc (RCPT), session_data.cc (DATA, BDAT), session_acceptance.cc (into the store,
// and the 250). Thread rule: core/session/session.h. What an idle connection does not need is allocated on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "smtp/command.h"
#include "smtp/envelope.h"
#include "smtp/recipient_check.h"
#include "smtp/server_session.h"
#include "smtp/transfer.h"

namespace posthus::smtp {

/// Where the dialog stands, as the verb table sees it. Bits, so that the table can name several.
namespace stage {
inline constexpr std::uint8_t kFresh = 1;     // before EHLO or HELO
inline constexpr std::uint8_t kReady = 2;     // no transaction
inline constexpr std::uint8_t kEnvelope = 4;  // after MAIL
inline constexpr std::uint8_t kChunks = 8;    // after the first BDAT
inline constexpr std::uint8_t kGreeted = kReady | kEnvelope | kChunks;
inline constexpr std::uint8_t kAny = kFresh | kGreeted;
}  // namespace stage

class ServerSession final : public session::Session {
 public:
  ServerSession(ServerContext& context, ListenerRole role, const session::ConnectionFacts& facts, session::Waker waker);
  ~ServerSession() override;

  session::Step opened(session::Output& output) override;
  session::Step received(session::Input& input, session::Output& output) override;
  session::Step tls_started(const session::TlsFacts& facts, session::Output& output) override;
  void run(session::Output& output) override;
  void begin(session::Resume resume) override;
  session::Step resumed(session::Output& output) override;
  std::chrono::seconds deadline() const override;
  void timed_out(session::Output& output) override;
  void shutting_down(session::Output& output) override;

 private:
  using Step = session::Step;
  using Output = session::Output;

  /// How the next bytes are read.
  enum class Reading : std::uint8_t {
    kCommand,
    kLoginResponse,  // a line of an AUTH exchange
    kLongLine,       // the rest of a line that is too long already
    kData,           // after 354
    kChunk,          // after BDAT
  };
  /// What resumed() goes on with.
  enum class Awaiting : std::uint8_t { kNothing, kVerify, kRecipient, kFinish, kCommit };

  struct Destination {
    store::Resolution resolution;
    bool is_return = false;  // through a forward address, back to a sender: for reports only
  };
  /// A recipient between its resolution and its answer.
  struct PendingRecipient {
    RcptCommand command;
    store::Resolution resolution;
    RecipientVerdict verdict;
    PrimaryReply primary;
  };

  struct VerbRow {
    Verb verb;
    std::uint8_t stages;  // where it is allowed
    Step (ServerSession::*handler)(std::string_view argument, Output& output);
  };
  static const VerbRow kVerbTable[];

  // server_session.cc
  Step advance(session::Input& input, Output& output);
  Step read_line(session::Input& input, Output& output);
  Step skip_line(session::Input& input, Output& output);
  Step on_line(std::string_view line, Output& output);
  Step on_command(std::string_view line, Output& output);
  Step refuse(const Reply& reply, Output& output);
  Step refuse_and_close(const Reply& reply, Output& output);
  Step answer(const Reply& reply, Output& output);
  Step answer_idle(const Reply& reply, Output& output);
  Step count_idle(Output& output);
  void log_refusal(const Reply& reply) const;
  void begin_reading(Reading reading);
  Timestamp hard_deadline() const;
  bool is_tls() const { return tls_ != nullptr; }
  bool is_logged_in() const { return account_.value != 0; }
  /// One for all commands of one received(); nothing when the store fails.
  const store::Snapshot* snapshot();
  void reset_transaction();
  Step on_rset(std::string_view argument, Output& output);
  Step on_noop(std::string_view argument, Output& output);
  Step on_quit(std::string_view argument, Output& output);
  Step on_vrfy(std::string_view argument, Output& output);
  Step on_expn(std::string_view argument, Output& output);
  Step on_help(std::string_view argument, Output& output);
  Step on_http(std::string_view argument, Output& output);

  // session_greeting.cc
  Step on_ehlo(std::string_view argument, Output& output);
  Step on_helo(std::string_view argument, Output& output);
  bool take_hello(std::string_view argument);
  Step on_starttls(std::string_view argument, Output& output);
  std::string_view transmission_type() const;

  // session_login.cc
  Step on_auth(std::string_view argument, Output& output);
  Step on_login_response(std::string_view line, Output& output);
  Step continue_login(Output& output);
  Step login_done(Output& output);
  sasl::LoginFacts login_facts() const;

  // session_envelope.cc
  Step on_mail(std::string_view argument, Output& output);
  Step sender_checked(MailCommand command, Output& output);
  /// Also for the null reverse-path; only asked on submission, else false.
  Result<bool> is_own_address(const ReversePath& path);

  // session_recipient.cc
  Step on_rcpt(std::string_view argument, Output& output);
  Step refuse_recipient(const Reply& reply, Output& output);
  Step refuse_recipient(const Reply& reply, std::string_view words, Output& output);
  Step refuse_as_primary(const PrimaryReply& primary, Output& output);
  Step recipient_resolved(RcptCommand command, store::Resolution resolution, Output& output);
  Result<Destination> resolve(const store::Snapshot& view, const mail::Address& recipient);
  void ask_primary(session::Resume resume);
  Step recipient_checked(Output& output);
  Step recipient_admitted(Output& output);
  Result<std::vector<store::QueuedRecipient>> queued_recipients(const Recipient& recipient);
  bool shows_subject();
  Result<> begin_sending(const store::Snapshot& view);
  Reply check_limits(const std::vector<store::QueuedRecipient>& elsewhere);
  Reply check_forward(const Recipient& recipient);
  bool pass_over_who_cannot_wait(Recipient& recipient);
  Reply admit_forwards(const store::Snapshot& view, const ForwardedCopies& own);
  Reply noted(LimitVerdict verdict, const store::SentToday& record);
  bool add_targets(const std::vector<MailboxId>& inboxes, std::vector<store::QueuedRecipient> elsewhere);
  mail::Address routed_address(const mail::Address& address) const;
  std::uint64_t quota_of(const mail::Address& address);

  // session_data.cc
  Step on_data(std::string_view argument, Output& output);
  Step on_bdat(std::string_view argument, Output& output);
  std::optional<Reply> refuse_message_start() const;
  void begin_transfer();
  std::string received_field() const;
  Step read_data(session::Input& input, Output& output);
  Step read_chunk(session::Input& input, Output& output);
  Step chunk_done(Output& output);
  Step text_done(Output& output);
  void check_from();
  Result<bool> is_own_from(std::string_view from);
  bool is_leaving() const;
  void choose_keys();

  // session_acceptance.cc
  Step message_finished(Output& output);
  std::optional<Reply> count_copies();
  store::AddMessage make_request();
  std::string network_of_client() const;
  std::optional<store::SentCopies> sent_copies() const;
  void prepare_success_report(Timestamp now);
  void send_own_messages();
  store::QueueOrigin origin() const;
  std::string trace_of_acceptance(std::string_view header, Timestamp now) const;
  Step message_committed(Output& output);
  Step message_refused(const Reply& reply, Output& output);
  void log_skipped(std::string_view id) const;
  Step message_accepted(Output& output);

  ServerContext& context_;
  const session::Waker waker_;
  session::OpenSessions::Ticket ticket_;  // once somebody has signed in
  std::string remote_address_;
  std::string helo_;
  std::string login_;
  std::unique_ptr<session::TlsFacts> tls_;
  std::unique_ptr<Envelope> envelope_;
  std::unique_ptr<PendingRecipient> pending_;
  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<sasl::LoginExchange> exchange_;
  std::unique_ptr<store::Snapshot> snapshot_;  // only within received()
  std::unique_ptr<Result<store::WriteOutcome>> outcome_;
  QueueId message_id_;
  std::uint64_t chunk_left_ = 0;
  std::size_t scanned_ = 0;  // bytes of an incomplete line that hold no LF
  Timestamp reading_since_;
  AccountId account_;
  std::uint32_t local_header_bytes_ = 0;  // of the text in the transfer
  std::uint32_t errors_ = 0, login_failures_ = 0, idle_commands_ = 0, refused_recipients_ = 0, transactions_ = 0;
  ListenerRole role_;
  std::uint8_t stage_ = stage::kFresh;
  Reading reading_ = Reading::kCommand;
  Awaiting awaiting_ = Awaiting::kNothing;
  bool is_extended_ = false;  // EHLO, not HELO
  bool is_last_chunk_ = false;
  bool is_chunk_refused_ = false;  // the chunk is read and dropped, it was answered by what follows in chunk_refusal_
  Reply chunk_refusal_;
};

}  // namespace posthus::smtp
