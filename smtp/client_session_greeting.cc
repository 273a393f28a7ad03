// From the greeting to the first message: EHLO or HELO, STARTTLS, AUTH. RFC 5321 §3.1, §3.2, §4.1.4; RFC 3207; RFC 4954;
// RFC 4616 (PLAIN). Thread rule: core/session/session.h.
#include <utility>

#include "core/base/base64.h"
#include "smtp/client_session_state.h"
#include "smtp/tls_policy_source.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kMaxCommandLine = 512;   // RFC 5321 §4.5.3.1.4
constexpr std::size_t kMaxGreetingName = 255;  // RFC 5321 §4.5.3.1.2

std::string first_word(std::string_view lines) {
  const std::string_view line = lines.substr(0, lines.find('\n'));
  return std::string(line.substr(0, std::min(line.find(' '), kMaxGreetingName)));
}

}  // namespace

session::Step ClientSession::on_greeting(const HostReply& reply, Output& output) {
  connection_.greeting_name = first_word(reply.lines);
  // RFC 5321 §3.1: 554 instead of 220 means that there is no mail service here.
  if (!reply.is_success()) return refuse_host(to_remote_reply(reply), "greeting", output);
  return say_ehlo(output);
}

session::Step ClientSession::say_ehlo(Output& output) {
  output.append("EHLO ").append(options_.hostname).append("\r\n");
  return await_reply(Phase::kEhlo);
}

session::Step ClientSession::on_ehlo(const HostReply& reply, Output& output) {
  if (reply.is_success()) {
    is_extended_ = true;
    peer_ = parse_ehlo_answer(reply.lines);
    return features_known(output);
  }
  // RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO. 554 and 521 (RFC 7504) say something else.
  if (!reply.is_refusal() || reply.code == 554 || reply.code == 521) return refuse_host(to_remote_reply(reply), "EHLO", output);
  output.append("HELO ").append(options_.hostname).append("\r\n");
  return await_reply(Phase::kHelo);
}

session::Step ClientSession::on_helo(const HostReply& reply, Output& output) {
  if (!reply.is_success()) return refuse_host(to_remote_reply(reply), "EHLO", output);
  is_extended_ = false;
  peer_ = PeerFeatures{};
  return features_known(output);
}

session::Step ClientSession::features_known(Output& output) {
  const bool wants_tls = options_.tls == TlsUse::kOpportunistic || options_.tls == TlsUse::kRequired;
  if (connection_.tls && options_.needs_requiretls && !peer_.requiretls) {
    connection_.is_lasting = true;
    return refuse_host({.code = 0, .enhanced = "5.7.30", .text = "The host does not offer REQUIRETLS."}, "EHLO", output);
  }
  if (connection_.tls || !wants_tls) return log_in(output);
  if (peer_.starttls) {
    output.append("STARTTLS\r\n");
    return await_reply(Phase::kStartTls);
  }
  if (options_.tls == TlsUse::kOpportunistic) return log_in(output);
  connection_.is_tls_failure = connection_.is_lasting = true;
  return refuse_host({.code = 0, .enhanced = "4.7.10", .text = "The host does not offer STARTTLS."}, "STARTTLS", output);
}

session::Step ClientSession::on_starttls(const HostReply& reply, Output& output) {
  if (reply.is_success()) {
    phase_ = Phase::kHandshake;
    return Step::kStartTls;
  }
  if (options_.tls == TlsUse::kOpportunistic) return log_in(output);
  connection_.is_tls_failure = true;
  connection_.is_lasting = reply.is_refusal();
  return refuse_host(to_remote_reply(reply), "STARTTLS", output);
}

session::Step ClientSession::tls_started(const session::TlsFacts& facts, Output& output) {
  connection_.tls = facts;
  if (phase_ == Phase::kConnected) return Step::kRead;
  // RFC 3207 §4.2: what was said before TLS counts for nothing.
  parser_ = ReplyParser();
  peer_ = PeerFeatures{};
  return say_ehlo(output);
}

void ClientSession::tls_failed(std::string_view reason) {
  phase_ = Phase::kHandshake;
  connection_.is_tls_failure = true;
  // A certificate that is wrong stays wrong for a while; what broke off may go well the next time.
  connection_.is_lasting = tls_result_of(reason) != TlsResult::kValidationFailure;
  give_up("TLS: " + washed(reason));
}

// RFC 4954 §4. The password goes out inside TLS only, unless the connection stays on this machine.
session::Step ClientSession::log_in(Output& output) {
  if (options_.login.empty()) return ready(output);
  const auto refuse = [&](std::string_view why) {
    return refuse_host({.code = 0, .enhanced = "4.7.0", .text = std::string(why)}, "AUTH", output);
  };
  if (!connection_.tls && !options_.may_login_without_tls) return refuse("A login needs TLS, which the host does not offer.");
  if (peer_.auth_plain) {
    const std::string message = '\0' + options_.login + '\0' + options_.password;
    const std::string command = "AUTH PLAIN " + base64_encode(message) + "\r\n";
    const bool is_short = command.size() <= kMaxCommandLine;
    output.append(is_short ? command : "AUTH PLAIN\r\n");
    return await_reply(is_short ? Phase::kAuthPassword : Phase::kAuthPlain);
  }
  if (!peer_.auth_login) return refuse("The host offers neither AUTH PLAIN nor LOGIN.");
  output.append("AUTH LOGIN\r\n");
  return await_reply(Phase::kAuthLogin);
}

session::Step ClientSession::on_login(const HostReply& reply, Output& output) {
  if (reply.is_success()) return ready(output);
  if (reply.code != 334 || phase_ == Phase::kAuthPassword) return refuse_host(to_remote_reply(reply), "AUTH", output);
  if (phase_ == Phase::kAuthPlain) {
    output.append(base64_encode('\0' + options_.login + '\0' + options_.password));
  } else {
    output.append(base64_encode(phase_ == Phase::kAuthLogin ? options_.login : options_.password));
  }
  output.append("\r\n");
  return await_reply(phase_ == Phase::kAuthLogin ? Phase::kAuthName : Phase::kAuthPassword);
}

session::Step ClientSession::refuse_host(RemoteReply why, std::string_view stage, Output& output) {
  output.append("QUIT\r\n");
  connection_.stage = stage;
  connection_.failure = std::move(why);
  end();
  return Step::kClose;
}

session::Step ClientSession::ready(Output&) {
  connection_.was_ready = true;
  source_.ready(connection_);
  phase_ = Phase::kTaking;
  return Step::kRun;
}

}  // namespace posthus::smtp
