// Delivery status notifications: composing. RFC 3461 §6, 3462/6522 (multipart/report), 3463, 3464, 6533 (internationalized).
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace posthus::mail {

enum class ReportLanguage : std::uint8_t { kEnglish, kGerman, kNorwegian };
enum class ReportAction : std::uint8_t { kFailed, kDelayed, kDelivered, kRelayed, kExpanded };  // RFC 3464 §2.3.3

struct ReportedRecipient {
  std::string original_recipient;  // "rfc822;anna@example.test"; empty: none
  std::string final_recipient;     // address
  ReportAction action = ReportAction::kFailed;
  std::string status;                   // "5.1.1"
  std::string remote_host;              // empty: none was reached
  std::string remote_reply;             // "550 5.1.1 no such user"; empty: none
  std::string explanation;              // our own words when there was no reply: "The domain example.org does not exist."
  Timestamp last_attempt, retry_until;  // 0: not said
};

struct Report {
  std::string reporting_host;  // our name
  std::string from;            // "postmaster@our.domain"
  std::string to;              // the reverse-path of the message
  std::string envelope_id;     // ENVID; empty: none
  Timestamp arrival, now;
  std::string message_id;  // for the report's own Message-ID: unique left part
  std::string queue_id;    // id of the message, as it was told to the sender
  std::string
      original_header;  // header of the message (for kHeaders and the subject line in the human part), at most kMaxReportedHeader
  std::string original_text;  // the whole message when it is to be returned; empty: only the header
  ReportLanguage language = ReportLanguage::kEnglish;
  bool is_utf8 = false;                       // the reader of the report takes internationalized mail (RFC 6533)
  bool ignores_tls_policy = false;            // the message said "TLS-Required: No", the report does as well (RFC 8689 §6)
  std::vector<ReportedRecipient> recipients;  // at least one
};
inline constexpr std::size_t kMaxReportedHeader = 64 * 1024;  // more of a header is not returned; a line is never cut

/// The whole report as a message, CRLF, ready to be stored.
std::string compose_report(const Report& report);

}  // namespace posthus::mail
