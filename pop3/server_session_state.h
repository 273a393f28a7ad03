// ServerSession: the state machine behind make_server_session(). Internal to pop3: server_session.cc has the table of
// verbs and the steps, session_authorization.cc and session_transaction.cc the handlers of RFC 1939's two states.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pop3/command.h"
#include "pop3/maildrop.h"
#include "pop3/response.h"
#include "pop3/retrieval.h"
#include "pop3/server_session.h"

namespace posthus::pop3 {

class ServerSession final : public session::Session {
 public:
  using Step = session::Step;
  using Output = session::Output;

  ServerSession(ServerContext& context, const session::ConnectionFacts& facts, session::Waker waker);
  ~ServerSession() override;

  Step opened(Output& output) override;
  Step received(session::Input& input, Output& output) override;
  Step tls_started(const session::TlsFacts& facts, Output& output) override;
  void run(Output& output) override;
  session::RunCost run_cost() const override;
  void begin(session::Resume resume) override;
  Step resumed(Output& output) override;
  std::chrono::seconds deadline() const override;
  void timed_out(Output& output) override;
  void shutting_down(Output& output) override;

 private:
  enum States : std::uint8_t { kAuthorization = 1, kTransaction = 2, kBoth = 3 };
  enum class Needs : std::uint8_t { kNothing, kTls };  // kTls: unless allow_plaintext_auth
  using Handler = Step (ServerSession::*)(std::string_view arguments, Output& output);
  struct Rule {
    std::string_view keyword;
    States states;
    Needs needs;
    Handler handler;
  };
  static const std::array<Rule, 16> kRules;

  /// What run() has been asked to do.
  enum class Work : std::uint8_t { kNone, kLogin, kRetrieval, kListing, kUpdate };
  enum class ListingKind : std::uint8_t { kSizes, kUniqueIds };

  // server_session.cc
  Step on_line(session::Input& input, const Line& line, Output& output);
  Step on_too_long(session::Input& input, Output& output);
  Step dispatch(const Command& command, Output& output);
  /// Counts a command in the metrics, under its keyword if there is a rule for it.
  static void count_command(std::string_view keyword);
  /// The request of a valid RETR or TOP; nothing for anything else.
  std::optional<RetrievalRequest> retrieval_request(const Command& command) const;
  Step refuse(Output& output, Text text, Code code = Code::kNone);
  /// The same, and it counts: too many close the connection.
  Step refuse_error(Output& output, Text text);
  Step start(Work work);
  /// Gives the maildrop back, before the client is told: it may come again at once.
  void close_maildrop();

  // session_authorization.cc
  Step on_user(std::string_view arguments, Output& output);
  Step on_pass(std::string_view arguments, Output& output);
  Step on_auth(std::string_view arguments, Output& output);
  Step on_stls(std::string_view arguments, Output& output);
  Step on_utf8(std::string_view arguments, Output& output);
  Step on_response_line(std::string_view line, Output& output);
  Step continue_exchange(Output& output);
  void run_login();
  Step login_finished(Output& output);
  Step login_failed(Output& output, Code code, Text text);
  Step login_rejected(Output& output);
  sasl::LoginFacts login_facts() const;
  std::chrono::seconds login_time_left() const;
  bool may_send_password() const { return tls_ || context_.allow_plaintext_auth; }

  // session_transaction.cc
  Step on_stat(std::string_view arguments, Output& output);
  Step on_list(std::string_view arguments, Output& output);
  Step on_uidl(std::string_view arguments, Output& output);
  Step on_retr(std::string_view arguments, Output& output);
  Step on_top(std::string_view arguments, Output& output);
  Step on_dele(std::string_view arguments, Output& output);
  Step on_rset(std::string_view arguments, Output& output);
  Step on_noop(std::string_view arguments, Output& output);
  Step list_one(std::string_view argument, ListingKind kind, Output& output);
  Step start_listing(ListingKind kind);
  void append_listing_line(std::uint32_t number, const Maildrop::Entry& entry, Output& output) const;
  void write_listing(Output& output);
  Step update_finished(Output& output);

  // both states (server_session.cc)
  Step on_capa(std::string_view arguments, Output& output);
  Step on_lang(std::string_view arguments, Output& output);
  Step on_quit(std::string_view arguments, Output& output);

  ServerContext& context_;
  const session::Waker waker_;
  session::OpenSessions::Ticket ticket_;  // once somebody has signed in
  const std::string remote_address_;
  const Timestamp opened_at_;
  std::unique_ptr<session::TlsFacts> tls_;  // null: no TLS
  Language language_ = Language::kEnglish;
  HeaderMode header_mode_ = HeaderMode::kAscii;
  Work work_ = Work::kNone;
  bool is_skipping_line_ = false;  // the rest of a line that was too long
  bool is_in_answer_ = false;      // a multi-line answer has begun and not ended
  std::uint32_t errors_ = 0, login_failures_ = 0, commands_before_login_ = 0, retrieved_ = 0, deleted_ = 0;

  // AUTHORIZATION
  std::string user_;  // of USER, until PASS
  std::unique_ptr<sasl::LoginExchange> exchange_;
  bool is_sasl_ = false;                        // exchange_ was begun by AUTH: lines are responses
  ErrorKind open_error_ = ErrorKind::kInvalid;  // why the maildrop could not be opened

  // TRANSACTION
  std::unique_ptr<Maildrop> maildrop_;  // null: AUTHORIZATION
  std::unique_ptr<Retrieval> retrieval_;
  RetrievalState retrieval_state_ = RetrievalState::kDone;
  ListingKind listing_kind_ = ListingKind::kSizes;
  std::uint32_t listing_next_ = 0;
  Result<> update_result_;
  std::string login_;
};

}  // namespace posthus::pop3
