// When mail is tried again, when the sender is told, when we give up.
#include "smtp/retry_schedule.h"

#include <gtest/gtest.h>

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiddle = 1000;  // the chance without jitter
constexpr Timestamp kAccepted = Timestamp::from_seconds(1'000'000);

Timestamp after(std::chrono::seconds age) { return {kAccepted.microseconds + std::chrono::microseconds(age).count()}; }

TEST(RetrySchedule, TheFirstRetryComesAfterFiveMinutesThenTheDelayDoublesUpToHours) {
  const RetryRules rules;
  EXPECT_EQ(retry_delay(rules, 1, kMiddle), 5min);
  EXPECT_EQ(retry_delay(rules, 2, kMiddle), 10min);
  EXPECT_EQ(retry_delay(rules, 3, kMiddle), 20min);
  EXPECT_EQ(retry_delay(rules, 7, kMiddle), 4h);
  EXPECT_EQ(retry_delay(rules, 4'000'000'000, kMiddle), 4h);
}

TEST(RetrySchedule, JitterStaysWithinATenth) {
  const RetryRules rules;
  for (std::uint64_t chance = 0; chance < 5000; ++chance) {
    EXPECT_GE(retry_delay(rules, 1, chance), 270s);
    EXPECT_LE(retry_delay(rules, 1, chance), 330s);
  }
  EXPECT_NE(retry_delay(rules, 1, 0), retry_delay(rules, 1, 2000));
}

TEST(RetrySchedule, SettingsOfZeroAreNoBusyLoop) {
  EXPECT_EQ(retry_delay({.first_retry = 0s, .max_retry = 0s}, 1, 0), 1s);
  EXPECT_EQ(retry_delay({.first_retry = 1s, .max_retry = 1s}, 9, 0), 1s);
}

TEST(RetrySchedule, HugeSettingsDoNotOverflow) {
  const RetryRules rules{.first_retry = std::chrono::seconds::max(),
                         .max_retry = std::chrono::seconds::max(),
                         .warn = std::chrono::seconds::max(),
                         .expire = std::chrono::seconds::max()};
  const Retry retry = next_retry(rules, kAccepted, after(1s), 50, 2000);
  EXPECT_FALSE(retry.is_expired);
  EXPECT_GT(retry.next_attempt, after(300 * 24h));
}

TEST(RetrySchedule, AMessageIsGivenUpAfterFiveDaysAndNotBefore) {
  const RetryRules rules;
  EXPECT_FALSE(next_retry(rules, kAccepted, after(120h - 1s), 30, kMiddle).is_expired);
  EXPECT_TRUE(next_retry(rules, kAccepted, after(120h), 30, kMiddle).is_expired);
}

TEST(RetrySchedule, TheLastAttemptIsAtTheEndNotBehindIt) {
  EXPECT_EQ(next_retry({}, kAccepted, after(119h), 30, kMiddle).next_attempt, after(120h));
}

TEST(RetrySchedule, AnAttemptIsMadeWhenTheSenderIsToBeTold) {
  EXPECT_EQ(next_retry({}, kAccepted, after(3h), 6, kMiddle).next_attempt, after(4h));
  EXPECT_FALSE(next_retry({}, kAccepted, after(3h), 6, kMiddle).is_delay_due);
  EXPECT_TRUE(next_retry({}, kAccepted, after(4h), 6, kMiddle).is_delay_due);
}

TEST(RetrySchedule, WithoutAWarningNobodyIsTold) {
  const Retry retry = next_retry({.warn = 0s}, kAccepted, after(3h), 6, kMiddle);
  EXPECT_FALSE(retry.is_delay_due);
  EXPECT_EQ(retry.next_attempt, after(3h + 160min));
}

}  // namespace
}  // namespace posthus::smtp
