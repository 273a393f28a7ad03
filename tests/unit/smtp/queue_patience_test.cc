// The queue runner and hosts that want to be spared: those that say so get fewer connections, a rate holds for all domains of a
// host, a family of addresses that leads nowhere is not waited for long. And mail of domains that are ours: as backup MX, or
// since it waits.
#include <gtest/gtest.h>

#include "smtp/hop_policy.h"
#include "smtp/queue_runner.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using testing::FakeHost;
using testing::QueueScene;

struct SparedHost : QueueScene {
  static constexpr int kDomains = 40;
  SparedHost() {
    std::string lines = "other.org A 192.0.2.3\n";
    for (int i = 0; i < 2 * kDomains; ++i) lines += domain(i) + " A 192.0.2.50\n";
    zone(lines);
  }
  static std::string domain(int i) { return "p" + std::to_string(i) + ".example"; }
  void queue_for(int first, int end) {
    for (int i = first; i < end; ++i) queue({.to = {"x@" + domain(i)}});
  }
  void silence() { dialer.set_host("192.0.2.50", 25, {.is_silent = true}); }
};

TEST_F(SparedHost, WhatHasEnoughOfUsGetsFewerConnectionsWhateverItsDomains) {
  for (const char* greeting : {"421 4.7.0 Too many connections\r\n", "450 4.3.2 Not now\r\n"}) {
    SCOPED_TRACE(greeting);
    host(50).greeting = greeting;
    queue_for(0, 1);
    settle();
    silence();
    queue_for(1, kDomains);
    settle();
    EXPECT_EQ(dialer.open_connections(), 1U);
    pass(61s);
    EXPECT_EQ(dialer.open_connections(), 2U);
    pass(60s);
    EXPECT_EQ(dialer.open_connections(), 4U);
    // Others are nobody's concern.
    FakeHost& other = host(3);
    other.messages.clear();
    queue({.to = {"dan@other.org"}});
    settle();
    EXPECT_EQ(other.messages.size(), 1U);
    // It is well again, and everything arrives.
    FakeHost& fake = host(50);
    fake.greeting = "220 fake.example ESMTP\r\n";
    fake.messages.clear();
    for (int i = 0; i < 10 && dialer.time_out() > 0; ++i) settle();
    for (int i = 0; i < 10; ++i) pass(600s);
    EXPECT_EQ(fake.messages.size(), static_cast<std::size_t>(kDomains));
    EXPECT_EQ(queued_messages(), 0U);
  }
}

TEST_F(SparedHost, ManyThatComplainTogetherCountOnce) {
  silence();
  queue_for(0, kDomains);
  settle();
  ASSERT_EQ(dialer.open_connections(), 20U);
  host(50).greeting = "421 4.7.0 Too many connections\r\n";
  dialer.time_out();  // the twenty that wait come, and hear it
  settle();
  silence();
  queue_for(kDomains, 2 * kDomains);
  settle();
  EXPECT_EQ(dialer.open_connections(), 10U);
}

TEST_F(SparedHost, ARateHoldsForAllItsDomains) {
  put_setting("queue.host_messages_per_minute", "60");
  runner->tick();
  FakeHost& fake = host(50);
  queue_for(0, kDomains);
  settle();
  EXPECT_EQ(fake.messages.size(), 2U);
  for (std::size_t i = 1; i <= 10; ++i) {
    pass(1s);
    EXPECT_LE(fake.messages.size(), 2 + i);
  }
  EXPECT_GE(fake.messages.size(), 11U);
  EXPECT_EQ(fake.connections, fake.messages.size());  // nobody connects to hear that he may not send
  FakeHost& other = host(3);
  for (int i = 0; i < 2; ++i) queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 2U);
  for (int i = 0; i < kDomains; ++i) pass(1s);
  EXPECT_EQ(fake.messages.size(), static_cast<std::size_t>(kDomains));
  EXPECT_TRUE(inbox().empty());
}

TEST_F(SparedHost, ARateHoldsForMessagesOfOneConnectionToo) {
  put_setting("queue.host_messages_per_minute", "1");
  runner->tick();
  FakeHost& fake = host(50);
  for (int i = 0; i < 3; ++i) queue_for(0, 1);
  settle();
  ASSERT_EQ(fake.messages.size(), 1U);
  pass(30s);
  EXPECT_EQ(fake.messages.size(), 1U);
  pass(31s);
  EXPECT_EQ(fake.messages.size(), 2U);
  pass(61s);
  EXPECT_EQ(fake.messages.size(), 3U);
  EXPECT_EQ(queued_messages(), 0U);
}

// ---- families of addresses ----

TEST(ConnectPatience, IsShortWhileTheOtherFamilyIsNext) {
  const auto hop = [](const char* host, const char* address) {
    Hop one;
    one.host = host;
    one.address = *parse_ip_address(address);
    return one;
  };
  const std::vector<Hop> hops = {hop("a", "2001:db8::1"), hop("a", "192.0.2.1"),   hop("a", "192.0.2.2"),
                                 hop("b", "2001:db8::2"), hop("c", "2001:db8::3"), hop("c", "192.0.2.3")};
  OutgoingSettings settings;
  std::vector<std::int64_t> seconds;
  for (std::size_t i = 0; i < hops.size(); ++i) seconds.push_back(connect_patience(hops, i, settings).count());
  EXPECT_EQ(seconds, (std::vector<std::int64_t>{5, 30, 30, 30, 5, 30}));
  settings.connect_deadline = 2s;
  EXPECT_EQ(connect_patience(hops, 0, settings), 2s);
}

TEST_F(SparedHost, AFamilyThatLeadsNowhereIsNotWaitedForLong) {
  zone("both.example AAAA 2001:db8::1\nboth.example A 192.0.2.50\n");
  FakeHost& fake = host(50);
  queue({.to = {"x@both.example"}});
  settle();
  ASSERT_EQ(dialer.dialled().size(), 2U);
  EXPECT_EQ(dialer.dialled()[0].address, "2001:db8::1");
  EXPECT_EQ(dialer.dialled()[0].connect_deadline, 5s);
  EXPECT_EQ(dialer.dialled()[1].connect_deadline, 30s);
  EXPECT_EQ(fake.messages.size(), 1U);
}

// ---- relay domains ----

TEST_F(SparedHost, MailOfARelayDomainWaitsForItsPrimaryWhateverTheDnsSays) {
  for (const char* name : {"branch.example", "lapsed.example"}) {
    ASSERT_TRUE(world.store->apply(store::PutDomain{{.name = name, .kind = store::DomainKind::kRelay}}));
  }
  zone("branch.example MX 20 mx.example.test\n");  // only we are left
  const QueueId forgotten = queue({.from = "cara@example.com", .to = {"x@branch.example"}});
  const QueueId lapsed = queue({.from = "cara@example.com", .to = {"x@lapsed.example"}});
  settle();
  pass(3h);
  ASSERT_TRUE(is_queued(forgotten));
  ASSERT_TRUE(is_queued(lapsed));
  EXPECT_NE(waiting(lapsed)->last_reply.find("does not exist"), std::string::npos) << waiting(lapsed)->last_reply;
  zone("branch.example MX 10 p.branch.example\np.branch.example A 192.0.2.50\nlapsed.example A 192.0.2.50\n");
  FakeHost& primary = host(50);
  for (int i = 0; i < 3; ++i) pass(5h);
  EXPECT_EQ(primary.messages.size(), 2U);
  EXPECT_FALSE(is_queued(forgotten));
  // What the primary itself refuses goes back.
  primary.answer = [](const std::string& line) { return line.starts_with("RCPT") ? "550 5.1.1 nobody\r\n" : ""; };
  const QueueId refused = queue({.to = {"y@branch.example"}});
  settle();
  EXPECT_FALSE(is_queued(refused));
  EXPECT_EQ(inbox().size(), 1U);
}

TEST_F(SparedHost, MailOfADomainThatBecameOursMeanwhileIsHandedToOurOwnListener) {
  put_setting("queue.bind_addresses", "192.0.2.77");
  zone("moving.example MX 10 mx.example.test\n");  // the DNS is ahead of the admin
  zone("moved.example A 192.0.2.50\n");
  FakeHost& before = host(50);
  before.answer = [](const std::string& line) { return line.starts_with("RCPT") ? "450 4.2.1 moving\r\n" : ""; };
  const QueueId id = queue({.to = {"ben@moved.example"}});
  settle();
  ASSERT_TRUE(is_queued(id));
  world.add_domain("moved.example");
  world.add_domain("moving.example");
  FakeHost& own = host(250, 2525);
  pass(6min);
  EXPECT_FALSE(is_queued(id));
  queue({.to = {"ben@moving.example"}});
  settle();
  EXPECT_EQ(own.messages.size(), 2U);
  EXPECT_TRUE(inbox().empty());
  EXPECT_EQ(dialer.dialled().back().bind_address, dialer.dialled().back().address)
      << "so that it is known what the listener sees";
}

}  // namespace
}  // namespace posthus::smtp
