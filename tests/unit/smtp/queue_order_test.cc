// The queue runner when things happen at the same time or go wrong: orders of an admin during an attempt, rests beside rates,
// many destinations on one host, a store that cannot be read or holds rows that belong to nothing.
#include <gtest/gtest.h>

#include "smtp/queue_runner.h"
#include "store/memory_engine.h"
#include "store/queue_rows.h"
#include "store/store_state.h"
#include "store/wrapped_engine.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using store::QueueAction;
using testing::FakeHost;
using testing::QueueScene;

struct QueueOrderTest : QueueScene {
  QueueOrderTest() { zone("example.org A 192.0.2.1\nother.org A 192.0.2.3\n"); }
  explicit QueueOrderTest(std::unique_ptr<store::Store> (*make_store)(const Clock&)) : QueueScene(make_store) {
    zone("example.org A 192.0.2.1\nother.org A 192.0.2.3\n");
  }

  void order(QueueId id, QueueAction action, const std::string& text = {}) {
    const auto changed =
        world.store->apply(store::ChangeQueue{.filter = {.id = id}, .action = action, .text = text, .trace = {}});
    ASSERT_TRUE(changed) << changed.error().context;
    runner->look_again(changed->destinations);
  }
  void silence(int last) { dialer.set_host("192.0.2." + std::to_string(last), 25, {.is_silent = true}); }
  Timestamp rest(const std::string& domain) { return runner->rests_until(store::destination_hash(domain)); }
  Timestamp in(std::chrono::seconds time) { return {world.clock.now().microseconds + std::chrono::microseconds(time).count()}; }
};

// ---- orders of an admin ----

TEST_F(QueueOrderTest, WhatIsAskedForDuringAnAttemptIsDoneRightAfterIt) {
  for (const QueueAction action : {QueueAction::kRetryNow, QueueAction::kReroute, QueueAction::kRelease}) {
    dialer.close_all();  // what stands by
    settle();
    silence(1);
    const QueueId id = queue({.to = {"ben@example.org"}});
    settle();
    ASSERT_EQ(dialer.open_connections(), 1U);
    if (action == QueueAction::kRelease) order(id, QueueAction::kHold);
    order(id, action);
    FakeHost& a = host(1);
    settle();
    EXPECT_TRUE(a.messages.empty());  // it is still on its way
    dialer.time_out();
    settle();
    EXPECT_EQ(a.messages.size(), 1U);
    EXPECT_FALSE(is_queued(id));
    a.messages.clear();
  }
}

TEST_F(QueueOrderTest, WhatIsAskedForWhileTheHostDefersIsDoneRightAfterIt) {
  FakeHost& a = host(1);
  QueueId id;
  bool has_deferred = false;
  a.answer = [&](const std::string& line) -> std::string {
    if (!line.starts_with("RCPT") || std::exchange(has_deferred, true)) return {};
    order(id, QueueAction::kRetryNow);
    return "450 4.2.0 greylisted\r\n";
  };
  id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueOrderTest, AnOrderIsObeyedOnceNotForEver) {
  silence(1);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  order(id, QueueAction::kRetryNow);
  dialer.time_out();
  settle();
  EXPECT_EQ(dialer.dialled().size(), 2U);
  dialer.time_out();
  settle();
  EXPECT_EQ(dialer.dialled().size(), 2U);
  EXPECT_EQ(waiting(id)->attempts, 2U);
  EXPECT_GT(rest("example.org"), in(4min));
}

TEST_F(QueueOrderTest, OnlyTheMessagesOwnDestinationsAreWoken) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_GT(rest("example.org"), in(4min));
  EXPECT_GT(rest("other.org"), in(4min));
  EXPECT_EQ(rest("nobody.example"), Timestamp());
  order(id, QueueAction::kRetryNow);
  EXPECT_EQ(rest("example.org"), Timestamp());
  settle();
  EXPECT_GT(rest("other.org"), in(4min));
  ASSERT_EQ(dialer.dialled().size(), 3U);
  EXPECT_EQ(dialer.dialled()[2].address, "192.0.2.1");
}

/// Many wait for a host that refuses connections, none of the newer ones was tried itself.
struct DeadHost : QueueOrderTest {
  DeadHost() {
    for (int i = 0; i < 30; ++i) all.push_back(queue({.to = {"x" + std::to_string(i) + "@example.org"}}));
    settle();
    EXPECT_EQ(queued_messages(), all.size());
    EXPECT_GT(rest("example.org"), in(4min));
  }
  std::vector<QueueId> all;
};

TEST_F(DeadHost, WhatIsToBeReturnedIsReturnedThoughOlderMailWaits) {
  order(all[29], QueueAction::kBounce);
  settle();
  EXPECT_FALSE(is_queued(all[29]));
  EXPECT_EQ(queued_messages(), all.size() - 1);
}

TEST_F(DeadHost, WhatIsReroutedGoesThoughOlderMailWaits) {
  FakeHost& other = host(9, 2525);
  order(all[28], QueueAction::kReroute, "smtp://192.0.2.9:2525");
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
  EXPECT_FALSE(is_queued(all[28]));
  EXPECT_EQ(queued_messages(), all.size() - 1);
}

TEST_F(DeadHost, WhatIsRetriedOrReleasedIsTriedItselfThoughOlderMailWaits) {
  order(all[27], QueueAction::kHold);
  for (const auto& [at, action] : {std::pair{28, QueueAction::kRetryNow}, {27, QueueAction::kRelease}}) {
    ASSERT_EQ(waiting(all[static_cast<std::size_t>(at)])->attempts, 0U);
    order(all[static_cast<std::size_t>(at)], action);
    settle();
    EXPECT_EQ(waiting(all[static_cast<std::size_t>(at)])->attempts, 1U);
  }
}

TEST_F(DeadHost, OrdersDoNotMakeTheRestLonger) {
  for (int i = 10; i < 20; ++i) {
    order(all[static_cast<std::size_t>(i)], QueueAction::kRetryNow);
    settle();
  }
  EXPECT_LT(rest("example.org"), in(10min));
}

// ---- rates ----

TEST_F(QueueOrderTest, ARateHidesNoFailure) {
  put_setting("queue.messages_per_minute@example.org", "1");
  FakeHost& a = host(1);
  for (int i = 0; i < 4; ++i) queue({.to = {"ben@example.org"}});
  settle();
  ASSERT_EQ(a.messages.size(), 2U);  // the rate is known with the first
  silence(1);
  pass(60s);
  ASSERT_EQ(dialer.open_connections(), 1U);
  dialer.time_out();
  settle();
  EXPECT_GT(rest("example.org"), in(4min));
}

// ---- hosts ----

struct OneHost : QueueOrderTest {
  static constexpr int kDomains = 50;
  OneHost() {
    std::string lines;
    for (int i = 0; i < kDomains; ++i) lines += domain(i) + " A 192.0.2.50\n";
    zone(lines);
  }
  static std::string domain(int i) { return "d" + std::to_string(i) + ".example"; }
  void queue_all() {
    for (int i = 0; i < kDomains; ++i) queue({.to = {"x@" + domain(i)}});
  }
};

TEST_F(OneHost, ConnectionsToOneHostAreLimitedWhateverItsDomains) {
  silence(50);
  queue_all();
  settle();
  EXPECT_EQ(dialer.open_connections(), 20U);
  FakeHost& fake = host(50);
  dialer.time_out();
  settle();
  EXPECT_EQ(fake.messages.size(), 30U);
  pass(6min);
  EXPECT_EQ(fake.messages.size(), 50U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(OneHost, TheLimitOfAHostIsSettable) {
  put_setting("queue.host_connections", "3");
  runner->tick();
  silence(50);
  queue_all();
  settle();
  EXPECT_EQ(dialer.open_connections(), 3U);
  queue({.to = {"ben@other.org"}});
  FakeHost& other = host(3);
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
}

TEST_F(OneHost, WhoIsCalledAndHasNothingLeftBlocksNobody) {
  put_setting("queue.host_connections", "1");
  runner->tick();
  silence(50);
  queue_all();
  settle();
  ASSERT_EQ(dialer.open_connections(), 1U);
  for (int i = 1; i < kDomains - 1; ++i) {
    ASSERT_TRUE(world.store->apply(
        store::ChangeQueue{.filter = {.recipient_domain = domain(i)}, .action = QueueAction::kRemove, .text = {}, .trace = {}}));
  }
  FakeHost& fake = host(50);
  dialer.time_out();
  settle();
  for (int i = 0; i < kDomains; ++i) pass(1s);
  EXPECT_EQ(fake.messages.size(), 1U);
}

// ---- one route for many domains ----

struct OneRoute : OneHost {
  OneRoute() {
    put_setting("queue.host_connections", "1");
    runner->tick();
    EXPECT_TRUE(world.store->apply(store::PutRoute{{.name = "*", .hops = {{"192.0.2.9", 2525}}}}));
  }
};

TEST_F(OneRoute, WhatGoesBehindItGoesOverOneConnection) {
  FakeHost& smarthost = host(9, 2525);
  queue_all();
  settle();
  EXPECT_EQ(smarthost.messages.size(), static_cast<std::size_t>(kDomains));
  EXPECT_EQ(smarthost.connections, 1U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(OneRoute, WhatHasARouteOfItsOwnDoesNotComeAlong) {
  ASSERT_TRUE(world.store->apply(store::PutRoute{{.name = domain(7), .hops = {{"192.0.2.8", 2525}}}}));
  ASSERT_TRUE(world.store->apply(store::PutRoute{{.name = "from:other.org", .hops = {{"192.0.2.7", 2525}}}}));
  FakeHost &smarthost = host(9, 2525), &own = host(8, 2525), &sender = host(7, 2525);
  queue_all();
  queue({.from = "dan@other.org", .to = {"x@" + domain(3)}});
  queue({.from = "dan@other.org", .to = {"x@" + domain(4)}});
  settle();
  EXPECT_EQ(smarthost.messages.size(), static_cast<std::size_t>(kDomains) - 1);
  EXPECT_EQ(own.messages.size(), 1U);
  EXPECT_EQ(sender.messages.size(), 2U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(OneRoute, WhatComesAlongKeepsTheSettingsOfItsDomain) {
  put_setting("queue.first_retry_seconds@" + domain(1), "7200");
  put_setting("queue.max_retry_seconds@" + domain(1), "7200");
  FakeHost& smarthost = host(9, 2525);
  smarthost.answer = [](const std::string& line) { return line.starts_with("RCPT") ? "451 4.2.0 later\r\n" : ""; };
  const QueueId first = queue({.to = {"x@" + domain(0)}}), second = queue({.to = {"x@" + domain(1)}});
  settle();
  ASSERT_EQ(smarthost.connections, 1U);
  ASSERT_EQ(waiting(first)->attempts, 1U);
  ASSERT_EQ(waiting(second)->attempts, 1U);
  EXPECT_LT(waiting(first)->next_attempt, in(30min));
  EXPECT_GT(waiting(second)->next_attempt, in(60min));
}

TEST_F(OneRoute, WhatWasUnderWayWhenTheRouteDiesIsTriedAgain) {
  FakeHost& smarthost = host(9, 2525);
  std::size_t texts = 0;
  smarthost.answer = [&](const std::string& line) { return line == "." && ++texts == 10 ? "421 4.3.2 going down\r\n" : ""; };
  queue_all();
  settle();
  for (int i = 0; i < 20; ++i) pass(5min);
  EXPECT_EQ(smarthost.messages.size(), static_cast<std::size_t>(kDomains));
  EXPECT_EQ(queued_messages(), 0U);
}

// ---- among a thousand ----

struct SilentThousand : QueueOrderTest {
  static constexpr int kDomains = 1000;
  SilentThousand() {
    std::string lines;
    for (int i = 0; i < kDomains; ++i) {
      const std::string address = "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
      lines += "d" + std::to_string(i) + ".example A " + address + "\n";
      dialer.set_host(address, 25, {.is_silent = true});
    }
    zone(lines);
  }
  void queue_all() {
    testing::Letter letter;
    for (int i = 0; i < kDomains; ++i) letter.to.push_back("x@d" + std::to_string(i) + ".example");
    queue(letter);
  }
  /// All have failed once, and are due again when the runner starts anew.
  void restart_after_an_hour() {
    queue_all();
    settle();
    for (int i = 0; i < 100 && dialer.time_out() > 0; ++i) settle();
    runner->wind_down(0ms);
    settle();
    make_runner();
    world.clock.advance(std::chrono::microseconds(1h).count());
    runner->start();
    settle();
  }
};

TEST_F(SilentThousand, WhoTookMailBeforeIsNotBehindThem) {
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();  // and nothing waits for other.org any more
  queue_all();
  settle();
  EXPECT_EQ(dialer.open_connections(), 60U);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 2U);
}

TEST_F(SilentThousand, ANewDomainDoesNotWaitForAllOfThem) {
  queue_all();
  settle();
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_TRUE(other.messages.empty());  // no connection is free
  dialer.time_out();
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
}

TEST_F(SilentThousand, WhoNeverSpeaksDoesNotKeepOthersWaiting) {
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  queue_all();
  settle();
  ASSERT_EQ(dialer.open_connections(), 60U);
  pass(20s);
  EXPECT_EQ(dialer.open_connections(), 90U);
  pass(20s);
  EXPECT_EQ(dialer.open_connections(), 90U);  // the rest is for those who took mail before
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 2U);
}

TEST_F(SilentThousand, AfterARestartWhatFailedBeforeIsNotNew) {
  restart_after_an_hour();
  pass(60s);
  EXPECT_EQ(dialer.open_connections(), 30U);
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
}

TEST_F(SilentThousand, AfterARestartWhatFailedBeforeIsNotTriedAllAtOnce) {
  restart_after_an_hour();
  EXPECT_LE(dialer.open_connections(), 1U);
  pass(60s);
  EXPECT_EQ(dialer.open_connections(), 30U);
}

TEST_F(SilentThousand, AfterARestartAnOrderIsObeyedAtOnce) {
  restart_after_an_hour();
  runner->look_again("");
  settle();
  EXPECT_EQ(dialer.open_connections(), 30U);
}

// ---- a store in trouble ----

TEST_F(QueueOrderTest, ADueRowThatBelongsToNothingIsPassedOver) {
  const std::uint64_t here = store::destination_hash("example.org");
  const std::string stray = store::due_key({.destination = here, .next_attempt = {}, .id = QueueId(7), .number = 1});
  ASSERT_TRUE(store::StoreParts::of(*world.store).writer->maintain([&](store::MaintenanceContext& context) {
    return context.transaction.put(store::Table::kQueueDue, stray, {});
  }));
  FakeHost& a = host(1);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
  pass(1h);
  EXPECT_EQ(a.connections, 1U);
}

store::FailingEngine* failing_engine = nullptr;  // of the World that was made last

std::unique_ptr<store::Store> make_ordered_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing_engine = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

struct FailingStore : QueueOrderTest {
  FailingStore() : QueueOrderTest(&make_ordered_store) {}
};

TEST_F(FailingStore, DestinationsThatCouldNotBeReadAtTheStartAreReadLater) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  runner->wind_down(0ms);
  settle();
  FakeHost& a = host(1);
  make_runner();
  failing_engine->fail_snapshot(2, ErrorKind::kIo);  // the first is for the settings
  runner->start();
  settle();
  pass(6min);
  pass(1min);
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

}  // namespace
}  // namespace posthus::smtp
