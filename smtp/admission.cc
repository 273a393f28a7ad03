// Verdicts on senders and recipients. RFC 5321 §3.6.2, RFC 6409 §6.1. Thread rule: pure functions.
#include "smtp/admission.h"

namespace posthus::smtp {

Reply admit_sender(const SenderFacts& facts) {
  // A local sender domain is accepted on an MX without login: only SPF and DMARC can tell.
  if (facts.role == ListenerRole::kMx) return reply::kSenderOk;
  if (!facts.is_logged_in) return facts.is_tls ? reply::kNeedsLogin : reply::kNeedsTls;
  // WHY: read receipts and automatic answers have a null reverse-path (RFC 6409 §6.1, RFC 3834 §3.3).
  if (facts.is_null || facts.is_own_address) return reply::kSenderOk;
  return reply::kNotYourAddress;
}

RecipientVerdict admit_recipient(const RecipientFacts& facts) {
  using Kind = store::Resolution::Kind;
  switch (facts.resolution) {
    case Kind::kLocal: return {Routing::kLocal, reply::kRecipientOk};
    case Kind::kNoSuchDomain:
      // WHY: an MX relays for nobody, whatever the client's address: private networks hold hacked devices too.
      if (facts.role == ListenerRole::kMx) return {Routing::kRefused, reply::kRelayDenied};
      return {Routing::kRemote, reply::kRecipientOk};
    case Kind::kRemoteAlias: return {Routing::kForward, reply::kRecipientOk};
    case Kind::kRelay: return {Routing::kRemote, reply::kRecipientOk};
    case Kind::kNoSuchUser: return {Routing::kRefused, reply::kUnknownUser};
    case Kind::kDisabled: return {Routing::kRefused, reply::kDisabledUser};
    case Kind::kOverQuota: {
      // Space may come back, but never enough for a message larger than the whole mailbox.
      const bool never_fits = facts.quota_bytes > 0 && facts.message_size > facts.quota_bytes;
      return {Routing::kRefused, never_fits ? reply::kExceedsQuota : reply::kMailboxFull};
    }
    case Kind::kAliasLoop: return {Routing::kRefused, reply::kAliasLoop};
    case Kind::kOnlyMembers: return {Routing::kRefused, reply::kOnlyMembers};
    case Kind::kOnlyDomain: return {Routing::kRefused, reply::kOnlyDomain};
  }
  return {Routing::kRefused, reply::kTryAgain};
}

Reply admit_sending(const SendingFacts& facts) {
  // Zero is no limit of a day but a rule: what will not change by tomorrow is not put off until then.
  if (facts.limits.messages_per_day == 0) return reply::kMayNotSend;
  if (facts.record.messages + facts.copies > facts.limits.messages_per_day) return reply::kDailyLimit;
  const bool has_new = facts.new_recipients > 0;
  if (has_new && facts.record.new_recipients + facts.new_recipients > facts.limits.new_recipients_per_day) {
    return reply::kNewRecipientLimit;
  }
  return reply::kRecipientOk;
}

LimitVerdict admit_domain(const SendingFacts& facts, const store::SentToday& domain) {
  const store::EffectiveLimits& limits = facts.limits;
  if (limits.domain.empty()) return {};
  if (limits.domain_messages_per_day == 0) return {reply::kMayNotSend};
  if (domain.messages + facts.copies > limits.domain_messages_per_day) {
    return {reply::kDomainLimit, {domain.name, store::MetLimit::kMessages, limits.domain_messages_per_day}};
  }
  const bool has_new = facts.new_recipients > 0;
  if (has_new && domain.new_recipients + facts.new_recipients > limits.domain_new_recipients_per_day) {
    return {reply::kDomainNewRecipientLimit,
            {domain.name, store::MetLimit::kNewRecipients, limits.domain_new_recipients_per_day}};
  }
  return {};
}

LimitVerdict admit_forward(const ForwardFacts& facts) {
  const store::ForwardLimits& limits = facts.limits;
  if (limits.forwards_per_day == 0 || limits.domain_forwards_per_day == 0) return {reply::kMayNotForward};
  if (facts.address.forwards + facts.copies > limits.forwards_per_day) {
    return {reply::kForwardLimit, {facts.address.name, store::MetLimit::kForwards, limits.forwards_per_day}};
  }
  if (facts.domain.forwards + facts.domain_copies > limits.domain_forwards_per_day) {
    return {reply::kForwardLimit, {facts.domain.name, store::MetLimit::kForwards, limits.domain_forwards_per_day}};
  }
  return {};
}

}  // namespace posthus::smtp
