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

}  // namespace posthus::smtp
