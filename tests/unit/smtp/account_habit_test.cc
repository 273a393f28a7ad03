// When an account's mail is put on hold.
#include "smtp/account_habit.h"

#include <gtest/gtest.h>

#include "store/sending_reader.h"

namespace posthus::smtp {
namespace {

struct HabitCase {
  const char* name;
  std::uint32_t window, usual_peak, messages, bounces;
  std::vector<std::string> networks;
  std::string network;
  std::uint32_t copies;
  bool is_held_already;
  const char* reason;  // what it begins with; empty: as usual
};

TEST(ChangeOfHabit, HoldsBurstsStrangersAndBounces) {
  const HabitCase cases[] = {
      {"the first message", 0, 0, 0, 0, {}, "192.0.2.0/24", 1, false, ""},
      {"what surprises nobody", 60, 0, 60, 0, {}, "192.0.2.0/24", 40, false, ""},
      {"one more", 60, 0, 60, 0, {}, "192.0.2.0/24", 41, false, "101 copies within ten minutes, up to 100 are usual"},
      {"a newsletter as always", 0, 500, 0, 0, {}, "", 2000, false, ""},
      {"four times of it", 0, 500, 0, 0, {}, "", 2001, false, "2001 copies"},
      {"a known network", 0, 0, 0, 0, {"192.0.2.0/24"}, "192.0.2.0/24", 100, false, ""},
      {"a new network, few", 0, 0, 0, 0, {"192.0.2.0/24"}, "198.51.100.0/24", 50, false, ""},
      {"a new network, many",
       0,
       0,
       0,
       0,
       {"192.0.2.0/24"},
       "198.51.100.0/24",
       51,
       false,
       "51 copies within ten minutes, up to 50"},
      {"an unknown address", 0, 0, 0, 0, {"192.0.2.0/24"}, "", 100, false, ""},
      {"few bounces", 0, 0, 19, 19, {}, "", 1, false, ""},
      {"many, but of many more", 0, 0, 41, 20, {}, "", 1, false, ""},
      {"half of all came back", 0, 0, 40, 20, {}, "", 1, false, "20 of 40 copies sent today could not be delivered"},
      {"held already", 500, 0, 500, 500, {}, "", 500, true, ""},
      {"nobody elsewhere", 500, 0, 0, 0, {}, "", 0, false, ""},
  };
  for (const HabitCase& c : cases) {
    store::SendingRecord record;
    record.window_messages = c.window;
    record.usual_peak = c.usual_peak;
    record.messages = c.messages;
    record.bounces = c.bounces;
    record.is_held = c.is_held_already;
    for (const std::string& network : c.networks) record.networks.push_back({network, 1});
    const std::string reason = change_of_habit({record, c.network, c.copies, 100});
    const std::string_view wanted = c.reason;
    EXPECT_EQ(reason.substr(0, wanted.size()), wanted) << c.name;
    EXPECT_EQ(reason.empty(), wanted.empty()) << c.name << ": " << reason;
  }
}

TEST(ChangeOfHabit, ANewsletterToHundredAndFiftyPeopleIsNone) {
  const std::uint32_t burst = store::EffectiveLimits{}.burst;
  store::SendingRecord record;
  EXPECT_EQ(change_of_habit({record, "192.0.2.0/24", 150, burst}), "") << "the first one ever";
  record.window_messages = 150;
  EXPECT_EQ(change_of_habit({record, "192.0.2.0/24", 150, burst}), "") << "its correction right after it";
  EXPECT_NE(change_of_habit({record, "192.0.2.0/24", 200, burst}), "");
  record.window_messages = 0;
  record.networks.push_back({"192.0.2.0/24", 1});
  EXPECT_EQ(change_of_habit({record, "198.51.100.0/24", 150, burst}), "") << "on a journey";
  EXPECT_NE(change_of_habit({record, "198.51.100.0/24", 200, burst}), "");
}

TEST(ChangeOfHabit, NetworksAreThoseOfAProvidersCustomer) {
  EXPECT_EQ(habit_network("192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(habit_network("2001:db8:1:2::3"), "2001:db8:1::/48");
  EXPECT_EQ(habit_network(""), "");
}

}  // namespace
}  // namespace posthus::smtp
