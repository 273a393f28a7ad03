// Connections that stand by for a moment because mail for their host comes one after the other (smtp/queue_standby.cc).
// Store, DNS and hosts are in memory, the clock stands still.
#include <gtest/gtest.h>

#include "smtp/queue_runner.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using testing::FakeHost;
using testing::QueueScene;

struct StandByTest : QueueScene {
  StandByTest() { zone("example.org A 192.0.2.1\nother.org A 192.0.2.1\nthird.org A 192.0.2.3\n"); }

  void send(const std::string& to, int count = 1) {
    for (int i = 0; i < count; ++i) {
      queue({.to = {to}});
      settle();
    }
  }
  void route(const std::string& name, int last) {
    ASSERT_TRUE(world.store->apply(store::PutRoute{{.name = name, .hops = {{"192.0.2." + std::to_string(last), 25}}}}));
  }
};

TEST_F(StandByTest, WhatComesOneAfterTheOtherGoesOverOneConnection) {
  FakeHost& a = host(1);
  send("ben@example.org", 10);
  EXPECT_EQ(a.messages.size(), 10U);
  EXPECT_EQ(a.connections, 2U);  // after the first nobody knew yet that more would come
  EXPECT_EQ(dialer.open_connections(), 1U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, AMessageNowAndThenKeepsNoConnection) {
  FakeHost& a = host(1);
  for (int i = 0; i < 3; ++i) {
    send("ben@example.org");
    EXPECT_EQ(dialer.open_connections(), 0U);
    pass(2s);
  }
  EXPECT_EQ(a.connections, 3U);
}

TEST_F(StandByTest, ItEndsAfterAMoment) {
  host(1);
  send("ben@example.org", 2);
  ASSERT_EQ(dialer.open_connections(), 1U);
  pass(1s);
  EXPECT_EQ(dialer.open_connections(), 0U);
}

TEST_F(StandByTest, AHostThatEndedItMeanwhileIsDialledAgain) {
  FakeHost& a = host(1);
  send("ben@example.org", 2);
  dialer.close_all();
  settle();
  send("ben@example.org");
  EXPECT_EQ(a.messages.size(), 3U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, AHostThatEndsItWhenWeSpeakIsDialledAgainAtOnce) {
  FakeHost& a = host(1);
  send("ben@example.org", 2);
  bool was_asked = false;
  a.answer = [&](const std::string& line) {
    return line.starts_with("MAIL") && !std::exchange(was_asked, true) ? std::string("421 4.4.2 idle for too long\r\n") : "";
  };
  send("ben@example.org");
  EXPECT_TRUE(was_asked);
  EXPECT_EQ(a.messages.size(), 3U);
  EXPECT_EQ(a.connections, 3U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, AHostThatRefusesTheNewConnectionAsWellIsLeftAlone) {
  FakeHost& a = host(1);
  send("ben@example.org", 2);
  int asked = 0;
  a.answer = [&](const std::string& line) { return line.starts_with("MAIL") && ++asked ? "421 4.3.2 not now\r\n" : ""; };
  send("ben@example.org");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(queued_messages(), 1U);
}

TEST_F(StandByTest, BehindARouteItTakesMailOfOtherDomains) {
  FakeHost& smarthost = host(9);
  route("*", 9);
  for (int i = 0; i < 5; ++i) {
    for (const std::string domain : {"example.org", "other.org", "third.org"}) send("ben@" + domain);
  }
  EXPECT_EQ(smarthost.messages.size(), 15U);
  EXPECT_LE(smarthost.connections, 5U);  // one for each domain the first time, then two in all
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, DomainsThatMerelyShareAHostDoNotShareIt) {
  FakeHost& a = host(1);
  send("ben@example.org", 3);
  send("ben@other.org", 3);
  EXPECT_EQ(a.messages.size(), 6U);
  EXPECT_EQ(a.connections, 3U);  // the third of them stands by at once: the host is busy
  EXPECT_EQ(dialer.open_connections(), 2U);
}

TEST_F(StandByTest, MailThatGoesAnotherWayIsNotHeldUp) {
  FakeHost &a = host(1), &other = host(3);
  send("ben@example.org", 3);
  queue({.to = {"ben@example.org"}, .route = "smtp://192.0.2.3:25"});
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
  send("ben@example.org", 2);
  EXPECT_EQ(a.messages.size(), 5U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, AChangedRouteIsFollowed) {
  FakeHost &old = host(9), &next = host(8);
  route("*", 9);
  send("ben@example.org", 3);
  send("ben@other.org", 3);
  route("other.org", 8);
  runner->look_again("other.org");
  settle();
  send("ben@other.org", 3);
  send("ben@example.org");
  EXPECT_EQ(old.messages.size(), 7U);
  EXPECT_EQ(next.messages.size(), 3U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, ItGivesWayToWhoeverWaitsForTheHost) {
  put_setting("queue.host_connections", "1");
  runner->tick();
  FakeHost& a = host(1);
  send("ben@example.org", 2);
  ASSERT_EQ(dialer.open_connections(), 1U);
  send("cleo@other.org");
  EXPECT_EQ(a.messages.size(), 3U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, ItGivesWayWhenAllConnectionsAreTaken) {
  put_setting("queue.total_connections", "1");
  runner->tick();
  host(1);
  FakeHost& other = host(3);
  send("ben@example.org", 2);
  ASSERT_EQ(dialer.open_connections(), 1U);
  send("cleo@third.org");
  EXPECT_EQ(other.messages.size(), 1U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(StandByTest, TheEndOfTheServerEndsIt) {
  host(1);
  send("ben@example.org", 2);
  ASSERT_EQ(dialer.open_connections(), 1U);
  runner->wind_down(0ms);
  settle();
  EXPECT_EQ(dialer.open_connections(), 0U);
}

}  // namespace
}  // namespace posthus::smtp
