// Dry runs towards addresses of ours: what the directory says to the one who would write.
#include "core/main/send_tests.h"

#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"

namespace posthus::main {
namespace {

class DryRunsTest : public ::testing::Test {
 protected:
  DryRunsTest() {
    world_.add_user("anna@example.test", "secret");
    world_.add_user("bert@example.test", "secret");
    world_.add_group("team@example.test", store::GroupWriters::kMembers, {"anna@example.test"});
    world_.add_group("all@example.test", store::GroupWriters::kDomain, {"anna@example.test"});
    world_.add_group("open@example.test", store::GroupWriters::kAnyone, {"anna@example.test"});
  }
  ~DryRunsTest() override { trials_.stop(); }

  /// The verdict of a dry run.
  std::string verdict(std::string_view local_part, const std::string& from) {
    const auto id = runs_.start({std::string(local_part), "example.test"}, from);
    EXPECT_TRUE(id) << from;
    return id ? std::string(runs_.find(*id).value().verdict) : std::string();
  }

  testing::World world_;
  dns::MemoryResolver resolver_;
  testing::MemoryDialer dialer_;
  smtp::Trials trials_{smtp::TrialContext{.store = *world_.store,
                                          .resolver = resolver_,
                                          .dialer = dialer_,
                                          .clock = world_.clock,
                                          .hostname = "mx.example.test",
                                          .run_blocking = [](std::move_only_function<void()>) {},
                                          .is_own_address = [](const std::string&, std::uint16_t) { return false; }}};
  DryRuns runs_{*world_.store, trials_, world_.clock};
};

TEST_F(DryRunsTest, AGroupIsClosedToWhomRcptWouldRefuse) {
  EXPECT_EQ(verdict("team", "anna@example.test"), "deliverable");
  EXPECT_EQ(verdict("team", "bert@example.test"), "refused");
  EXPECT_EQ(verdict("team", "y@else.test"), "refused");
  EXPECT_EQ(verdict("team", ""), "refused") << "the null reverse-path is nobody's";
  EXPECT_EQ(verdict("all", "bert@example.test"), "deliverable");
  EXPECT_EQ(verdict("all", "y@else.test"), "refused");
  EXPECT_EQ(verdict("open", "y@else.test"), "deliverable");
}

}  // namespace
}  // namespace posthus::main
