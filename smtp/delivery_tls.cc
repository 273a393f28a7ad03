// What TLS must be at a hop, and how the connection is made. RFC 7435, RFC 7672, RFC 8461, RFC 8689 §4.2.1.
// Thread rule: delivery.h.
#include <utility>

#include "smtp/delivery.h"
#include "smtp/hop_policy.h"

namespace posthus::smtp {
namespace {

std::optional<TlsResult> result_of(const ConnectionResult& connection, const TlsPolicy& policy) {
  if (connection.tls) {
    if (policy.is_testing && !policy.is_host_listed) return TlsResult::kValidationFailure;
    const bool is_worth_a_word = policy.is_testing && !connection.tls->peer_error.empty();
    return is_worth_a_word ? tls_result_of(connection.tls->peer_error) : TlsResult::kSuccess;
  }
  // STARTTLS that is not offered, or refused by a reply: no handshake was begun that could fail.
  const bool was_begun = connection.failure.code == 0 && connection.failure.enhanced.empty();
  if (connection.is_tls_failure && was_begun) return tls_result_of(connection.failure.text);
  if (connection.was_ready || connection.stage == "STARTTLS") return TlsResult::kStartTlsNotSupported;
  return std::nullopt;  // it ended before TLS could be spoken of
}

}  // namespace

void Visit::approach() {
  if (desk_.is_stopping()) return end(VisitResult::Kind::kNothingDue);
  const Hop& hop = plan_.hops[hop_];
  std::optional<TlsQuestion> question = tls_question(hop, domain_, plan_.canonical_domain);
  if (!question || !context_.tls_policies) {
    tls_use_ = hop.tls;
    policy_ = own_policy(hop);
    return dial();
  }
  context_.tls_policies->policy_for(*std::move(question), [this](TlsPolicy policy) { policy_known(std::move(policy)); });
}

void Visit::policy_known(TlsPolicy policy) {
  policy_ = std::move(policy);
  tls_use_ = tls_use_of(policy_);
  if (desk_.is_stopping()) return end(VisitResult::Kind::kNothingDue);
  if (policy_.may_connect) return dial();
  last_failure_ = {.reply = {.code = 0, .enhanced = "4.7.5", .text = policy_.reason}, .stage = "STARTTLS"};
  advance(Advance::kNextAddress) ? approach() : give_up();
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
