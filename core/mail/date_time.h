// Dates of RFC 5322 §3.3 (with the obsolete forms of §4.3), of IMAP (RFC 9051 date-time) and of RFC 3339.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace posthus::mail {

struct DateTime {
  Timestamp time;        // UTC
  int zone_minutes = 0;  // east of UTC, as written
  std::int64_t local_day =
      0;  // days since 1970-01-01 in the zone as written: what IMAP SENTON compares (time and zone disregarded)
};

std::optional<DateTime> parse_rfc5322_date(std::string_view text);
/// "Sat, 21 Nov 2026 23:05:46 +0000"
std::string format_rfc5322_date(Timestamp time, int zone_minutes = 0);
/// RFC 9051 date-time without its quotes: " 1-Feb-2026 00:00:00 +0100" (day may have a leading space or zero).
std::optional<DateTime> parse_imap_date_time(std::string_view text);
std::string format_imap_date_time(Timestamp time, int zone_minutes = 0);
/// RFC 9051 date, "1-Feb-2026": days since 1970-01-01.
std::optional<std::int64_t> parse_imap_date(std::string_view text);
/// "2026-11-21T23:05:46Z"
std::string format_rfc3339(Timestamp time);
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace posthus::mail
