// History: one request a minute, sums as what the minute brought, nothing lost at an orderly end.
#include "core/main/history.h"

#include <gtest/gtest.h>

#include "store/record_history.h"

namespace posthus::main {
namespace {

using store::HistoryFigure;

class HistoryTest : public ::testing::Test {
 protected:
  History make() {
    return History({.store = *store_,
                    .clock = clock_,
                    .read =
                        [this] {
                          ++reads_;
                          return values_;
                        },
                    .run_blocking =
                        [this](std::move_only_function<void()> work) {
                          if (is_busy_) return false;
                          work();
                          return true;
                        }});
  }
  void set(HistoryFigure figure, std::uint64_t value) { values_[static_cast<std::size_t>(figure)] = value; }
  void pass(std::int64_t seconds) { clock_.advance(seconds * 1'000'000); }
  // Of the last slots of the hour, oldest first; -1: unknown.
  std::vector<std::int64_t> last(HistoryFigure figure, std::size_t count) {
    EXPECT_TRUE(store_->apply(store::PutSetting{"barrier", "1"}));  // what was submitted before is committed then
    const auto rows = store::read_history(**store_->snapshot(), store::HistorySpan::kHour, clock_.now()).value();
    std::vector<std::int64_t> out;
    for (std::size_t i = rows.size() - count; i < rows.size(); ++i) {
      out.push_back(rows[i] ? static_cast<std::int64_t>(rows[i]->values[static_cast<std::size_t>(figure)]) : -1);
    }
    return out;
  }
  using Values = std::vector<std::int64_t>;

  ManualClock clock_{Timestamp::from_seconds(1'800'000'000 / 60 * 60 + 10)};
  std::unique_ptr<store::Store> store_ = store::Store::create_in_memory(clock_);
  store::HistoryValues values_{};
  int reads_ = 0;
  bool is_busy_ = false;
};

TEST_F(HistoryTest, EachMinuteIsWrittenOnceAtItsEnd) {
  History history = make();
  set(HistoryFigure::kReceived, 5);
  set(HistoryFigure::kQueue, 3);
  for (int i = 0; i < 40; ++i, pass(1)) history.tick();
  EXPECT_EQ(reads_, 0);
  pass(20);
  for (int i = 0; i < 50; ++i, pass(1)) history.tick();
  EXPECT_EQ(reads_, 1);
  set(HistoryFigure::kReceived, 12);
  pass(10);
  history.tick();
  EXPECT_EQ(last(HistoryFigure::kReceived, 3), (Values{5, 7, -1}));
  EXPECT_EQ(last(HistoryFigure::kQueue, 3), (Values{3, 3, -1}));
}

TEST_F(HistoryTest, AtTheEndTheMinuteUnderWayIsKeptAndGoesOnAfterARestart) {
  {
    History history = make();
    set(HistoryFigure::kSent, 4);
    history.flush();
  }
  values_ = {};  // another process counts from nothing
  History history = make();
  set(HistoryFigure::kSent, 2);
  pass(60);
  history.tick();
  EXPECT_EQ(last(HistoryFigure::kSent, 2), (Values{6, -1}));
}

TEST_F(HistoryTest, MinutesWithoutAServerAreUnknown) {
  make().flush();
  pass(180);
  make().flush();
  EXPECT_EQ(last(HistoryFigure::kSent, 4), (Values{0, -1, -1, 0}));
}

TEST_F(HistoryTest, WhenNoWorkerIsFreeItIsTriedAgain) {
  History history = make();
  is_busy_ = true;
  pass(60);
  history.tick();
  EXPECT_EQ(reads_, 0);
  is_busy_ = false;
  history.tick();
  EXPECT_EQ(last(HistoryFigure::kSent, 2), (Values{0, -1}));
}

TEST_F(HistoryTest, AClockThatIsPutBackDoesNotStopIt) {
  History history = make();
  pass(600);
  history.tick();
  pass(-300);
  history.tick();
  pass(60);
  history.tick();
  EXPECT_EQ(reads_, 3);
}

}  // namespace
}  // namespace posthus::main
