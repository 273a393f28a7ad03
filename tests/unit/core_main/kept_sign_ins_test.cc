// Sign-ins over a restart: what one process has listed the next one knows; what cannot be written is not lost.
#include "core/main/kept_sign_ins.h"

#include <gtest/gtest.h>

#include "core/sasl/sign_in_log.h"
#include "store/record_sign_in.h"
#include "tests/support/world.h"

namespace posthus::main {
namespace {

class KeptSignInsTest : public ::testing::Test {
 protected:
  KeptSignInsTest() { world_.add_user("anna@example.test", "password-1"); }
  static void log_in(sasl::Authenticator& authenticator, const std::string& password) {
    auto exchange = authenticator.begin_password("anna@example.test", Secret(password),
                                                 {.protocol = "imap", .remote_address = "203.0.113.9", .is_tls = true});
    if (exchange->state() == sasl::LoginExchange::State::kVerify) exchange->verify();
  }
  /// Another process on the same store.
  std::unique_ptr<sasl::Authenticator> restarted() {
    auto authenticator = std::make_unique<sasl::Authenticator>(*world_.credentials, world_.clock, sasl::AuthenticatorOptions{});
    EXPECT_TRUE(kept(*authenticator).restore());
    return authenticator;
  }
  KeptSignIns kept(sasl::Authenticator& authenticator) {
    return KeptSignIns({*world_.store, authenticator, [](std::move_only_function<void()> work) {
                          work();
                          return true;
                        }});
  }
  std::size_t rows() {
    const auto snapshot = world_.store->snapshot();
    return store::read_sign_ins(**snapshot).value().size();
  }
  testing::World world_;
};

TEST_F(KeptSignInsTest, WhoWasThereIsKnownAfterARestart) {
  KeptSignIns keeper = kept(*world_.authenticator);
  log_in(*world_.authenticator, "password-1");
  log_in(*world_.authenticator, "wrong");
  log_in(*world_.authenticator, "wrong");
  keeper.tick();
  EXPECT_EQ(rows(), 2u) << "what is the same has one row";
  const auto next = restarted();
  const auto all = next->sign_ins();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].result, "rejected");
  EXPECT_EQ(all[0].count, 2u);
  EXPECT_EQ(all[0].remote_address, "203.0.113.9");
  EXPECT_TRUE(all[0].is_tls);
  EXPECT_EQ(all[1].result, "accepted");
  log_in(*next, "password-1");
  kept(*next).flush();
  EXPECT_EQ(rows(), 2u) << "the row grows on";
  EXPECT_EQ(restarted()->sign_ins()[0].count, 2u);
}

TEST_F(KeptSignInsTest, NothingNewWritesNothing) {
  KeptSignIns keeper = kept(*world_.authenticator);
  log_in(*world_.authenticator, "password-1");
  keeper.tick();
  const std::uint64_t commits = world_.commits();
  keeper.tick();
  EXPECT_EQ(world_.commits(), commits);
}

TEST_F(KeptSignInsTest, AGuesserFillsItsRowsAndNoMore) {
  KeptSignIns keeper = kept(*world_.authenticator);
  for (std::size_t i = 0; i < store::kSignInSlots + 700; ++i) {
    world_.authenticator->passkey_checked("user" + std::to_string(i), {.protocol = "http"}, "wrong signature");
    if (i % 900 == 0) keeper.tick();
  }
  keeper.tick();
  EXPECT_EQ(rows(), store::kSignInSlots);
  const auto all = restarted()->sign_ins();
  ASSERT_EQ(all.size(), store::kSignInSlots);
  EXPECT_EQ(all.front().login, "user" + std::to_string(store::kSignInSlots + 699));
}

}  // namespace
}  // namespace posthus::main
