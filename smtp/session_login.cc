// AUTH on submission. RFC 4954, RFC 6409 §4.3. Thread rule: core/session/session.h.
#include <utility>

#include "core/base/base64.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "smtp/session_state.h"

namespace posthus::smtp {

sasl::LoginFacts ServerSession::login_facts() const {
  sasl::LoginFacts facts;
  facts.protocol = "smtp";
  facts.remote_address = remote_address_;
  facts.is_tls = is_tls();
  if (tls_) {
    facts.tls_exporter = tls_->tls_exporter;
    facts.tls_unique = tls_->tls_unique;
    facts.tls_server_end_point = tls_->tls_server_end_point;
  }
  return facts;
}

// AUTH mechanism [initial-response]
session::Step ServerSession::on_auth(std::string_view argument, Output& output) {
  if (role_ != ListenerRole::kSubmission || !is_extended_) return refuse(reply::kNotImplemented, output);
  if (!is_tls()) return refuse(reply::kLoginNeedsTls, output);
  if (is_logged_in()) return refuse(reply::kLoggedInAlready, output);
  const auto command = parse_auth(argument);
  if (!command) return refuse(command.error(), output);
  std::optional<std::string> initial;
  if (command->initial_response) {
    initial = base64_decode(*command->initial_response);
    if (!initial) return refuse(reply::kBadBase64, output);
  }
  std::optional<std::string_view> response;
  if (initial) response = *initial;
  exchange_ = context_.authenticator.begin(command->mechanism, response, login_facts());
  if (initial) wipe(*initial);
  if (!exchange_) return refuse(reply::kUnknownMechanism, output);
  return continue_login(output);
}

session::Step ServerSession::on_login_response(std::string_view line, Output& output) {
  auto decoded = base64_decode(line);
  if (line == "*" || !decoded) {
    exchange_->abort();  // logged and counted like every login that fails
    exchange_.reset();
    return refuse(line == "*" ? reply::kLoginCancelled : reply::kBadBase64, output);
  }
  exchange_->respond(*decoded);
  wipe(*decoded);
  return continue_login(output);
}

session::Step ServerSession::continue_login(Output& output) {
  switch (exchange_->state()) {
    case sasl::LoginExchange::State::kChallenge:
      output.append("334 ").append(base64_encode(exchange_->challenge())).append("\r\n");
      begin_reading(Reading::kLoginResponse);
      return Step::kRead;
    case sasl::LoginExchange::State::kVerify: awaiting_ = Awaiting::kVerify; return Step::kRun;
    case sasl::LoginExchange::State::kDone: break;
  }
  return login_done(output);
}

session::Step ServerSession::login_done(Output& output) {
  const auto exchange = std::move(exchange_);
  Reply refusal = reply::kLoginRejected;
  switch (exchange->verdict()) {
    case sasl::LoginVerdict::kAccepted:
      account_ = exchange->account();
      login_ = exchange->login();
      if (context_.open_sessions) ticket_ = context_.open_sessions->add(account_.value, waker_);
      return answer(reply::kLoggedIn, output);
    case sasl::LoginVerdict::kRejected: break;
    case sasl::LoginVerdict::kDisabled: refusal = reply::kLoginDisabled; break;
    case sasl::LoginVerdict::kThrottled: refusal = reply::kLoginThrottled; break;
    case sasl::LoginVerdict::kAborted: refusal = reply::kLoginCancelled; break;
    case sasl::LoginVerdict::kUnavailable: return refuse(reply::kLoginUnavailable, output);
  }
  const Step step = refuse(refusal, output);
  if (step == Step::kClose || ++login_failures_ < kMaxLoginFailures) return step;
  return refuse_and_close(reply::kTooManyErrors, output);
}

}  // namespace posthus::smtp
