// Admission: the verdict on senders and recipients, as pure functions of facts. Sessions look the facts up and write the
// reply; where a recipient's mail goes follows from Routing, in one place (session_envelope.cc).
// RFC 5321 §3.6, §4.1.1.3; RFC 6409 §4.3, §6.1. Thread rule: pure functions.
#pragma once

#include <cstdint>

#include "core/mail/address.h"
#include "smtp/reply.h"
#include "store/directory_reader.h"
#include "store/sending_reader.h"

namespace posthus::smtp {

/// kMx: mail from other servers for our domains, nobody logs in. kSubmission: mail from our users (RFC 6409).
enum class ListenerRole : std::uint8_t { kMx, kSubmission };

enum class Routing : std::uint8_t {
  kLocal,    // into inboxes here
  kRemote,   // to another server
  kForward,  // an alias: to other servers, and perhaps into inboxes here as well
  kRefused,  // the reply says why
};

struct RecipientVerdict {
  Routing routing = Routing::kRefused;
  Reply reply;
};

/// What is known about one recipient.
struct RecipientFacts {
  ListenerRole role = ListenerRole::kMx;
  store::Resolution::Kind resolution = store::Resolution::Kind::kNoSuchUser;
  std::uint64_t message_size = 0;  // as announced; 0: not said
  std::uint64_t quota_bytes = 0;   // of the user with exactly this address; 0: none or unknown
};
RecipientVerdict admit_recipient(const RecipientFacts& facts);

struct SenderFacts {
  ListenerRole role = ListenerRole::kMx;
  bool is_tls = false;
  bool is_logged_in = false;
  bool is_null = false;         // the null reverse-path
  bool is_own_address = false;  // DirectoryReader::may_send_as; only asked on submission
};
/// kSenderOk or the refusal.
Reply admit_sender(const SenderFacts& facts);

/// What is known when a logged-in account names recipients elsewhere.
struct SendingFacts {
  const store::SendingRecord& record;  // rolled to now
  const store::EffectiveLimits& limits;
  std::size_t copies = 0;          // of this message, with those that are asked for now
  std::size_t new_recipients = 0;  // among them
};
/// kRecipientOk or the refusal.
Reply admit_sending(const SendingFacts& facts);

/// A verdict by the limits of a domain or of an address that forwards.
struct LimitVerdict {
  Reply reply = reply::kRecipientOk;
  store::NoteLimit note = {};  // of a refusal that passes: what the admins are to know
};
/// The same for the domain of the account as a whole. `domain`: rolled to now.
LimitVerdict admit_domain(const SendingFacts& facts, const store::SentToday& domain);

/// What is known when an address here is to forward a message.
struct ForwardFacts {
  const store::SentToday& address;  // rolled to now
  const store::SentToday& domain;   // likewise
  const store::ForwardLimits& limits;
  std::size_t copies = 0;         // of this message, by this address, with those that are asked for now
  std::size_t domain_copies = 0;  // by any address of its domain
};
LimitVerdict admit_forward(const ForwardFacts& facts);

}  // namespace posthus::smtp
