// The throttle's promises: guessing gets slow, owners on networks they have used get in.
#include "core/sasl/login_throttle.h"
#include "core/base/shared_addresses.h"

#include <gtest/gtest.h>

namespace posthus::sasl {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

struct ThrottleTest : testing::Test {
  ManualClock clock{Timestamp::from_seconds(1'000'000)};
  LoginThrottle throttle{clock, {*parse_ip_network("10.0.0.0/8")}};

  LoginThrottle::Origin from(std::string_view login, std::string_view address) { return throttle.origin(login, address); }
  /// Fails `count` times with different passwords, waiting out every block.
  void fail_patiently(const LoginThrottle::Origin& origin, int count) {
    for (int i = 0; i < count; ++i) {
      while (!throttle.admits(origin)) clock.advance(kSecond);
      throttle.failed(origin, 0);
    }
  }
  int admitted_guesses(const LoginThrottle::Origin& origin, int seconds) {
    int guesses = 0;
    for (int i = 0; i < seconds; ++i, clock.advance(kSecond)) {
      if (!throttle.admits(origin)) continue;
      throttle.failed(origin, 0);
      ++guesses;
    }
    return guesses;
  }
};

TEST_F(ThrottleTest, BlocksAfterFiveFailuresAndOpensAgain) {
  const auto guesser = from("anna", "192.0.2.1");
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(throttle.admits(guesser));
    throttle.failed(guesser, 0);
  }
  EXPECT_FALSE(throttle.admits(guesser));
  clock.advance(10 * kSecond);
  EXPECT_TRUE(throttle.admits(guesser));
}

TEST_F(ThrottleTest, BlocksLongerEachTimeUpToAQuarterOfAnHour) {
  const auto guesser = from("anna", "192.0.2.1");
  EXPECT_LT(admitted_guesses(guesser, 24 * 3600), 110);
  throttle.failed(guesser, 0);
  EXPECT_FALSE(throttle.admits(guesser));
  clock.advance(15 * 60 * kSecond);
  EXPECT_TRUE(throttle.admits(guesser));
}

TEST_F(ThrottleTest, BlocksGoOnInTheNextProcess) {
  const auto guesser = from("anna", "192.0.2.1");
  fail_patiently(guesser, 9);
  for (int i = 0; i < 60; ++i) throttle.failed(from("user" + std::to_string(i), "203.0.113.9"), 0);
  for (int i = 0; i < 5; ++i) throttle.code_failed("ben");
  ASSERT_EQ(throttle.blocks().size(), 3u);
  LoginThrottle next(clock, {});
  next.restore(throttle.blocks());
  EXPECT_FALSE(next.admits(next.origin("anna", "192.0.2.1")));
  EXPECT_FALSE(next.admits(next.origin("somebody", "203.0.113.9"))) << "the network";
  EXPECT_FALSE(next.admits_code("ben"));
  EXPECT_TRUE(next.admits(next.origin("anna", "198.51.100.1")));
  EXPECT_TRUE(next.admits(next.origin("ben", "192.0.2.1")));
  // The next failure goes on where the last process stopped.
  while (!next.admits(next.origin("anna", "192.0.2.1"))) clock.advance(kSecond);
  next.failed(next.origin("anna", "192.0.2.1"), 0);
  clock.advance(300 * kSecond);
  EXPECT_FALSE(next.admits(next.origin("anna", "192.0.2.1"))) << "the tenth failure blocks longer than the first";
  // It can be lifted there.
  const auto blocks = next.blocks();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_TRUE(next.lift(blocks[0].id));
  EXPECT_TRUE(next.admits(next.origin("anna", "192.0.2.1")));
}

TEST_F(ThrottleTest, WhatIsOverIsNotBlockedAgain) {
  const auto guesser = from("anna", "192.0.2.1");
  fail_patiently(guesser, 5);
  auto kept = throttle.blocks();
  ASSERT_EQ(kept.size(), 1u);
  LoginThrottle back(clock, {});
  kept[0].until = Timestamp::from_seconds(9'000'000);  // the clock was put back by months
  back.restore(kept);
  clock.advance(15 * 60 * kSecond);
  EXPECT_TRUE(back.admits(back.origin("anna", "192.0.2.1"))) << "no longer than the rule allows";
  LoginThrottle late(clock, {});
  late.restore(throttle.blocks());
  EXPECT_TRUE(late.admits(late.origin("anna", "192.0.2.1")));
}

TEST_F(ThrottleTest, ForgetsOldFailures) {
  const auto guesser = from("anna", "192.0.2.1");
  for (int i = 0; i < 4; ++i) throttle.failed(guesser, 0);
  clock.advance(3601 * kSecond);
  throttle.failed(guesser, 0);
  EXPECT_TRUE(throttle.admits(guesser));
}

TEST_F(ThrottleTest, OtherAccountsOnTheSameNetworkAreNotBlockedByAFewFailures) {
  fail_patiently(from("anna", "192.0.2.1"), 5);
  EXPECT_FALSE(throttle.admits(from("anna", "192.0.2.1")));
  EXPECT_TRUE(throttle.admits(from("bert", "192.0.2.1")));
  EXPECT_TRUE(throttle.admits(from("anna", "192.0.2.2")));
}

TEST_F(ThrottleTest, ANetworkThatTriesManyAccountsIsBlocked) {
  for (int i = 0; i < 50; ++i) throttle.failed(from("user" + std::to_string(i), "192.0.2.1"), 0);
  EXPECT_FALSE(throttle.admits(from("carol", "192.0.2.1")));
  EXPECT_TRUE(throttle.admits(from("carol", "192.0.2.2")));
}

TEST_F(ThrottleTest, OneIpv6SiteIsOneNetwork) {
  for (int i = 0; i < 5; ++i) throttle.failed(from("anna", "2001:db8::" + std::to_string(i + 1)), 0);
  EXPECT_FALSE(throttle.admits(from("anna", "2001:db8::ffff")));
  EXPECT_TRUE(throttle.admits(from("anna", "2001:db8:0:1::1")));
}

TEST_F(ThrottleTest, AttacksFromElsewhereDoNotLockOutAKnownNetwork) {
  const auto home = from("anna", "198.51.100.7");
  throttle.succeeded(home);
  for (int i = 0; i < 5000; ++i)
    throttle.failed(from("anna", "203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)), 0);
  EXPECT_TRUE(throttle.admits(home));
}

TEST_F(ThrottleTest, AttacksOnOneAccountSlowUnknownNetworksOnlyShortly) {
  for (int i = 0; i < 5000; ++i)
    throttle.failed(from("anna", "203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)), 0);
  const auto hotel = from("anna", "198.51.100.7");
  EXPECT_FALSE(throttle.admits(hotel));
  clock.advance(30 * kSecond);
  EXPECT_TRUE(throttle.admits(hotel));
}

TEST_F(ThrottleTest, NeighboursOnAKnownNetworkDoNotLockItOut) {
  const auto home = from("anna", "198.51.100.7");
  throttle.succeeded(home);
  for (int i = 0; i < 200; ++i) throttle.failed(from("user" + std::to_string(i), "198.51.100.7"), 0);
  for (int i = 0; i < 200; ++i) throttle.failed(home, 0);
  EXPECT_TRUE(throttle.admits(home));
}

TEST_F(ThrottleTest, EndlessGuessingFromAKnownNetworkMakesItUnknown) {
  const auto home = from("anna", "198.51.100.7");
  throttle.succeeded(home);
  for (std::uint32_t i = 0; i < kKnownNetworkFailures; ++i) throttle.failed(home, 0);
  EXPECT_FALSE(throttle.admits(home));
}

TEST_F(ThrottleTest, AClientThatRepeatsOneWrongPasswordCountsOnce) {
  const auto client = from("anna", "192.0.2.1");
  for (int i = 0; i < 40; ++i) throttle.failed(client, 77);
  EXPECT_TRUE(throttle.admits(client));
  for (int i = 0; i < 20; ++i) throttle.failed(client, 77);  // but its network gets slow in the end
  EXPECT_FALSE(throttle.admits(client));
}

TEST_F(ThrottleTest, ExemptNetworksAndUnixSocketsAreNeverBlockedButLoopbackIs) {
  for (int i = 0; i < 100; ++i) {
    throttle.failed(from("anna", "10.1.2.3"), 0);
    throttle.failed(from("anna", ""), 0);
    throttle.failed(from("bert", "127.0.0.1"), 0);
  }
  EXPECT_TRUE(throttle.admits(from("anna", "10.1.2.3")));
  EXPECT_TRUE(throttle.admits(from("anna", "")));
  EXPECT_FALSE(throttle.admits(from("bert", "127.0.0.1")));
}

// Many clients behind one address: 172.17.0.1 is a gateway.
struct SharedThrottleTest : testing::Test {
  SharedThrottleTest() { shared.set_gateways({*parse_ip_address("172.17.0.1")}); }
  ManualClock clock{Timestamp::from_seconds(1'000'000)};
  SharedAddresses shared{clock, {}};
  LoginThrottle throttle{clock, {}, &shared};
  LoginThrottle::Origin from(std::string_view login) { return throttle.origin(login, "172.17.0.1"); }
};

TEST_F(SharedThrottleTest, AGuesserDoesNotLockOthersOutOfASharedAddress) {
  for (int i = 0; i < 1000; ++i) throttle.failed(from("account" + std::to_string(i)), 0);
  for (int i = 0; i < 20; ++i) throttle.failed(from("anna"), 0);
  EXPECT_TRUE(throttle.admits(from("ben")));
  EXPECT_TRUE(throttle.admits(from("anna")));
}

TEST_F(SharedThrottleTest, GuessingAtOneAccountIsSlowedDownAllTheSame) {
  throttle.succeeded(from("anna"));
  int guesses = 0;
  for (int second = 0; second < 24 * 3600; ++second, clock.advance(kSecond)) {
    if (!throttle.admits(from("anna"))) continue;
    throttle.failed(from("anna"), 0);
    ++guesses;
  }
  EXPECT_LT(guesses, 3100) << "that the owner comes from there, too, excuses nobody";
  EXPECT_TRUE(throttle.admits(throttle.origin("ben", "192.0.2.1")));
}

TEST_F(SharedThrottleTest, AnOldPasswordInAClientCountsOnce) {
  for (int i = 0; i < 1000; ++i) throttle.failed(from("anna"), 77);
  EXPECT_TRUE(throttle.admits(from("anna")));
}

}  // namespace
}  // namespace posthus::sasl
