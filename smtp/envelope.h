// Envelope: who a message is from and for, as MAIL and RCPT said, and where it goes here. RFC 5321 §2.3.1.
// Thread rule: a value, owned by one session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/mail/address.h"
#include "core/mail/dsn.h"
#include "smtp/parameters.h"
#include "smtp/path.h"
#include "store/directory_reader.h"
#include "store/sending_reader.h"

namespace posthus::smtp {

/// As the client named it, and what it came to.
struct Recipient {
  mail::Address address;
  RcptParameters parameters;
  bool has_inbox = false;                 // at least one here
  bool is_elsewhere = false;              // it is itself on another server
  std::vector<std::string> forwarded_to;  // addresses elsewhere that it stands for here
  std::string forwarder;                  // whom they count for; empty: the sender
  bool is_expanded = false;               // it stands for more than one, here and elsewhere
  std::vector<std::string> full_members;  // users of ours that it stands for too: their copies wait in the queue for room
  /// Whom it names, and who gets nothing.
  std::vector<store::SkippedMember> skipped;
};

/// What the sender's limits count of this message.
struct SendingState {
  store::SendingRecord record;  // as it was at the first recipient elsewhere, rolled
  store::EffectiveLimits limits;
  std::vector<std::uint64_t> copies;  // recipient_hash of each elsewhere
  std::size_t new_recipients = 0;
  std::string hold_reason;  // not empty: this message changes the account's habit
  store::SentToday domain;  // of the account's domain, as `record`
};

/// What an address here forwards of this message.
struct ForwardedCopies {
  std::string forwarder;  // store::Resolution::forwarder
  std::size_t copies = 0;
};

struct Envelope {
  ReversePath reverse_path;  // nothing: the null reverse-path
  MailParameters parameters;
  std::vector<Recipient> recipients;              // accepted ones, in order
  std::vector<MailboxId> inboxes;                 // where it goes; may hold one twice until sort()
  std::vector<store::QueuedRecipient> elsewhere;  // on other servers; may hold one twice until sort()
  std::uint32_t refused_recipients = 0;
  std::unique_ptr<SendingState> sending;         // of submission, from the first recipient elsewhere on
  std::vector<ForwardedCopies> forwards;         // not of submission, where all counts for who has signed in
  std::unique_ptr<mail::Report> success_report;  // for the sender, once the message is stored
  bool shows_subject = true;                     // in the trace
  bool is_relayed = false;                       // some recipient is of a domain we are backup MX of

  /// One copy for each inbox, however many recipients lead to it; one for each address elsewhere (the first one's
  /// parameters count, but for NOTIFY: what any of them asked for is asked for).
  void sort();
  /// The destinations of what goes elsewhere, each once.
  std::vector<std::string> destinations() const;
};

/// The recipient for the queue, as the client gave it.
store::QueuedRecipient to_queued(const mail::Address& address, const RcptParameters& parameters);

/// What the queue is told of the message beside its recipients.
struct MessageFacts {
  store::QueueOrigin origin = store::QueueOrigin::kSubmission;
  AccountId account;
  Timestamp accepted;
  std::uint32_t local_header_bytes = 0;
  bool has_8bit_header = false;
  bool has_8bit = false;         // anywhere
  bool asks_for_no_tls = false;  // "TLS-Required: No"
};
/// Who of the recipients here has it, for a sender who asked (NOTIFY=SUCCESS); empty when nobody did.
std::vector<mail::ReportedRecipient> delivered_recipients(const Envelope& envelope, Timestamp now);
store::QueueEntry queue_entry(const Envelope& envelope, const MessageFacts& facts);

/// The address as text; "" for the null reverse-path.
std::string to_text(const ReversePath& path);

}  // namespace posthus::smtp
