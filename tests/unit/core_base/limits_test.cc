// Byte budget, rate limiter, metrics and the failing CHECK.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/base/byte_budget.h"
#include "core/base/check.h"
#include "core/base/metrics.h"
#include "core/base/rate_limiter.h"
#include "core/base/result.h"

namespace posthus {
namespace {

TEST(ByteBudget, RefusesBeyondTheLimitAndTakesNothingThen) {
  ByteBudget budget(100);
  EXPECT_TRUE(budget.try_reserve(60));
  EXPECT_FALSE(budget.try_reserve(41));
  EXPECT_FALSE(budget.try_reserve(UINT64_MAX));
  EXPECT_EQ(budget.used(), 60U);
  EXPECT_TRUE(budget.try_reserve(40));
  budget.release(100);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ByteBudget, ReservationGivesBackWhenItDies) {
  ByteBudget budget(100);
  {
    ByteReservation first(budget);
    EXPECT_TRUE(first.try_grow(70));
    EXPECT_FALSE(first.try_grow(31));
    ByteReservation second = std::move(first);
    second.shrink_to(10);
    EXPECT_EQ(budget.used(), 10U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ByteBudget, ThreadsTogetherNeverExceedTheLimit) {
  ByteBudget budget(1000);
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) granted += budget.try_reserve(1) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted.load(), 1000);
}

constexpr std::int64_t kSecond = 1'000'000;

TEST(RateLimiter, AllowsTheBurstThenOnePerInterval) {
  ManualClock clock(Timestamp::from_seconds(1000));
  RateLimiter limiter(clock, {.burst = 3, .microseconds_per_token = kSecond});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.try_take("a"));
  EXPECT_FALSE(limiter.try_take("a"));
  EXPECT_TRUE(limiter.try_take("b"));
  clock.advance(kSecond);
  EXPECT_TRUE(limiter.may_take("a"));
  EXPECT_TRUE(limiter.try_take("a"));
  EXPECT_FALSE(limiter.may_take("a"));
  EXPECT_FALSE(limiter.try_take("a"));
}

TEST(RateLimiter, ARefusalCostsNothingAndRestIsNotSavedBeyondTheBurst) {
  ManualClock clock(Timestamp::from_seconds(1000));
  RateLimiter limiter(clock, {.burst = 2, .microseconds_per_token = kSecond});
  EXPECT_FALSE(limiter.try_take("a", 3));
  EXPECT_TRUE(limiter.try_take("a", 2));
  clock.advance(100 * kSecond);
  EXPECT_TRUE(limiter.try_take("a", 2));
  EXPECT_FALSE(limiter.try_take("a"));
  limiter.forget("a");
  EXPECT_TRUE(limiter.try_take("a", 2));
}

TEST(RateLimiter, MemoryIsBoundedAndFullBucketsAreForgotten) {
  ManualClock clock(Timestamp::from_seconds(1000));
  RateLimiter limiter(clock, {.burst = 1, .microseconds_per_token = kSecond, .max_keys = 10});
  for (int i = 0; i < 1000; ++i) limiter.try_take(std::to_string(i));
  EXPECT_EQ(limiter.keys(), 10U);
  EXPECT_FALSE(limiter.try_take("999"));
  clock.advance(2 * kSecond);
  for (int i = 0; i < 9; ++i) limiter.try_take("x" + std::to_string(i));
  EXPECT_LE(limiter.keys(), 10U);
  EXPECT_FALSE(limiter.try_take("x0"));
}

TEST(Metrics, RendersTheTextFormat) {
  metrics::counter("test_a_total", "Things.", "kind=\"x\"").add(2);
  metrics::counter("test_a_total", "Things.", "kind=\"x\"").add();
  metrics::gauge("test_b", "Level.").set(-5);
  metrics::Histogram& histogram = metrics::histogram("test_c", "Sizes.");
  for (const std::uint64_t v : {0U, 1U, 2U, 3U, 4U}) histogram.observe(v);
  histogram.observe(UINT64_MAX / 2);
  const std::string text = metrics::render();
  EXPECT_NE(text.find("# HELP test_a_total Things.\n# TYPE test_a_total counter\ntest_a_total{kind=\"x\"} 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("# TYPE test_b gauge\ntest_b -5\n"), std::string::npos);
  EXPECT_NE(
      text.find("test_c_bucket{le=\"0\"} 1\ntest_c_bucket{le=\"1\"} 2\ntest_c_bucket{le=\"3\"} 4\ntest_c_bucket{le=\"7\"} 5\n"),
      std::string::npos);
  EXPECT_NE(text.find("test_c_bucket{le=\"+Inf\"} 6\n"), std::string::npos);
  EXPECT_NE(text.find("test_c_count 6\n"), std::string::npos);
}

TEST(Check, FailureNamesTheConditionAndAborts) { EXPECT_DEATH(CHECK(1 + 1 == 3), "check.failed.*1 \\+ 1 == 3"); }

TEST(Result, ErrorKindsHaveNames) {
  EXPECT_EQ(to_string(ErrorKind::kOverQuota), "over_quota");
  EXPECT_EQ(to_string(ErrorKind::kIo), "io");
}

}  // namespace
}  // namespace posthus
