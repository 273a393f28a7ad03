// Envelope: who a message is from and for, as MAIL and RCPT said, and where it goes here. RFC 5321 §2.3.1.
// Thread rule: a value, owned by one session.
#pragma once

#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/mail/address.h"
#include "smtp/parameters.h"
#include "smtp/path.h"

namespace posthus::smtp {

struct Recipient {
  mail::Address address;
  RcptParameters parameters;
};

struct Envelope {
  ReversePath reverse_path;  // nothing: the null reverse-path
  MailParameters parameters;
  std::vector<Recipient> recipients;              // accepted ones, in order
  std::vector<MailboxId> inboxes;                 // where it goes; may hold one twice until sort()
  std::vector<store::QueuedRecipient> elsewhere;  // on other servers; may hold one twice until sort()
  std::uint32_t refused_recipients = 0;

  /// One copy for each inbox, however many recipients lead to it; one for each address elsewhere (the first one's
  /// parameters count).
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
  bool has_8bit = false;  // anywhere
};
store::QueueEntry queue_entry(const Envelope& envelope, const MessageFacts& facts);

/// The address as text; "" for the null reverse-path.
std::string to_text(const ReversePath& path);

/// The JSON object kept in the trace table: client, login, envelope and its DSN parameters. At most kMaxTrace bytes:
/// recipients that do not fit are only counted.
struct TraceFacts {
  std::string_view id, remote_address, helo, with, login;
  std::uint64_t size = 0;
};
inline constexpr std::size_t kMaxTrace = 1600;  // a row of the store is at most 2000 bytes with its key
std::string trace_json(const Envelope& envelope, const TraceFacts& facts);

}  // namespace posthus::smtp
