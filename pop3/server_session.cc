// The table of verbs, the steps, and the commands of both states.
#include "pop3/server_session.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "pop3/server_session_state.h"

namespace posthus::pop3 {
namespace {

// A response of AUTH: as much as the mechanisms take (4096 bytes), in base64, with CRLF.
constexpr std::size_t kMaxResponseLine = 4096 / 3 * 4 + 8;
// Answers are gathered up to here before the driver gets to flush them.
constexpr std::size_t kFlushAt = 64 * 1024;
// RFC 2449 §6.7: before login, the smallest value any user might have.
constexpr std::string_view kExpireBeforeLogin = "EXPIRE 1 USER\r\n";

}  // namespace

const std::array<ServerSession::Rule, 16> ServerSession::kRules = {{
    {"CAPA", kBoth, Needs::kNothing, &ServerSession::on_capa},
    {"USER", kAuthorization, Needs::kTls, &ServerSession::on_user},
    {"PASS", kAuthorization, Needs::kTls, &ServerSession::on_pass},
    {"AUTH", kAuthorization, Needs::kTls, &ServerSession::on_auth},
    {"STLS", kAuthorization, Needs::kNothing, &ServerSession::on_stls},
    {"UTF8", kAuthorization, Needs::kNothing, &ServerSession::on_utf8},
    {"LANG", kBoth, Needs::kNothing, &ServerSession::on_lang},
    {"STAT", kTransaction, Needs::kNothing, &ServerSession::on_stat},
    {"LIST", kTransaction, Needs::kNothing, &ServerSession::on_list},
    {"UIDL", kTransaction, Needs::kNothing, &ServerSession::on_uidl},
    {"RETR", kTransaction, Needs::kNothing, &ServerSession::on_retr},
    {"TOP", kTransaction, Needs::kNothing, &ServerSession::on_top},
    {"DELE", kTransaction, Needs::kNothing, &ServerSession::on_dele},
    {"RSET", kTransaction, Needs::kNothing, &ServerSession::on_rset},
    {"NOOP", kTransaction, Needs::kNothing, &ServerSession::on_noop},
    {"QUIT", kBoth, Needs::kNothing, &ServerSession::on_quit},
}};

ServerSession::ServerSession(ServerContext& context, const session::ConnectionFacts& facts, session::Waker waker)
    : context_(context), waker_(std::move(waker)), remote_address_(facts.remote_address), opened_at_(context.clock.now()) {}

ServerSession::~ServerSession() { close_maildrop(); }

void ServerSession::close_maildrop() {
  if (!maildrop_) return;
  log::info("pop3.closed", {{"user", login_},
                            {"address", remote_address_},
                            {"messages", maildrop_->size()},
                            {"retrieved", retrieved_},
                            {"deleted", deleted_}});
  maildrop_.reset();
}

// greeting = "+OK" [resp-code] *gchar [timestamp] *gchar CRLF
ServerSession::Step ServerSession::opened(Output& output) {
  output.append("+OK ").append(context_.hostname).append(" Posthus ").append(text_of(Text::kReady, language_)).append("\r\n");
  return Step::kRead;
}

ServerSession::Step ServerSession::tls_started(const session::TlsFacts& facts, Output&) {
  // RFC 2595 §4: knowledge from before TLS is discarded.
  tls_ = std::make_unique<session::TlsFacts>(facts);
  user_.clear();
  language_ = Language::kEnglish;
  header_mode_ = HeaderMode::kAscii;
  errors_ = commands_before_login_ = 0;
  return Step::kRead;
}

ServerSession::Step ServerSession::received(session::Input& input, Output& output) {
  if (!maildrop_ && login_time_left().count() <= 0) return Step::kClose;
  while (!input.empty()) {
    if (is_skipping_line_) {
      const std::size_t end = input.bytes().find('\n');
      is_skipping_line_ = end == std::string_view::npos;
      input.consume(is_skipping_line_ ? input.size() : end + 1);
      continue;
    }
    const Line line = next_line(input.bytes(), is_sasl_ ? kMaxResponseLine : kMaxCommandLine);
    if (line.state == LineState::kIncomplete) break;
    if (retrieval_ && !retrieval_->has_room()) break;
    const Step step = line.state == LineState::kTooLong ? on_too_long(input, output) : on_line(input, line, output);
    if (step != Step::kRead || output.size() >= kFlushAt) return step;
  }
  // Pipelined RETRs and TOPs have been gathered: their answers are written in one go.
  return retrieval_ ? start(Work::kRetrieval) : Step::kRead;
}

ServerSession::Step ServerSession::on_too_long(session::Input& input, Output& output) {
  if (retrieval_) return start(Work::kRetrieval);
  const std::size_t end = input.bytes().find('\n');
  is_skipping_line_ = end == std::string_view::npos;
  input.consume(is_skipping_line_ ? input.size() : end + 1);
  is_sasl_ = false;
  if (exchange_) exchange_->abort();
  exchange_.reset();
  return refuse_error(output, Text::kLineTooLong);
}

ServerSession::Step ServerSession::on_line(session::Input& input, const Line& line, Output& output) {
  if (is_sasl_) {
    input.consume(line.length);
    return on_response_line(line.text, output);
  }
  const auto command = parse_command(line.text);
  const auto request = command ? retrieval_request(*command) : std::nullopt;
  if (request) {
    input.consume(line.length);
    if (!retrieval_) retrieval_ = std::make_unique<Retrieval>();
    retrieval_->add(*request, *maildrop_);
    count_command(command->keyword);
    return Step::kRead;
  }
  // Anything else is answered behind the messages asked for before it.
  if (retrieval_) return start(Work::kRetrieval);
  input.consume(line.length);
  if (!command) {
    count_command({});
    return refuse_error(output, Text::kUnknownCommand);
  }
  return dispatch(*command, output);
}

std::optional<RetrievalRequest> ServerSession::retrieval_request(const Command& command) const {
  const bool is_top = command.keyword == "TOP";
  if (!maildrop_ || (!is_top && command.keyword != "RETR")) return std::nullopt;
  std::string_view arguments = command.arguments;
  const auto number = message_number(next_parameter(arguments));
  if (!number || !maildrop_->find(*number)) return std::nullopt;
  RetrievalRequest request{*number};
  if (is_top) {
    const std::string_view lines = next_parameter(arguments);
    const auto count = lines == "0" ? 0u : message_number(lines);
    if (!count) return std::nullopt;
    request.lines = *count;
  }
  if (!arguments.empty()) return std::nullopt;
  return request;
}

void ServerSession::count_command(std::string_view keyword) {
  // One for each rule, and the last for whatever clients make up: names from the network never become labels.
  static const auto counters = [] {
    std::array<metrics::Counter*, kRules.size() + 1> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      const std::string verb(i < kRules.size() ? kRules[i].keyword : "unknown");
      made[i] = &metrics::counter("posthus_pop3_commands_total", "POP3 commands by keyword", "verb=\"" + verb + "\"");
    }
    return made;
  }();
  const auto rule = std::ranges::find(kRules, keyword, &Rule::keyword);
  counters[static_cast<std::size_t>(rule - kRules.begin())]->add();
}

ServerSession::Step ServerSession::dispatch(const Command& command, Output& output) {
  count_command(command.keyword);
  if (!maildrop_ && ++commands_before_login_ > kMaxCommandsBeforeLogin) {
    append_error(output, Code::kNone, Text::kTooManyErrors, language_);
    return Step::kClose;
  }
  const auto rule = std::ranges::find(kRules, std::string_view(command.keyword), &Rule::keyword);
  if (rule == kRules.end()) return refuse_error(output, Text::kUnknownCommand);
  if ((rule->states & (maildrop_ ? kTransaction : kAuthorization)) == 0) return refuse_error(output, Text::kNotInThisState);
  if (rule->needs == Needs::kTls && !may_send_password()) return refuse(output, Text::kTlsNeeded, Code::kAuth);
  return (this->*rule->handler)(command.arguments, output);
}

ServerSession::Step ServerSession::refuse(Output& output, Text text, Code code) {
  append_error(output, code, text, language_);
  return Step::kRead;
}

ServerSession::Step ServerSession::refuse_error(Output& output, Text text) {
  if (++errors_ < kMaxErrors) return refuse(output, text);
  append_error(output, Code::kNone, Text::kTooManyErrors, language_);
  return Step::kClose;
}

ServerSession::Step ServerSession::start(Work work) {
  work_ = work;
  return Step::kRun;
}

session::RunCost ServerSession::run_cost() const {
  const bool is_brief = work_ == Work::kListing || (work_ == Work::kRetrieval && retrieval_->is_brief());
  return is_brief ? session::RunCost::kBrief : session::RunCost::kBlocking;
}

void ServerSession::run(Output& output) {
  if (work_ == Work::kLogin) run_login();
  if (work_ == Work::kListing) write_listing(output);
  if (work_ != Work::kRetrieval) return;
  retrieval_state_ = retrieval_->write(context_.store, *maildrop_, header_mode_, language_, output);
  is_in_answer_ = retrieval_state_ == RetrievalState::kMore;
}

ServerSession::Step ServerSession::resumed(Output& output) {
  switch (std::exchange(work_, Work::kNone)) {
    case Work::kLogin: return login_finished(output);
    case Work::kUpdate: return update_finished(output);
    case Work::kListing: return listing_next_ == 0 ? Step::kRead : start(Work::kListing);
    case Work::kRetrieval: {
      if (retrieval_state_ == RetrievalState::kMore) return start(Work::kRetrieval);
      static metrics::Counter& count = metrics::counter("posthus_pop3_retrieved_total", "Messages sent by RETR");
      count.add(retrieval_->retrieved());
      retrieved_ += retrieval_->retrieved();
      retrieval_.reset();
      return retrieval_state_ == RetrievalState::kBroken ? Step::kClose : Step::kRead;
    }
    case Work::kNone: break;
  }
  return Step::kRead;
}

std::chrono::seconds ServerSession::deadline() const {
  return maildrop_ ? kAutologout : std::clamp(login_time_left(), std::chrono::seconds(0), kLoginTimeout);
}

// RFC 1939 §3: close "without removing any messages or sending any response".
void ServerSession::timed_out(Output&) { close_maildrop(); }

void ServerSession::shutting_down(Output& output) {
  if (!is_in_answer_) append_error(output, Code::kSysTemp, Text::kShuttingDown, language_);
}

ServerSession::Step ServerSession::on_capa(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  append_ok(output, Text::kCapabilities, language_);
  output.append("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\n");
  if (may_send_password()) output.append("USER\r\n");
  if (const auto mechanisms = context_.authenticator.mechanisms(login_facts()); !mechanisms.empty()) {
    output.append("SASL");
    for (const std::string_view name : mechanisms) output.append(" ").append(name);
    output.append("\r\n");
  }
  // RFC 2595 §7: announced in the AUTHORIZATION state only.
  if (context_.offers_tls && !tls_ && !maildrop_) output.append("STLS\r\n");
  output.append("LOGIN-DELAY ").append(std::to_string(context_.login_delay.count())).append("\r\n");
  if (!maildrop_)
    output.append(kExpireBeforeLogin);
  else if (maildrop_->retention_days() == 0)
    output.append("EXPIRE NEVER\r\n");
  else
    output.append("EXPIRE ").append(std::to_string(maildrop_->retention_days())).append("\r\n");
  output.append("IMPLEMENTATION Posthus\r\n.\r\n");
  return Step::kRead;
}

ServerSession::Step ServerSession::on_lang(std::string_view arguments, Output& output) {
  const std::string_view range = next_parameter(arguments);
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  if (range.empty()) {
    append_ok(output, Text::kLanguagesFollow, language_);
    for (std::size_t i = 0; i < kLanguages; ++i) {
      const auto language = static_cast<Language>(i);
      output.append(tag_of(language)).append(" ").append(name_of(language)).append("\r\n");
    }
    output.append(".\r\n");
    return Step::kRead;
  }
  const auto language = match_language(range);
  if (!language) return refuse(output, Text::kUnknownLanguage);
  language_ = *language;
  output.append("+OK ").append(tag_of(language_)).append(" ").append(text_of(Text::kLanguageChosen, language_)).append("\r\n");
  return Step::kRead;
}

// RFC 1939 §6: in the TRANSACTION state the deletions are done now, all or none.
ServerSession::Step ServerSession::on_quit(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  if (maildrop_ && maildrop_->deleted_count() > 0) {
    work_ = Work::kUpdate;
    return Step::kWait;
  }
  close_maildrop();
  append_ok(output, Text::kGoodbye, language_);
  return Step::kClose;
}

std::unique_ptr<session::Session> make_server_session(ServerContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker waker) {
  return std::make_unique<ServerSession>(context, facts, std::move(waker));
}

}  // namespace posthus::pop3
