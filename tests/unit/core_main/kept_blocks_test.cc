// Login blocks over a restart: who may not try in one process may not in the next; what is over or lifted is forgotten.
#include "core/main/kept_blocks.h"

#include <gtest/gtest.h>

#include "core/sasl/login_throttle.h"
#include "store/record_login_block.h"
#include "tests/support/world.h"

namespace posthus::main {
namespace {

class KeptBlocksTest : public ::testing::Test {
 protected:
  KeptBlocksTest() { world_.add_user("anna@example.test", "password-1"); }
  static sasl::LoginVerdict log_in(sasl::Authenticator& authenticator, const std::string& login, const std::string& password) {
    auto exchange = authenticator.begin_password(login, Secret(password),
                                                 {.protocol = "imap", .remote_address = "203.0.113.9", .is_tls = true});
    if (exchange->state() == sasl::LoginExchange::State::kVerify) exchange->verify();
    return exchange->verdict();
  }
  static void guess(sasl::Authenticator& authenticator) {
    for (int i = 0; i < 6; ++i) log_in(authenticator, "anna@example.test", "wrong" + std::to_string(i));
  }
  /// Another process on the same store.
  std::unique_ptr<sasl::Authenticator> restarted() {
    auto authenticator = std::make_unique<sasl::Authenticator>(*world_.credentials, world_.clock, sasl::AuthenticatorOptions{});
    KeptBlocks keeper(*world_.store, *authenticator);
    EXPECT_TRUE(keeper.restore());
    return authenticator;
  }
  std::size_t rows() {
    const auto snapshot = world_.store->snapshot();
    return store::read_login_blocks(**snapshot).value().size();
  }
  testing::World world_;
};

TEST_F(KeptBlocksTest, WhoMayNotTryMayNotAfterARestart) {
  KeptBlocks keeper(*world_.store, *world_.authenticator);
  guess(*world_.authenticator);
  keeper.flush();
  EXPECT_EQ(rows(), 1u);
  const auto next = restarted();
  const auto blocks = next->blocks();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].login, "anna@example.test");
  EXPECT_EQ(blocks[0].network, "203.0.113.9/32");
  EXPECT_EQ(blocks[0].failures, 5u) << "what was not looked at is not counted";
  EXPECT_EQ(log_in(*next, "anna@example.test", "password-1"), sasl::LoginVerdict::kThrottled);
  EXPECT_TRUE(next->unblock(blocks[0].id));
  EXPECT_EQ(log_in(*next, "anna@example.test", "password-1"), sasl::LoginVerdict::kAccepted);
}

TEST_F(KeptBlocksTest, WhatIsLiftedOrOverIsForgotten) {
  KeptBlocks keeper(*world_.store, *world_.authenticator);
  guess(*world_.authenticator);
  keeper.flush();
  ASSERT_TRUE(world_.authenticator->unblock(world_.authenticator->blocks().at(0).id));
  keeper.flush();
  EXPECT_EQ(rows(), 0u);
  guess(*world_.authenticator);
  keeper.flush();
  ASSERT_EQ(rows(), 1u);
  world_.clock.advance(3600 * 1'000'000LL);
  EXPECT_TRUE(restarted()->blocks().empty());
  keeper.flush();
  EXPECT_EQ(rows(), 0u);
}

TEST_F(KeptBlocksTest, NothingNewWritesNothing) {
  KeptBlocks keeper(*world_.store, *world_.authenticator);
  guess(*world_.authenticator);
  keeper.flush();
  const std::uint64_t commits = world_.commits();
  keeper.flush();
  KeptBlocks next(*world_.store, *world_.authenticator);
  ASSERT_TRUE(next.restore());
  next.flush();
  EXPECT_EQ(world_.commits(), commits);
}

TEST_F(KeptBlocksTest, AThousandGuessersFillTheRowsAndNoMore) {
  KeptBlocks keeper(*world_.store, *world_.authenticator);
  for (std::size_t i = 0; i < store::kMaxLoginBlocks + 100; ++i) {
    for (int j = 0; j < 5; ++j) {
      world_.authenticator->code_checked("user" + std::to_string(i), {.protocol = "http"},
                                         sasl::Authenticator::CodeVerdict::kWrong);
    }
    world_.clock.advance(1000);
  }
  keeper.flush();
  EXPECT_EQ(rows(), store::kMaxLoginBlocks);
  EXPECT_TRUE(world_.authenticator->admits_code("user"));
  EXPECT_FALSE(restarted()->admits_code("user" + std::to_string(store::kMaxLoginBlocks + 99))) << "the newest hold longest";
}

}  // namespace
}  // namespace posthus::main
