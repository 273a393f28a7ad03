// The AUTHORIZATION state: USER and PASS (RFC 1939 §7), AUTH (RFC 5034), STLS (RFC 2595), UTF8 (RFC 6856), and opening
// the maildrop.
#include "core/base/base64.h"
#include "core/base/log.h"
#include "core/sasl/saslprep.h"
#include "pop3/server_session_state.h"

namespace posthus::pop3 {

using session::Step;

sasl::LoginFacts ServerSession::login_facts() const {
  sasl::LoginFacts facts;
  facts.protocol = "pop3";
  facts.remote_address = remote_address_;
  facts.is_tls = tls_ != nullptr;
  if (tls_) {
    facts.tls_exporter = tls_->tls_exporter;
    facts.tls_unique = tls_->tls_unique;
    facts.tls_server_end_point = tls_->tls_server_end_point;
  }
  return facts;
}

std::chrono::seconds ServerSession::login_time_left() const {
  return kLoginPatience - std::chrono::seconds(context_.clock.now().seconds() - opened_at_.seconds());
}

// RFC 3206 §5: never tells whether the user exists.
Step ServerSession::on_user(std::string_view arguments, Output& output) {
  const std::string_view name = next_parameter(arguments);
  if (name.empty() || !arguments.empty()) return refuse(output, Text::kBadArguments);
  user_ = name;
  append_ok(output, Text::kSendPassword, language_);
  return Step::kRead;
}

// RFC 1939 §7: PASS has a single argument, "a server/POP client may treat spaces in the argument as part of the password".
Step ServerSession::on_pass(std::string_view arguments, Output& output) {
  if (user_.empty()) return refuse(output, Text::kSendUserFirst);
  const std::string user = std::exchange(user_, {});
  // RFC 6856 §2.2: what is not UTF-8 or prohibited by SASLprep is refused, whoever it is for.
  if (arguments.empty() || !sasl::saslprep(arguments)) return login_failed(output, Code::kAuth, Text::kWrongLogin);
  exchange_ = context_.authenticator.begin_password(user, Secret(std::string(arguments)), login_facts());
  return continue_exchange(output);
}

// AUTH mechanism [initial-response]
Step ServerSession::on_auth(std::string_view arguments, Output& output) {
  const std::string_view mechanism = next_parameter(arguments);
  const std::string_view initial = next_parameter(arguments);
  if (mechanism.empty() || !arguments.empty()) return refuse(output, Text::kBadArguments);
  user_.clear();
  std::optional<std::string> decoded;
  if (initial == "=") {
    decoded.emplace();
  } else if (!initial.empty()) {
    decoded = base64_decode(initial);
    if (!decoded) return refuse_error(output, Text::kNotBase64);
  }
  exchange_ = context_.authenticator.begin(mechanism, decoded, login_facts());
  if (!exchange_) return refuse_error(output, Text::kUnknownMechanism);
  is_sasl_ = true;
  return continue_exchange(output);
}

Step ServerSession::on_response_line(std::string_view line, Output& output) {
  if (line == "*") {
    exchange_->abort();
    return continue_exchange(output);
  }
  const auto decoded = base64_decode(line);
  if (!decoded) {
    is_sasl_ = false;
    exchange_->abort();  // logged and counted like every login that fails
    exchange_.reset();
    return refuse_error(output, Text::kNotBase64);
  }
  exchange_->respond(*decoded);
  return continue_exchange(output);
}

Step ServerSession::continue_exchange(Output& output) {
  using State = sasl::LoginExchange::State;
  if (exchange_->state() == State::kChallenge) {
    output.append("+ ").append(base64_encode(exchange_->challenge())).append("\r\n");
    return Step::kRead;
  }
  is_sasl_ = false;
  const bool is_refused = exchange_->state() == State::kDone && exchange_->verdict() != sasl::LoginVerdict::kAccepted;
  return is_refused ? login_rejected(output) : start(Work::kLogin);
}

/// On a worker: the password's evaluation and the listing both take their time.
void ServerSession::run_login() {
  if (exchange_->state() == sasl::LoginExchange::State::kVerify) exchange_->verify();
  if (exchange_->verdict() != sasl::LoginVerdict::kAccepted) return;
  const AccountId account = exchange_->account();
  if (context_.open_sessions) ticket_ = context_.open_sessions->add(account.value, waker_);
  open_error_ = ErrorKind::kUnavailable;
  auto lock = context_.locks.try_lock(account);
  if (!lock) {
    open_error_ = ErrorKind::kBusy;
    return;
  }
  if (!context_.locks.note_login(account, context_.clock.now(), context_.login_delay)) {
    open_error_ = ErrorKind::kTimeout;
    return;
  }
  const auto snapshot = context_.store.snapshot();
  if (!snapshot) return;
  auto maildrop = Maildrop::open(**snapshot, account, *std::move(lock));
  if (maildrop) {
    maildrop_ = *std::move(maildrop);
    return;
  }
  log::error("pop3.open", {{"error", to_string(maildrop.error().kind)}, {"context", maildrop.error().context}});
}

Step ServerSession::login_finished(Output& output) {
  if (exchange_->verdict() != sasl::LoginVerdict::kAccepted) return login_rejected(output);
  login_ = exchange_->login();
  exchange_.reset();
  if (maildrop_) {
    append_ok(output, Text::kMaildropHas, language_, maildrop_->count(), maildrop_->octets());
    return Step::kRead;
  }
  if (open_error_ == ErrorKind::kBusy) return refuse(output, Text::kMaildropInUse, Code::kInUse);
  if (open_error_ == ErrorKind::kTimeout) return refuse(output, Text::kLoginTooSoon, Code::kLoginDelay);
  return refuse(output, Text::kTemporaryFailure, Code::kSysTemp);
}

Step ServerSession::login_rejected(Output& output) {
  const sasl::LoginVerdict verdict = exchange_->verdict();
  exchange_.reset();
  switch (verdict) {
    case sasl::LoginVerdict::kAborted: return refuse_error(output, Text::kAborted);
    case sasl::LoginVerdict::kDisabled: return login_failed(output, Code::kAuth, Text::kAccountDisabled);
    // WHY: nobody has looked at the credentials, so [AUTH] would be a lie that makes clients ask for a new password.
    case sasl::LoginVerdict::kThrottled: return login_failed(output, Code::kSysTemp, Text::kTooManyFailures);
    case sasl::LoginVerdict::kUnavailable: return refuse(output, Text::kTemporaryFailure, Code::kSysTemp);
    default: return login_failed(output, Code::kAuth, Text::kWrongLogin);
  }
}

Step ServerSession::login_failed(Output& output, Code code, Text text) {
  append_error(output, code, text, language_);
  return ++login_failures_ < kMaxLoginFailures ? Step::kRead : Step::kClose;
}

Step ServerSession::on_stls(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  if (tls_) return refuse(output, Text::kTlsActive);
  if (!context_.offers_tls) return refuse(output, Text::kTlsNotOffered);
  append_ok(output, Text::kBeginTls, language_);
  return Step::kStartTls;
}

Step ServerSession::on_utf8(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  header_mode_ = HeaderMode::kUtf8;
  append_ok(output, Text::kUtf8On, language_);
  return Step::kRead;
}

}  // namespace posthus::pop3
