// Alerts open and close by what is seen some times in a row: nothing flaps, nothing unknown counts as good.
#include "core/main/alert_book.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace posthus::main {
namespace {

using store::AlertKind;
using store::AlertRecord;

class AlertBookTest : public ::testing::Test {
 protected:
  // One look; what it changes goes into the "store".
  std::string look(std::vector<Observation> found, std::vector<AlertKind> unknown = {}) {
    Observed observed{.found = std::move(found)};
    for (const AlertKind kind : unknown) observed.is_unknown[static_cast<std::size_t>(kind)] = true;
    std::string out;
    for (const AlertRecord& alert : book_.judge(alerts_, observed, Timestamp::from_seconds(++now_))) {
      out += std::string(alert.is_open() ? "+" : "-") + std::string(to_string(alert.kind)) + ":" + alert.subject + " ";
      const auto before = std::ranges::find(alerts_, alert.id, &AlertRecord::id);
      if (before == alerts_.end()) {
        alerts_.push_back(alert);
      } else {
        *before = alert;
      }
    }
    return out;
  }
  static Observation disk(Level level) { return {AlertKind::kDisk, "", level, {"3"}}; }
  static Observation hold(const char* who) { return {AlertKind::kHold, who, Level::kBad, {"burst"}}; }

  AlertBook book_;
  std::vector<AlertRecord> alerts_;
  std::int64_t now_ = 1000;
};

TEST_F(AlertBookTest, OpensOnceAndClosesOnce) {
  EXPECT_EQ(look({disk(Level::kBad)}), "");
  EXPECT_EQ(look({disk(Level::kBad)}), "+disk: ");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(look({disk(Level::kBad)}), "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(look({disk(Level::kGood)}), "");
  EXPECT_EQ(look({disk(Level::kGood)}), "-disk: ");
  EXPECT_EQ(look({disk(Level::kGood)}), "");
  ASSERT_EQ(alerts_.size(), 1u);
  EXPECT_EQ(alerts_[0].facts, std::vector<std::string>{"3"});
  EXPECT_LT(alerts_[0].opened, alerts_[0].closed);
}

TEST_F(AlertBookTest, WhatGoesUpAndDownNeitherOpensNorCloses) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(look({disk(Level::kBad)}), "");
    EXPECT_EQ(look({disk(i % 2 == 0 ? Level::kBetween : Level::kGood)}), "");
  }
  look({disk(Level::kBad)});
  ASSERT_EQ(look({disk(Level::kBad)}), "+disk: ");
  for (int i = 0; i < 10; ++i) {
    for (int good = 0; good < 4; ++good) EXPECT_EQ(look({disk(Level::kGood)}), "");
    EXPECT_EQ(look({disk(i % 2 == 0 ? Level::kBetween : Level::kBad)}), "");
  }
}

TEST_F(AlertBookTest, SubjectsAreApartAndWhatIsNoLongerSeenIsOver) {
  EXPECT_EQ(look({hold("anna@a.test"), hold("bert@a.test")}), "+hold:anna@a.test +hold:bert@a.test ");
  EXPECT_EQ(look({hold("bert@a.test")}), "-hold:anna@a.test ");
  EXPECT_EQ(look({hold("bert@a.test"), hold("anna@a.test")}), "+hold:anna@a.test ");
  EXPECT_EQ(alerts_.size(), 3u);
  EXPECT_EQ(alerts_[2].id, 3u);
}

TEST_F(AlertBookTest, WhatIsUnknownStays) {
  ASSERT_EQ(look({{AlertKind::kBlocklist, "192.0.2.1 at list.test", Level::kBad}}), "+blocklist:192.0.2.1 at list.test ");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(look({}, {AlertKind::kBlocklist}), "");
  EXPECT_EQ(look({}), "-blocklist:192.0.2.1 at list.test ");
}

TEST_F(AlertBookTest, ARestartRepeatsNothing) {
  look({disk(Level::kBad)});
  ASSERT_EQ(look({disk(Level::kBad)}), "+disk: ");
  book_ = AlertBook();  // another process, the same store
  for (int i = 0; i < 5; ++i) EXPECT_EQ(look({disk(Level::kBad)}), "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(look({disk(Level::kGood)}), "");
  EXPECT_EQ(look({disk(Level::kGood)}), "-disk: ");
}

TEST_F(AlertBookTest, OpenAlertsAndTextsAreBounded) {
  std::vector<Observation> many;
  for (int i = 0; i < 150; ++i) many.push_back(hold(("u" + std::to_string(i)).c_str()));
  many.push_back({AlertKind::kHold, std::string(store::kMaxAlertSubject + 1, 'x'), Level::kBad});
  many[0].facts = {std::string(5000, 'y')};
  look(many);
  EXPECT_EQ(alerts_.size(), AlertBook::kMaxOpen);
  EXPECT_EQ(alerts_[0].facts[0].size(), store::kMaxAlertFact);
}

TEST_F(AlertBookTest, OneThingSaidTwiceIsOneAlert) {
  EXPECT_EQ(look({hold("anna@a.test"), hold("anna@a.test")}), "+hold:anna@a.test ");
}

}  // namespace
}  // namespace posthus::main
