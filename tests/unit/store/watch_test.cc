// History of figures and alerts in the store: rings that keep their size, rules of figures, the limit of alerts, check.
#include <gtest/gtest.h>

#include <algorithm>

#include "store/alert_reader.h"
#include "store/maintenance.h"
#include "store/memory_engine.h"
#include "store/record_alert.h"
#include "store/record_history.h"
#include "store/store.h"

namespace posthus::store {
namespace {

constexpr std::int64_t kStart = 1'800'000'000 / 86'400 * 86'400;  // a midnight, UTC

class WatchTest : public ::testing::Test {
 protected:
  void add(std::int64_t seconds, std::uint64_t received, std::uint64_t queue, std::uint64_t free) {
    AddHistory sample{.time = Timestamp::from_seconds(kStart + seconds)};
    sample.values[static_cast<std::size_t>(HistoryFigure::kReceived)] = received;
    sample.values[static_cast<std::size_t>(HistoryFigure::kQueue)] = queue;
    sample.values[static_cast<std::size_t>(HistoryFigure::kDiskFree)] = free;
    ASSERT_TRUE(store_->apply(std::move(sample)));
  }
  std::vector<std::optional<HistoryRow>> rows(HistorySpan span, std::int64_t seconds) {
    const auto snapshot = store_->snapshot();
    return read_history(**snapshot, span, Timestamp::from_seconds(kStart + seconds)).value();
  }
  static std::uint64_t value(const std::optional<HistoryRow>& row, HistoryFigure figure) {
    return row ? row->values[static_cast<std::size_t>(figure)] : 0;
  }
  std::uint64_t table_rows(Table table) { return (*store_->snapshot())->size(table)->rows; }
  Result<WriteOutcome> put(std::uint64_t id, bool is_open = false) {
    AlertRecord alert{.id = id, .kind = AlertKind::kDisk, .subject = "", .facts = {"3"}};
    alert.opened = Timestamp{1};
    alert.closed = Timestamp{is_open ? 0 : 2};
    return store_->apply(PutAlert{alert});
  }

  ManualClock clock_{Timestamp::from_seconds(kStart)};
  std::unique_ptr<Store> store_ = Store::create_in_memory(clock_);
};

TEST_F(WatchTest, AMinuteGoesIntoEverySpanByItsRule) {
  add(30, 5, 9, 100);
  add(61, 7, 4, 90);
  const auto hour = rows(HistorySpan::kHour, 119);
  ASSERT_EQ(hour.size(), 60u);
  EXPECT_EQ(value(hour[58], HistoryFigure::kReceived), 5u);
  EXPECT_EQ(value(hour[59], HistoryFigure::kReceived), 7u);
  EXPECT_FALSE(hour[57]);
  for (const HistorySpan span : {HistorySpan::kDay, HistorySpan::kMonth, HistorySpan::kYear}) {
    const auto all = rows(span, 119);
    ASSERT_EQ(all.size(), shape_of(span).slots);
    EXPECT_EQ(value(all.back(), HistoryFigure::kReceived), 12u) << "a sum";
    EXPECT_EQ(value(all.back(), HistoryFigure::kQueue), 9u) << "the highest";
    EXPECT_EQ(value(all.back(), HistoryFigure::kDiskFree), 90u) << "the last";
    EXPECT_FALSE(all[all.size() - 2]);
  }
}

TEST_F(WatchTest, RingsKeepTheirSizeAndForgetWhatIsOlder) {
  for (int minute = 0; minute < 200; ++minute) add(minute * 60, 1, 0, 0);
  EXPECT_EQ(table_rows(Table::kHistory), 60u + 40 + 4 + 1);
  const auto hour = rows(HistorySpan::kHour, 199 * 60);
  EXPECT_TRUE(std::ranges::all_of(hour, [](const auto& row) { return row.has_value(); }));
  // A day later nothing of the hour is left, although its rows still are.
  const auto later = rows(HistorySpan::kHour, 86'400);
  EXPECT_TRUE(std::ranges::none_of(later, [](const auto& row) { return row.has_value(); }));
  EXPECT_EQ(value(rows(HistorySpan::kYear, 86'400)[364], HistoryFigure::kReceived), 200u);
}

TEST_F(WatchTest, AYearOfEveryMinuteIsBounded) {
  for (std::int64_t hour = 0; hour < 400 * 24; hour += 6) add(hour * 3600, 1, 0, 0);
  EXPECT_LE(table_rows(Table::kHistory), 60u + 288 + 744 + 366);
  const auto year = rows(HistorySpan::kYear, 399 * 86'400);
  EXPECT_TRUE(std::ranges::all_of(year, [](const auto& row) { return row && row->values[0] == 4; }));
}

TEST_F(WatchTest, ARowOfAnOlderVersionLacksTheNewFigures) {
  HistoryRow row{.start = Timestamp::from_seconds(kStart), .known = 2};
  row.values[1] = 8;
  const auto read = decode_history_row(encode_history_row(row));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->known, 2);
  EXPECT_EQ(read->values[1], 8u);
  EXPECT_FALSE(decode_history_row(encode_history_row(row) + "x"));
}

TEST_F(WatchTest, NamesOfFiguresAndSpansAreFoundAgain) {
  for (std::size_t i = 0; i < kHistoryFigures; ++i) {
    const auto figure = static_cast<HistoryFigure>(i);
    EXPECT_EQ(history_figure(to_string(figure)), figure);
  }
  EXPECT_FALSE(history_figure("junk"));
  EXPECT_EQ(history_span("year"), HistorySpan::kYear);
  EXPECT_FALSE(history_span("decade"));
}

TEST_F(WatchTest, AlertsAreKeptReplacedAndBounded) {
  AlertRecord alert{.id = 1, .kind = AlertKind::kDestination, .subject = "example.org", .facts = {"90", "451 later"}};
  alert.opened = Timestamp{5};
  ASSERT_TRUE(store_->apply(PutAlert{alert}));
  alert.mail = AlertTold::kBegin;
  alert.webhook_error = "HTTP status 500";
  alert.webhook_failures = 2;
  alert.webhook_next = Timestamp{77};
  ASSERT_TRUE(store_->apply(PutAlert{alert}));
  const auto read = read_alerts(**store_->snapshot()).value();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0].is_open());
  EXPECT_EQ(read[0].kind, AlertKind::kDestination);
  EXPECT_EQ(read[0].facts, alert.facts);
  EXPECT_EQ(read[0].mail, AlertTold::kBegin);
  EXPECT_EQ(read[0].webhook, AlertTold::kNothing);
  EXPECT_EQ(read[0].webhook_error, "HTTP status 500");
  EXPECT_EQ(read[0].webhook_next, Timestamp{77});
  // The open one is the oldest, and stays.
  for (std::uint64_t id = 2; id <= kMaxAlerts + 10; ++id) ASSERT_TRUE(put(id));
  const auto full = read_alerts(**store_->snapshot()).value();
  EXPECT_EQ(full.size(), kMaxAlerts);
  EXPECT_EQ(full[0].id, 1u);
  EXPECT_EQ(full[1].id, 12u);
}

TEST_F(WatchTest, WhenAllAlertsAreOpenNoMoreAreTaken) {
  for (std::uint64_t id = 1; id <= kMaxAlerts; ++id) ASSERT_TRUE(put(id, true));
  const auto refused = put(kMaxAlerts + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_TRUE(put(5)) << "what is there may change";
}

TEST_F(WatchTest, WhatIsNoAlertIsRefused) {
  EXPECT_FALSE(put(0));
  AlertRecord alert{.id = 1, .subject = std::string(kMaxAlertSubject + 1, 'x')};
  EXPECT_FALSE(store_->apply(PutAlert{alert}));
  alert.subject.clear();
  alert.facts.assign(6, std::string(kMaxAlertFact, 'x'));
  EXPECT_FALSE(store_->apply(PutAlert{alert})) << "more than a row";
  EXPECT_FALSE(decode_alert("\1"));
  EXPECT_FALSE(decode_alert(""));
}

TEST(WatchCheck, DamagedRowsAreFound) {
  const ManualClock clock(Timestamp::from_seconds(kStart));
  auto engine = std::make_unique<MemoryEngine>();
  MemoryEngine* const raw = engine.get();
  const auto store = Store::create_over(std::move(engine), clock);
  ASSERT_TRUE(store->apply(AddHistory{.time = clock.now()}));
  ASSERT_TRUE(store->apply(PutAlert{{.id = 4}}));
  EXPECT_EQ(check(*store, Depth::kIndex)->findings_total, 0u);
  ASSERT_TRUE(raw->commit([&](WriteTransaction& t) -> Result<> {
    POSTHUS_TRY_VOID(t.put(Table::kHistory, history_key(HistorySpan::kDay, clock.now()), "x"));
    POSTHUS_TRY_VOID(t.put(Table::kHistory, "zzz", encode_history_row({.start = clock.now()})));
    POSTHUS_TRY_VOID(t.put(Table::kAlerts, alert_key(5), encode_alert({.id = 6})));
    return t.put(Table::kAlerts, alert_key(7), "x");
  }));
  EXPECT_EQ(check(*store, Depth::kIndex)->findings_total, 4u);
}

}  // namespace
}  // namespace posthus::store
