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
  std::vector<Recipient> recipients;  // accepted ones, in order
  std::vector<MailboxId> inboxes;     // where it goes; may hold one twice until sort_inboxes()
  std::uint32_t refused_recipients = 0;

  /// One copy for each inbox, however many recipients lead to it.
  void sort_inboxes();
};

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
