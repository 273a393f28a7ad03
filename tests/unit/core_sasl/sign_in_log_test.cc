// The list of sign-ins: what is the same is counted, each entry has a place of its own, and what has changed can be kept and
// restored.
#include "core/sasl/sign_in_log.h"

#include <gtest/gtest.h>

#include <set>

namespace posthus::sasl {
namespace {

class SignInLogTest : public ::testing::Test {
 protected:
  static SignIn sign_in(std::string login, std::string result = "accepted") {
    return {.login = std::move(login), .protocol = "imap", .remote_address = "203.0.113.9", .result = std::move(result)};
  }
  std::vector<SignIn> unsaved() { return log_.take_unsaved(SIZE_MAX); }
  ManualClock clock_{Timestamp::from_seconds(1'700'000'000)};
  SignInLog log_{clock_};
};

TEST_F(SignInLogTest, WhatHasChangedIsTakenOnce) {
  log_.add(sign_in("anna"));
  log_.add(sign_in("eve", "rejected"));
  EXPECT_EQ(unsaved().size(), 2u);
  EXPECT_TRUE(unsaved().empty());
  log_.add(sign_in("anna"));
  const auto again = unsaved();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].count, 2u) << "in the same place, so that the row is written over";
  EXPECT_EQ(again[0].slot, 0u);
  log_.put_back(again);
  EXPECT_EQ(unsaved().size(), 1u) << "it could not be kept";
}

TEST_F(SignInLogTest, TakenInPieces) {
  for (int i = 0; i < 10; ++i) log_.add(sign_in("user" + std::to_string(i)));
  std::size_t taken = 0;
  for (int round = 0; round < 4; ++round) taken += log_.take_unsaved(3).size();
  EXPECT_EQ(taken, 10u);
  EXPECT_TRUE(unsaved().empty());
}

TEST_F(SignInLogTest, TheNewTakeThePlacesOfTheOldest) {
  for (std::size_t i = 0; i < kMaxSignIns + 10; ++i) log_.add(sign_in("user" + std::to_string(i)));
  const auto taken = unsaved();
  EXPECT_EQ(taken.size(), kMaxSignIns) << "what went before it was taken is nobody's";
  std::set<std::uint16_t> slots;
  for (const SignIn& one : taken) slots.insert(one.slot);
  EXPECT_EQ(slots.size(), kMaxSignIns);
  EXPECT_EQ(*slots.rbegin(), kMaxSignIns - 1);
}

TEST_F(SignInLogTest, WhatWasKeptIsThereAgainAndGrowsOn) {
  log_.add(sign_in("anna"));
  log_.add(sign_in("eve", "rejected"));
  log_.add(sign_in("kari"));
  SignInLog after(clock_);
  after.restore(unsaved());
  EXPECT_TRUE(after.take_unsaved(10).empty()) << "it is kept already";
  ASSERT_EQ(after.all().size(), 3u);
  EXPECT_EQ(after.all()[0].login, "kari") << "the newest first";
  after.add(sign_in("anna"));
  const auto all = after.all();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].login, "anna");
  EXPECT_EQ(all[0].count, 2u);
  after.add(sign_in("hans"));
  std::set<std::uint16_t> slots;
  for (const SignIn& one : after.all()) {
    if (one.is_success()) slots.insert(one.slot);
  }
  EXPECT_EQ(slots.size(), 3u) << "no two in one place";
}

TEST_F(SignInLogTest, PlacesThatAreNoneAreNotRestored) {
  SignIn broken = sign_in("anna");
  broken.slot = kMaxSignIns;
  SignIn one = sign_in("kari"), same_place = sign_in("eve");
  one.number = 2;
  same_place.number = 1;
  log_.restore({broken, one, same_place});
  ASSERT_EQ(log_.all().size(), 1u);
  EXPECT_EQ(log_.all()[0].login, "kari");
}

}  // namespace
}  // namespace posthus::sasl
