// The first event of a message's trace: who sent it, when, from where and how, and where it went here. One JSON object
// (RFC 8259), event number 0 of kTrace. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "smtp/admission.h"
#include "smtp/envelope.h"

namespace posthus::smtp {

struct AcceptanceFacts {
  QueueId id;
  Timestamp time;
  ListenerRole role = ListenerRole::kMx;
  std::string_view remote_address, helo, with, login;
  std::string_view tls_version, cipher;  // empty: no TLS
  std::uint64_t size = 0;                // as the client counts it
  bool asks_for_no_tls = false;          // "TLS-Required: No"
  std::string_view header;               // fields of the message, at least Message-ID and Subject; empty: unknown
  bool shows_subject = true;             // setting trace.subject
  std::string_view hold_reason;          // not empty: it is held
};

inline constexpr std::size_t kMaxTrace = 32 * 1024;  // about 300 recipients by name; of more only the number is told
/// Each recipient is told with what became of it: "delivered" (here), "queued", and through which of our addresses. Members of
/// aliases who are passed over are listed apart, as "skipped" with their address, the reason and the alias.
std::string acceptance_trace(const Envelope& envelope, const AcceptanceFacts& facts);

}  // namespace posthus::smtp
