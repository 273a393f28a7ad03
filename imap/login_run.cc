// LoginRun. See login_run.h.
#include "imap/login_run.h"

#include "core/base/base64.h"
#include "imap/limits.h"

namespace posthus::imap {

Progress LoginRun::run(SessionState& state, session::Output& out) {
  if (!exchange_) {
    const Progress progress = begin(state);
    if (!exchange_) return progress;
  } else if (exchange_->state() == sasl::LoginExchange::State::kVerify) {
    exchange_->verify();
  }
  return go_on(state, out);
}

Progress LoginRun::go_on(SessionState& state, session::Output& out) {
  switch (exchange_->state()) {
    case sasl::LoginExchange::State::kChallenge:
      out.append("+ ").append(base64_encode(exchange_->challenge())).append("\r\n");
      return Progress::kLine;
    case sasl::LoginExchange::State::kVerify: cost_ = session::RunCost::kBlocking; return Progress::kMore;
    case sasl::LoginExchange::State::kDone: break;
  }
  return verdict(state, out);
}

Progress LoginRun::on_line(SessionState& state, std::string_view line, session::Output& out) {
  // QUIRK(various): "=" for an empty response, as in an initial response.
  const auto decoded = line == "=" ? std::string() : base64_decode(line);
  if (line == "*" || !decoded) {
    exchange_->abort();  // logged and counted like every login that fails
    return done(line == "*" ? "BAD Authentication cancelled" : "BAD Response is not base64");
  }
  exchange_->respond(*decoded);
  return go_on(state, out);
}

Progress LoginRun::verdict(SessionState& state, session::Output& out) {
  if (exchange_->verdict() == sasl::LoginVerdict::kAccepted) {
    state.account = exchange_->account();
    state.login = exchange_->login();
    if (state.context.open_sessions) state.ticket = state.context.open_sessions->add(state.account.value, state.waker);
    state.tls.reset();
    return done("OK [" + capabilities(state) + "] Logged in");
  }
  switch (exchange_->verdict()) {
    case sasl::LoginVerdict::kUnavailable: return done("NO [UNAVAILABLE] Temporary failure, try again later");
    case sasl::LoginVerdict::kDisabled: tagged = "NO [CONTACTADMIN] The account is disabled"; break;
    case sasl::LoginVerdict::kThrottled: tagged = "NO [UNAVAILABLE] Too many failed logins, try again later"; break;
    case sasl::LoginVerdict::kAborted: tagged = "BAD Authentication cancelled"; break;
    default: tagged = "NO [AUTHENTICATIONFAILED] Authentication failed"; break;
  }
  if (++state.login_failures < kMaxLoginFailures) return Progress::kDone;
  out.append("* BYE Too many failed logins\r\n");
  return Progress::kClose;
}

}  // namespace posthus::imap
