// What a delivery report says to people, in each language: one table of texts per language, one entry per reason that a
// status code of RFC 3463 (and of the registry it began) stands for. Thread rule: constants and pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/mail/dsn.h"

namespace posthus::mail {

/// Why a message did not arrive, as far as its sender cares.
enum class Reason : std::uint8_t {
  kNoSuchMailbox,
  kNoSuchDomain,
  kBadAddress,
  kMoved,
  kDomainTakesNoMail,
  kSenderRefused,
  kMailboxDisabled,
  kMailboxOther,
  kMailboxFull,
  kTooLarge,
  kServerFull,
  kServerNotAccepting,
  kUnreachable,
  kNoRoute,
  kBusy,
  kLoop,
  kExpired,
  kTooManyRecipients,
  kProtocol,
  kContent,
  kNeedsUtf8,
  kPolicy,
  kNotAllowed,
  kTlsNeeded,
  kNotAuthentic,
  kUnknown,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::kUnknown) + 1;
inline constexpr std::size_t kActions = static_cast<std::size_t>(ReportAction::kExpanded) + 1;

struct ReasonText {
  std::string_view what;    // what happened
  std::string_view advice;  // what the sender can do
};

/// UTF-8. "{host}" and "{time}" stand for what the report knows.
struct ReportText {
  std::string_view tag;  // language tag, RFC 5646
  std::string_view from_name;
  std::array<std::string_view, kActions> subject;
  std::array<std::string_view, kActions> opening;  // above the recipients with that action
  std::string_view greeting, your_subject, your_time, your_id;
  std::string_view detail;  // before what this program says of an attempt, in English; empty: no word is needed
  std::string_view host_said, was_said, advice, tried_until, gave_up, more_recipients, closing_full, closing_header;
  std::array<std::string_view, 12> months;
  std::string_view date;  // "{day}" "{month}" "{year}" "{hour}" "{minute}"
  std::array<ReasonText, kReasons> reasons;
};

const ReportText& report_text(ReportLanguage language);

/// What `status` ("5.1.1") means; kUnknown when it says nothing.
Reason reason_of_status(std::string_view status);

}  // namespace posthus::mail
