// What TLS must be at a hop, and how the connection is made. RFC 7435, RFC 7672, RFC 8461, RFC 8689 §4.2.1.
// Thread rule: delivery.h.
#include <utility>

#include "smtp/delivery.h"

namespace posthus::smtp {
namespace {

using session::DialTls;
using session::PeerVerification;

bool is_checked(TlsUse use) { return use == TlsUse::kRequired || use == TlsUse::kImplicit; }

TlsUse use_of(mailauth::TlsRequirement requirement) {
  return requirement == mailauth::TlsRequirement::kOpportunistic ? TlsUse::kOpportunistic : TlsUse::kRequired;
}

// What the admin or nobody demands: the certificate is looked at, and must hold when TLS is required.
TlsPolicy own_policy(const Hop& hop) {
  TlsPolicy policy;
  policy.verification.names = {hop.host};
  if (is_checked(hop.tls)) policy.verification.kind = PeerVerification::Kind::kPkix;
  if (!parse_ip_address(hop.host)) policy.server_name = hop.host;
  return policy;
}

std::optional<TlsResult> result_of(const ConnectionResult& connection, const TlsPolicy& policy) {
  if (connection.tls) {
    if (policy.is_testing && !policy.is_host_listed) return TlsResult::kValidationFailure;
    const bool is_worth_a_word = policy.is_testing && !connection.tls->peer_error.empty();
    return is_worth_a_word ? tls_result_of(connection.tls->peer_error) : TlsResult::kSuccess;
  }
  if (connection.is_tls_failure) return tls_result_of(connection.failure.text);
  if (connection.was_ready || connection.stage == "STARTTLS") return TlsResult::kStartTlsNotSupported;
  return std::nullopt;  // it ended before TLS could be spoken of
}

}  // namespace

void Visit::approach() {
  if (desk_.is_stopping()) return end(VisitResult::Kind::kNothingDue);
  const Hop& hop = plan_.hops[hop_];
  const bool is_settled_by_admin = hop.tls != TlsUse::kOpportunistic;
  if (is_settled_by_admin || !context_.tls_policies || parse_ip_address(hop.host)) {
    tls_use_ = hop.tls;
    policy_ = own_policy(hop);
    return dial();
  }
  TlsQuestion question;
  question.domain = hop.is_from_route ? hop.host : domain_;
  question.host = hop.host;
  question.port = hop.port;
  question.is_from_mx = hop.is_from_mx;
  question.is_mx_secure = hop.is_from_route || hop.is_exchanger_secure;
  question.canonical_domain = hop.is_from_route ? std::string() : plan_.canonical_domain;
  context_.tls_policies->policy_for(std::move(question), [this](TlsPolicy policy) { policy_known(std::move(policy)); });
}

void Visit::policy_known(TlsPolicy policy) {
  policy_ = std::move(policy);
  tls_use_ = use_of(policy_.requirement);
  if (desk_.is_stopping()) return end(VisitResult::Kind::kNothingDue);
  if (policy_.may_connect) return dial();
  last_failure_ = {.reply = {.code = 0, .enhanced = "4.7.5", .text = policy_.reason}, .stage = "STARTTLS"};
  advance(Advance::kNextAddress) ? approach() : give_up();
}

session::DialOptions Visit::dial_options() const {
  const Hop& hop = plan_.hops[hop_];
  session::DialOptions options;
  options.address = to_string(hop.address);
  options.port = hop.port;
  options.bind_address = source_address(outgoing_.bind_addresses, hop.address);
  options.connect_deadline = outgoing_.connect_deadline;
  options.server_name = policy_.server_name;
  options.verification = policy_.verification;
  if (tls_use_ == TlsUse::kImplicit) options.tls = DialTls::kImplicit;
  if (tls_use_ == TlsUse::kNever || is_without_tls_) options.tls = DialTls::kNone;
  return options;
}

ClientOptions Visit::client_options() const {
  const Hop& hop = plan_.hops[hop_];
  ClientOptions options;
  options.hostname = context_.hostname;
  options.tls = is_without_tls_ ? TlsUse::kNever : tls_use_;
  options.login = hop.login;
  options.password = hop.password;
  options.may_login_without_tls = hop.is_from_route && is_loopback(hop.address);
  return options;
}

void Visit::tell_policies() {
  const Hop& hop = plan_.hops[hop_];
  // What was tried without TLS after a failed handshake is told already.
  if (!context_.tls_policies || hop.tls != TlsUse::kOpportunistic || is_without_tls_ || !connection_) return;
  const std::optional<TlsResult> result = result_of(*connection_, policy_);
  if (!result) return;
  TlsOutcome outcome;
  outcome.domain = hop.is_from_route ? hop.host : domain_;
  outcome.host = hop.host;
  outcome.result = *result;
  outcome.sending_address = source_address(outgoing_.bind_addresses, hop.address);
  outcome.receiving_address = to_string(hop.address);
  outcome.greeting_name = connection_->greeting_name;
  outcome.reason = connection_->tls ? connection_->tls->peer_error : connection_->failure.text;
  context_.tls_policies->connected(policy_, std::move(outcome));
}

}  // namespace posthus::smtp
