// EHLO, HELO and STARTTLS. RFC 5321 §4.1.1.1, RFC 3207, RFC 9422, RFC 8689 §2. Thread rule: core/session/session.h.
#include <string>

#include "smtp/session_state.h"

namespace posthus::smtp {

session::Step ServerSession::tls_started(const session::TlsFacts& facts, Output&) {
  // RFC 3207 §4.2: nothing learned before is kept, not even the greeting.
  reset_transaction();
  exchange_.reset();
  helo_.clear();
  login_.clear();
  account_ = AccountId{};
  ticket_ = {};
  stage_ = stage::kFresh;
  is_extended_ = false;
  scanned_ = 0;
  tls_ = std::make_unique<session::TlsFacts>(facts);
  if (role_ == ListenerRole::kMx) {
    // Nobody logs in here, so channel bindings would only cost memory.
    tls_->tls_exporter = {};
    tls_->tls_unique = {};
    tls_->tls_server_end_point = {};
  }
  begin_reading(Reading::kCommand);
  return Step::kRead;
}

bool ServerSession::take_hello(std::string_view argument) {
  const auto name = parse_hello(argument);
  if (!name) return false;
  helo_.assign(*name);
  stage_ = stage::kReady;
  reset_transaction();
  return true;
}

// helo = "HELO" SP Domain CRLF
session::Step ServerSession::on_helo(std::string_view argument, Output& output) {
  if (!take_hello(argument)) return refuse(reply::kBadHello, output);
  is_extended_ = false;
  output.append("250 ").append(context_.hostname).append("\r\n");
  return count_idle(output);
}

// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
session::Step ServerSession::on_ehlo(std::string_view argument, Output& output) {
  if (!take_hello(argument)) return refuse(reply::kBadHello, output);
  is_extended_ = true;
  MultiLineReply answer(output, 250);
  answer.line(context_.hostname);
  answer.line("PIPELINING");
  answer.line("SIZE", context_.limits.max_message_bytes);
  answer.line("8BITMIME");
  answer.line("SMTPUTF8");
  answer.line("CHUNKING");
  answer.line("BINARYMIME");
  answer.line("ENHANCEDSTATUSCODES");
  if (context_.offers_dsn) answer.line("DSN");
  answer.line("LIMITS RCPTMAX=" + std::to_string(context_.limits.max_recipients) +
              " MAILMAX=" + std::to_string(context_.limits.max_transactions));
  if (context_.offers_tls && !is_tls()) answer.line("STARTTLS");
  if (is_tls()) answer.line("REQUIRETLS");
  if (role_ == ListenerRole::kSubmission && is_tls()) {
    std::string mechanisms = "AUTH";
    for (const std::string_view name : context_.authenticator.mechanisms(login_facts())) {
      mechanisms.append(" ").append(name);
    }
    if (mechanisms.size() > 4) answer.line(mechanisms);
  }
  answer.finish();
  return count_idle(output);
}

session::Step ServerSession::on_starttls(std::string_view argument, Output& output) {
  if (is_tls()) return refuse(reply::kTlsAlready, output);
  if (!context_.offers_tls) return refuse(reply::kNotImplemented, output);
  if (!argument.empty()) return refuse(reply::kNoArgument, output);
  append_reply(output, reply::kReadyForTls);
  return Step::kStartTls;
}

// RFC 3848 and RFC 6531 §4.3: the keyword after "with" in Received.
std::string_view ServerSession::transmission_type() const {
  if (!is_extended_) return "SMTP";
  const bool is_utf8 = envelope_ && envelope_->parameters.is_utf8;
  if (is_tls() && is_logged_in()) return is_utf8 ? "UTF8SMTPSA" : "ESMTPSA";
  if (is_tls()) return is_utf8 ? "UTF8SMTPS" : "ESMTPS";
  return is_utf8 ? "UTF8SMTP" : "ESMTP";
}

}  // namespace posthus::smtp
