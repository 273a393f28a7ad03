// Workers, timers, the deadline wheel and connection limits, without sockets.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "core/net/connection_limits.h"
#include "core/net/deadline_wheel.h"
#include "core/net/timers.h"
#include "core/net/workers.h"

namespace posthus::net {
namespace {

TEST(Workers, FinishWhatIsQueuedBeforeTheyStop) {
  std::atomic<int> done{0};
  Workers workers(2);
  for (int i = 0; i < 1000; ++i) workers.submit([&] { ++done; });
  workers.stop();
  EXPECT_EQ(done.load(), 1000);
  EXPECT_FALSE(workers.try_submit([] {}));
}

TEST(Workers, RefuseWhenTheQueueIsFull) {
  std::promise<void> gate;
  const std::shared_future<void> opened = gate.get_future().share();
  std::promise<void> is_busy;
  Workers workers(1);
  workers.submit([&] {
    is_busy.set_value();
    opened.wait();
  });
  is_busy.get_future().wait();
  for (std::size_t i = 0; i < Workers::kMaxQueued; ++i) ASSERT_TRUE(workers.try_submit([] {}));
  EXPECT_FALSE(workers.try_submit([] {}));
  EXPECT_EQ(workers.queued(), Workers::kMaxQueued);
  gate.set_value();
}

TEST(Timers, CallAgainAndAgainUntilStopped) {
  std::atomic<int> calls{0};
  std::promise<void> third;
  Timers timers;
  timers.every(std::chrono::milliseconds(1), [&] {
    if (++calls == 3) third.set_value();
  });
  timers.every(std::chrono::hours(1), [&] { calls = -1000; });
  third.get_future().wait();
  timers.stop();
  const int seen = calls.load();
  EXPECT_GE(seen, 3);
  EXPECT_EQ(calls.load(), seen);
}

class Timed : public DeadlineWheel::Entry {
 public:
  int fired = 0;
};

std::multiset<Timed*> expired(DeadlineWheel& wheel, std::int64_t now) {
  std::multiset<Timed*> out;
  wheel.expire(now, [&](DeadlineWheel::Entry& entry) { out.insert(static_cast<Timed*>(&entry)); });
  return out;
}

TEST(DeadlineWheel, FiresOnceWhenDueAndNotBefore) {
  DeadlineWheel wheel(1'000'000);
  Timed a;
  wheel.set(a, 1'001'000);
  EXPECT_TRUE(expired(wheel, 1'000'999).empty());
  EXPECT_EQ(expired(wheel, 1'001'000), std::multiset<Timed*>{&a});
  EXPECT_TRUE(wheel.empty());
  EXPECT_TRUE(expired(wheel, 1'100'000).empty());
}

TEST(DeadlineWheel, AMovedDeadlineCountsEarlierOrLater) {
  DeadlineWheel wheel(1'000'000);
  Timed later;
  Timed earlier;
  wheel.set(later, 1'001'000);
  wheel.set(later, 1'060'000);
  wheel.set(earlier, 1'060'000);
  wheel.set(earlier, 1'001'000);
  EXPECT_EQ(expired(wheel, 1'059'000), std::multiset<Timed*>{&earlier});
  EXPECT_EQ(expired(wheel, 1'060'000), std::multiset<Timed*>{&later});
}

TEST(DeadlineWheel, DeadlinesBeyondOneTurnFireAtTheirTime) {
  DeadlineWheel wheel(0);
  Timed a;
  wheel.set(a, 1'800'000);
  for (std::int64_t now = 0; now < 1'800'000; now += 200) ASSERT_TRUE(expired(wheel, now).empty()) << now;
  EXPECT_EQ(expired(wheel, 1'800'000), std::multiset<Timed*>{&a});
}

TEST(DeadlineWheel, ALongSleepMissesNothing) {
  DeadlineWheel wheel(0);
  Timed a;
  Timed b;
  wheel.set(a, 5'000);
  wheel.set(b, 100'000'000);
  EXPECT_EQ(expired(wheel, 50'000'000), std::multiset<Timed*>{&a});
  EXPECT_EQ(expired(wheel, 100'000'000), std::multiset<Timed*>{&b});
}

TEST(DeadlineWheel, PausedAndClearedEntriesStaySilent) {
  DeadlineWheel wheel(0);
  Timed paused;
  Timed cleared;
  wheel.set(paused, 1'000);
  wheel.set(cleared, 1'000);
  wheel.pause(paused);
  wheel.clear(cleared);
  EXPECT_TRUE(expired(wheel, 10'000).empty());
  wheel.set(paused, 20'000);
  EXPECT_EQ(expired(wheel, 20'000), std::multiset<Timed*>{&paused});
}

TEST(DeadlineWheel, ACallbackMayRemoveAndAddEntries) {
  DeadlineWheel wheel(0);
  Timed entries[3];
  for (Timed& entry : entries) wheel.set(entry, 1'000);
  int calls = 0;
  wheel.expire(1'000, [&](DeadlineWheel::Entry& entry) {
    ++calls;
    for (Timed& other : entries) {
      if (&other != &entry) wheel.clear(other);
    }
    wheel.set(entry, 2'000);
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(expired(wheel, 2'000).size(), 1U);
  EXPECT_TRUE(wheel.empty());
}

TEST(ConnectionLimits, CountInAllAndByClientNetwork) {
  const auto limits = std::make_shared<ConnectionLimits>(3, 2);
  const auto a1 = limits->take(parse_ip_address("2001:db8::1"));
  auto a2 = limits->take(parse_ip_address("2001:db8::2"));
  ASSERT_TRUE(a1 && a2);
  EXPECT_FALSE(limits->take(parse_ip_address("2001:db8:0:0:ffff::3")));
  auto b = limits->take(parse_ip_address("192.0.2.1"));
  ASSERT_TRUE(b);
  EXPECT_FALSE(limits->take(parse_ip_address("192.0.2.2")));
  EXPECT_FALSE(limits->take(std::nullopt));
  a2.reset();
  EXPECT_TRUE(limits->take(parse_ip_address("2001:db8::3")));
  EXPECT_TRUE(limits->take(std::nullopt));
  EXPECT_EQ(limits->open(), 2U);
}

}  // namespace
}  // namespace posthus::net
