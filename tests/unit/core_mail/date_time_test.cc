// Dates: examples of RFC 5322 appendix A, obsolete forms of §4.3, IMAP dates, RFC 3339 §5.8, and round trips.
#include "core/mail/date_time.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

std::string utc(const std::optional<DateTime>& parsed) { return parsed ? format_rfc3339(parsed->time) : "none"; }

TEST(DateTime, ReadsMailDates) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06Z"},
      {"Tue, 1 Jul 2003 10:52:37 +0200", "2003-07-01T08:52:37Z"},
      {"24 Nov 1997 14:22:01 -0800", "1997-11-24T22:22:01Z"},
      {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
       "1969-02-14T03:02:00Z"},
      {"21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"},
      {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06Z"},
      {"1 Jan 49 00:00 UT", "2049-01-01T00:00:00Z"},
      {"1 Jan 50 00:00 EST", "1950-01-01T05:00:00Z"},
      {"1 Jan 103 00:00 PDT", "2003-01-01T07:00:00Z"},
      {"29 feb 2024 00:00 A", "2024-02-29T00:00:00Z"},
      {"(x(y)\\))Sat,21 November 2026 23:59:60 +0000", "2026-11-22T00:00:00Z"},
      {"21-Nov-97 09:55:06", "1997-11-21T09:55:06Z"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(utc(parse_rfc5322_date(text)), expected) << text;
}

TEST(DateTime, RefusesWhatIsNoMailDate) {
  for (const std::string_view text :
       {"", "yesterday", "Fri, 21 Nov", "32 Jan 2020 00:00 +0000", "29 Feb 2023 00:00 +0000", "1 Foo 2020 00:00",
        "1 Jan 2020 24:00", "1 Jan 2020 00:60", "1 Jan 2020 00", "1 Jan 2 00:00", "1 Jan 99999 00:00", "(1 Jan 2020 00:00"}) {
    EXPECT_FALSE(parse_rfc5322_date(text).has_value()) << text;
  }
}

TEST(DateTime, LocalDayDisregardsTheZone) {
  EXPECT_EQ(parse_rfc5322_date("1 Feb 2026 00:30 +0100")->local_day, parse_imap_date("1-Feb-2026"));
  EXPECT_EQ(parse_rfc5322_date("1 Feb 2026 23:30 -1200")->local_day, parse_imap_date("01-feb-2026"));
  EXPECT_EQ(parse_rfc5322_date("1 Feb 2026 00:30 +0100")->zone_minutes, 60);
}

TEST(DateTime, ReadsImapDates) {
  EXPECT_EQ(utc(parse_imap_date_time(" 1-Feb-2026 00:00:00 +0100")), "2026-01-31T23:00:00Z");
  EXPECT_EQ(utc(parse_imap_date_time("01-Feb-2026 00:00:00 -0030")), "2026-02-01T00:30:00Z");
  EXPECT_EQ(parse_imap_date("1-Jan-1970"), 0);
  EXPECT_EQ(parse_imap_date("31-Dec-1969"), -1);
  for (const std::string_view text :
       {"1-Feb-2026 00:00:00 +0100", " 11-Feb-2026 00:00:00 +0100", " 1-Feb-2026 00:00:00", " 1-Feb-2026 00:00 +0100",
        " 1-Feb-2026 00:00:00 +0160", " 1-Feb-2026 00:00:00 +01000", "30-Feb-2026 00:00:00 +0000", ""}) {
    EXPECT_FALSE(parse_imap_date_time(text).has_value()) << text;
  }
  for (const std::string_view text : {"", "1-Feb-26", "0-Feb-2026", "1-Feb-2026 ", "1 Feb 2026", "100-Feb-2026"}) {
    EXPECT_FALSE(parse_imap_date(text).has_value()) << text;
  }
}

TEST(DateTime, ReadsRfc3339) {
  EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z")->microseconds, 482'196'050'520'000);
  EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00"), parse_rfc3339("1996-12-20t00:39:57z"));
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z"), parse_rfc3339("1991-01-01T00:00:00Z"));
  for (const std::string_view text :
       {"", "1985-04-12", "1985-04-12T23:20:50", "1985-04-12 23:20:50Z", "1985-04-31T00:00:00Z", "1985-04-12T23:20:50.Z",
        "1985-04-12T23:20:50+24:00", "1985-04-12T23:20:50Zx", "85-04-12T23:20:50Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

TEST(DateTime, WritesEveryForm) {
  const Timestamp time = Timestamp::from_seconds(1'795'302'346);
  EXPECT_EQ(format_rfc5322_date(time), "Sat, 21 Nov 2026 23:05:46 +0000");
  EXPECT_EQ(format_rfc5322_date(time, 60), "Sun, 22 Nov 2026 00:05:46 +0100");
  EXPECT_EQ(format_imap_date_time(time, -210), "21-Nov-2026 19:35:46 -0330");
  EXPECT_EQ(format_imap_date_time(Timestamp::from_seconds(-1)), "31-Dec-1969 23:59:59 +0000");
  EXPECT_EQ(format_imap_date_time(Timestamp{-1}), "31-Dec-1969 23:59:59 +0000");
  EXPECT_EQ(format_imap_date_time(Timestamp{}), " 1-Jan-1970 00:00:00 +0000");
  EXPECT_EQ(format_rfc3339(time), "2026-11-21T23:05:46Z");
}

TEST(DateTime, WhatIsWrittenIsReadBack) {
  for (std::int64_t seconds = -62'000'000'000; seconds < 250'000'000'000; seconds += 98'765'432'1) {
    const Timestamp time = Timestamp::from_seconds(seconds);
    for (const int zone : {0, 60, -210, 840}) {
      EXPECT_EQ(parse_rfc5322_date(format_rfc5322_date(time, zone))->time, time);
      EXPECT_EQ(parse_imap_date_time(format_imap_date_time(time, zone))->time, time);
      EXPECT_EQ(parse_imap_date_time(format_imap_date_time(time, zone))->zone_minutes, zone);
    }
    EXPECT_EQ(parse_rfc3339(format_rfc3339(time)), time);
  }
}

}  // namespace
}  // namespace posthus::mail
