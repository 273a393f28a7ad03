// What TLS must be at a hop, and how the connection is made. RFC 7435, RFC 7672, RFC 8461, RFC 8689 §4.2.1.
// Thread rule: delivery.h.
#include <utility>

#include "smtp/delivery.h"
#include "smtp/hop_policy.h"

namespace posthus::smtp {
namespace {

using session::PeerVerification;

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
  is_policy_told_ = false;
  std::optional<TlsQuestion> question = tls_question(hop, domain_, plan_.canonical_domain);
  // RFC 8689 §8.4: with "TLS-Required: No" we are as one who knows neither DANE nor MTA-STS.
  if (!question || !context_.tls_policies || demand_ == TlsDemand::kOptional) {
    tls_use_ = hop.tls;
    policy_ = own_policy(hop);
    return demand_proof();
  }
  context_.tls_policies->policy_for(*std::move(question), [this](TlsPolicy policy) { policy_known(std::move(policy)); });
}

void Visit::policy_known(TlsPolicy policy) {
  policy_ = std::move(policy);
  tls_use_ = tls_use_of(policy_);
  if (desk_.is_stopping()) return end(VisitResult::Kind::kNothingDue);
  is_policy_told_ = true;
  if (policy_.may_connect) return demand_proof();
  const Hope hope = policy_.kind == TlsPolicy::Kind::kMtaSts && !policy_.is_host_listed ? Hope::kNone : Hope::kLater;
  pass_over({.reply = {.code = 0, .enhanced = "4.7.5", .text = policy_.reason}, .stage = "STARTTLS"}, Advance::kNextAddress,
            hope);
}

// RFC 8689 §4.2.1, steps 2 and 4: before a message that requires TLS goes to a host, its name must be proven, and then its
// certificate. Mail without that demand goes as the policy says.
void Visit::demand_proof() {
  if (demand_ != TlsDemand::kProven) return dial();
  const Hop& hop = plan_.hops[hop_];
  if (hop.is_own_listener) {  // ourselves, by an address of ours: there is nobody to prove it to
    tls_use_ = TlsUse::kRequired;
    return dial();
  }
  const auto lacks = [&](std::string why, Hope hope) {
    pass_over({.reply = {.code = 0, .enhanced = "5.7.10", .text = std::move(why)}, .stage = "STARTTLS"}, Advance::kNextHost,
              hope);
  };
  if (tls_use_ == TlsUse::kNever) return lacks("The route to " + hop.host + " is one without TLS.", Hope::kNone);
  if (!is_name_proven()) {
    return lacks("Neither DNSSEC nor MTA-STS proves that " + hop.host + " is a mail exchanger of " + domain_ + ".",
                 policy_.is_policy_unknown ? Hope::kLater : Hope::kNone);
  }
  if (tls_use_ == TlsUse::kOpportunistic) tls_use_ = TlsUse::kRequired;
  if (policy_.verification.kind == PeerVerification::Kind::kNone) {
    policy_.verification.kind = PeerVerification::Kind::kPkix;
    policy_.verification.names = {hop.host};
    is_policy_told_ = false;  // a certificate the policy does not ask for
  }
  dial();
}

// RFC 8689 §2: a name from an MX record counts only with DNSSEC or a policy that holds. A certificate for such a name proves
// the host, but not that the mail belongs there. Without MX records the name is the domain's own; a route's is the admin's.
bool Visit::is_name_proven() const {
  const Hop& hop = plan_.hops[hop_];
  if (!hop.is_from_mx || hop.is_exchanger_secure) return true;
  return policy_.kind == TlsPolicy::Kind::kMtaSts && !policy_.is_testing && policy_.may_connect;
}

void Visit::pass_over(RecipientResult why, Advance how, Hope hope) {
  last_failure_ = std::move(why);
  note_hope(hope);
  advance(how) ? approach() : give_up();
}

void Visit::note_hope(Hope hope) {
  if (demand_ != TlsDemand::kProven) return;
  if (hope == Hope::kLater) {
    has_hope_ = true;
    return;
  }
  // A host that has TLS, but not REQUIRETLS, came nearer than those without.
  if (refusal_ && refusal_->first.reply.enhanced == "5.7.30") return;
  RecipientResult refusal = last_failure_;
  if (refusal.reply.code == 0) {
    if (refusal.reply.enhanced != "5.7.30") refusal.reply.enhanced = "5.7.10";
    refusal.reply.text = "The message requires TLS all the way to its recipient. " + refusal.reply.text;
  }
  refusal_.emplace(std::move(refusal), hop_);
}

ClientOptions Visit::session_options(TlsUse use) const {
  const Hop& hop = plan_.hops[hop_];
  ClientOptions options = client_options(hop, use, context_.hostname);
  options.is_name_proven = is_name_proven();
  options.clock = &context_.clock;
  options.is_certificate_needless = hop.is_own_listener;
  options.needs_requiretls = demand_ == TlsDemand::kProven;
  return options;
}

void Visit::tell_policies() {
  const Hop& hop = plan_.hops[hop_];
  // What was tried without TLS after a failed handshake is told already.
  if (!context_.tls_policies || !is_policy_told_ || is_without_tls_ || !connection_) return;
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
