// When an account's mail is put on hold.
#include "smtp/account_habit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/mail/encoded_word.h"
#include "core/mail/header.h"
#include "smtp/hold_notice.h"
#include "store/hold_reason.h"
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
    const std::string stored = change_of_habit({record, c.network, c.copies, 100});
    EXPECT_TRUE(stored.empty() || store::decode_hold_reason(stored).code != store::HoldCode::kOther) << c.name << stored;
    const std::string reason = hold_reason_words(store::decode_hold_reason(stored), mail::ReportLanguage::kEnglish);
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

TEST(HoldNotice, IsInTheLanguageOfItsReader) {
  const HoldNotice notice{.hostname = "mx.example.test",
                          .account = "anna@example.test",
                          .reason = store::encode_hold_reason({store::HoldCode::kNewNetwork, 301, 300, "192.0.2.0/24"}),
                          .queue_id = "17abc",
                          .to = "anna@example.test",
                          .now = Timestamp::from_seconds(1'795'302'400)};
  const auto subject = [&](mail::ReportLanguage language, const std::string& why) {
    const std::string text = compose_hold_notice(notice, language);
    const std::string header = text.substr(0, text.find("\r\n\r\n"));
    EXPECT_TRUE(std::ranges::all_of(header, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) << header;
    EXPECT_NE(text.find("    " + why + " (17abc)\r\n"), std::string::npos) << text;
    return mail::decode_header_text(mail::unfold(mail::find_field(header + "\r\n\r\n", "Subject")->value));
  };
  EXPECT_EQ(subject(mail::ReportLanguage::kEnglish,
                    "301 copies within ten minutes, up to 300 are usual from a network it has never used (192.0.2.0/24)"),
            "Outgoing mail of your account is on hold");
  EXPECT_EQ(subject(mail::ReportLanguage::kGerman,
                    "301 Kopien innerhalb von zehn Minuten, üblich sind bis zu 300 aus einem Netz, das noch nie benutzt wurde "
                    "(192.0.2.0/24)"),
            "Ausgehende E-Mail Ihres Kontos wird zurückgehalten");
  EXPECT_EQ(subject(mail::ReportLanguage::kNorwegian,
                    "301 kopier på ti minutter, opptil 300 er vanlig fra et nett som aldri er brukt før (192.0.2.0/24)"),
            "Utgående e-post fra kontoen din holdes tilbake");
}

}  // namespace
}  // namespace posthus::smtp
