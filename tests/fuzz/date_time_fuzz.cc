// Arbitrary bytes as every kind of date: what is read is written and read to the same value.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/date_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus;
  using namespace posthus::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::int64_t kYear2 = -62'072'000'000, kYear9998 = 253'350'000'000;
  const auto is_far_from_the_ends = [](Timestamp t) { return t.seconds() > kYear2 && t.seconds() < kYear9998; };
  if (const auto date = parse_rfc5322_date(text); date && is_far_from_the_ends(date->time)) {
    const auto again = parse_rfc5322_date(format_rfc5322_date(date->time, date->zone_minutes));
    CHECK(again && again->time == date->time && again->zone_minutes == date->zone_minutes);
  }
  if (const auto date = parse_imap_date_time(text); date && is_far_from_the_ends(date->time)) {
    const auto again = parse_imap_date_time(format_imap_date_time(date->time, date->zone_minutes));
    CHECK(again && again->time == date->time && again->zone_minutes == date->zone_minutes);
  }
  if (const auto time = parse_rfc3339(text); time && is_far_from_the_ends(*time)) {
    CHECK(parse_rfc3339(format_rfc3339(*time)) ==
          Timestamp::from_seconds((time->microseconds - (time->microseconds % 1'000'000 + 1'000'000) % 1'000'000) / 1'000'000));
  }
  (void)parse_imap_date(text);
  return 0;
}
