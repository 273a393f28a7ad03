// Alerts: what needs an admin, from when to when, and whom it has been told. Words are made from kind, subject and facts when
// they are read (web-admin/alert_words.h), so that every reader gets them in his language. Thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

/// Part of the record: new ones go to the end.
enum class AlertKind : std::uint8_t {
  kCertificate,    // subject: hostname; facts: date of its end, the moment (RFC 3339; records of older versions lack it)
  kDisk,           // facts: per cent free, MiB free
  kQueue,          // facts: copies that wait, the mark
  kDestination,    // subject: domain, or "*" for many; facts: minutes, last reply; or how many
  kHold,           // subject: account; facts: code, count, limit and text of the reason (store/hold_reason.h); once a sentence
  kBlocklist,      // subject: "ADDRESS LIST"
  kLogins,         // facts: refused sign-ins, minutes
  kClock,          // facts: seconds it is ahead (or "-": behind), who said so
  kSharedAddress,  // subject: address; facts: SharedAddressWarning::Kind in words
  kLimit,          // subject: domain or forwarding address; facts: the limit, "messages", "new_recipients" or "forwards"
  kCount
};
std::string_view to_string(AlertKind kind);  // "certificate", ...

/// How much of an alert has been told.
enum class AlertTold : std::uint8_t { kNothing, kBegin, kEnd };

struct AlertRecord {
  std::uint64_t id = 0;  // ascending
  AlertKind kind = AlertKind::kCertificate;
  std::string subject;
  std::vector<std::string> facts;
  Timestamp opened, closed;  // closed 0: it is open
  AlertTold mail = AlertTold::kNothing, webhook = AlertTold::kNothing;
  std::uint32_t webhook_failures = 0;  // in a row
  Timestamp webhook_next;              // not before; 0: at once
  std::string webhook_error;           // of the last attempt; empty: it was taken, or none was made

  bool is_open() const { return closed == Timestamp(); }
};

/// Adds or replaces by id. When there are kMaxAlerts, the oldest that is over goes; kTooLarge when all are open.
struct PutAlert {
  AlertRecord alert;
};

inline constexpr std::size_t kMaxAlerts = 300;  // some weeks of a bad server; read whole every minute
inline constexpr std::size_t kMaxAlertSubject = 320;
inline constexpr std::size_t kMaxAlertFact = 400;
inline constexpr std::size_t kMaxAlertRecord = 1900;  // encoded: one row

}  // namespace posthus::store
