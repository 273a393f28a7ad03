// The clock is compared with what proven servers say; one stranger alone is not believed, and setting the clock right is seen at
// once.
#include "core/main/clock_watch.h"

#include <gtest/gtest.h>

#include "core/mail/date_time.h"

namespace posthus::main {
namespace {

using Kind = web_admin::ClockVerdict::Kind;

class ClockWatchTest : public ::testing::Test {
 protected:
  /// A server whose clock is `ahead` of the true time, answering within `round_trip` seconds.
  void say(const std::string& host, std::int64_t ahead, std::int64_t round_trip = 0) {
    const Timestamp remote{(true_time_ + ahead) * 1'000'000};
    std::string date = mail::format_rfc5322_date(remote);
    date.replace(date.find("+0000"), 5, "GMT");
    watch_.heard(host, date, steady_ - round_trip * 1'000'000, steady_);
  }
  void pass(std::int64_t seconds) {
    true_time_ += seconds;
    steady_ += seconds * 1'000'000;
    clock_.advance(seconds * 1'000'000);
  }
  void set_ours(std::int64_t ahead) { clock_.set(Timestamp::from_seconds(true_time_ + ahead)); }
  Kind kind() { return watch_.verdict(30).kind; }

  std::int64_t true_time_ = 1'800'000'000, steady_ = 5'000'000'000;
  ManualClock clock_{Timestamp::from_seconds(1'800'000'000)};
  ClockWatch watch_{clock_, [this] { return steady_; }};
};

TEST_F(ClockWatchTest, NobodyHasSaidAnything) {
  EXPECT_EQ(kind(), Kind::kUnknown);
  watch_.heard("a.test", "yesterday", 0, 1);
  EXPECT_EQ(kind(), Kind::kUnknown);
}

TEST_F(ClockWatchTest, ARightClockIsRight) {
  say("a.test", 0);
  EXPECT_EQ(kind(), Kind::kRight);
  say("b.test", 20);
  EXPECT_EQ(kind(), Kind::kRight);
  EXPECT_EQ(watch_.verdict(30).hosts.size(), 2u);
}

TEST_F(ClockWatchTest, OneStrangerProvesNothingTwoDo) {
  set_ours(300);
  say("a.test", 0);
  EXPECT_EQ(kind(), Kind::kUnknown);
  say("a.test", 0);
  EXPECT_EQ(kind(), Kind::kUnknown) << "saying it twice does not help";
  say("b.test", 0);
  EXPECT_EQ(kind(), Kind::kWrong);
  EXPECT_NEAR(static_cast<double>(watch_.verdict(30).ahead), 300, 1);
  set_ours(-300);
  EXPECT_NEAR(static_cast<double>(watch_.verdict(30).ahead), -300, 1);
}

TEST_F(ClockWatchTest, TheCertificateAuthorityIsBelievedAlone) {
  watch_.believe("ca.test");
  set_ours(-120);
  say("ca.test", 0);
  EXPECT_EQ(kind(), Kind::kWrong);
}

TEST_F(ClockWatchTest, AWrongServerDoesNotOutvoteRightOnes) {
  say("a.test", 0);
  say("b.test", 1);
  say("liar.test", 86'400);
  EXPECT_EQ(kind(), Kind::kRight);
  say("liar2.test", -86'400);
  EXPECT_NE(kind(), Kind::kWrong) << "two liars who disagree";
}

TEST_F(ClockWatchTest, SettingTheClockRightIsSeenAtOnce) {
  set_ours(300);
  say("a.test", 0);
  say("b.test", 0);
  ASSERT_EQ(kind(), Kind::kWrong);
  set_ours(0);
  EXPECT_EQ(kind(), Kind::kRight);
  pass(3600);
  EXPECT_EQ(kind(), Kind::kRight);
  set_ours(100);  // and setting it wrong
  EXPECT_EQ(kind(), Kind::kWrong);
}

TEST_F(ClockWatchTest, ASlowAnswerIsNoWrongClock) {
  say("a.test", 0, 60);
  say("b.test", 0, 60);
  EXPECT_EQ(kind(), Kind::kRight);
}

TEST_F(ClockWatchTest, WhatWasSaidLongAgoDoesNotCount) {
  set_ours(300);
  say("a.test", 0);
  say("b.test", 0);
  pass(8 * 86'400);
  EXPECT_EQ(kind(), Kind::kUnknown);
}

TEST_F(ClockWatchTest, HostsAreBounded) {
  for (int i = 0; i < 100; ++i) say("h" + std::to_string(i) + ".test", 0);
  EXPECT_LE(watch_.verdict(30).hosts.size(), 16u);
}

}  // namespace
}  // namespace posthus::main
