// The contract of store/engine.h, held against every engine.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/engine.h"
#include "store/lmdb_engine.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::store {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Factory = std::unique_ptr<Engine> (*)();

std::unique_ptr<Engine> make_memory() { return std::make_unique<MemoryEngine>(); }
std::unique_ptr<Engine> make_failing() { return std::make_unique<FailingEngine>(make_memory()); }
/// An engine on disk together with its folder, which goes when it goes.
class TemporaryLmdb final : public Engine {
 public:
  TemporaryLmdb() : inner_(std::move(LmdbEngine::open(directory_.path(), 1 << 30)).value()) {}
  Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_->snapshot(); }
  Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) override { return inner_->commit(apply); }
  EngineStatistics statistics() const override { return inner_->statistics(); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<LmdbEngine> inner_;
};
std::unique_ptr<Engine> make_lmdb() { return std::make_unique<TemporaryLmdb>(); }
std::unique_ptr<Engine> make_slow() { return std::make_unique<SlowEngine>(make_memory()); }

class EngineConformance : public testing::TestWithParam<std::pair<const char*, Factory>> {
 protected:
  std::unique_ptr<Engine> engine_ = GetParam().second();

  void put(Table table, Pairs rows) {
    const auto committed = engine_->commit([&](WriteTransaction& transaction) -> Result<> {
      for (const auto& [key, value] : rows) POSTHUS_TRY_VOID(transaction.put(table, key, value));
      return {};
    });
    ASSERT_TRUE(committed) << committed.error().context;
  }
  static Pairs rows(const Snapshot& snapshot, Table table, std::string_view from = "", std::string_view to = "") {
    Pairs out;
    EXPECT_TRUE(snapshot.scan(table, from, to, [&](std::string_view key, std::string_view value) {
      out.emplace_back(key, value);
      return Visit::kContinue;
    }));
    return out;
  }
  static Pairs rows_backward(const Snapshot& snapshot, Table table, std::string_view from = "", std::string_view to = "") {
    Pairs out;
    EXPECT_TRUE(snapshot.scan_backward(table, from, to, [&](std::string_view key, std::string_view value) {
      out.emplace_back(key, value);
      return Visit::kContinue;
    }));
    return out;
  }
  std::unique_ptr<Snapshot> now() {
    auto snapshot = engine_->snapshot();
    EXPECT_TRUE(snapshot);
    return std::move(*snapshot);
  }
  static std::string value_of(const Snapshot& snapshot, Table table, std::string_view key) {
    const auto value = snapshot.get(table, key);
    EXPECT_TRUE(value);
    return *value ? std::string(**value) : "(nothing)";
  }
};

TEST_P(EngineConformance, KeysComeInByteOrder) {
  const std::string high = "\xff", zero("\0", 1), zero_a("\0a", 2);
  put(Table::kUsers, {{"b", "1"}, {high, "2"}, {"a", "3"}, {zero, "4"}, {"ab", "5"}, {zero_a, "6"}});
  const Pairs expected = {{zero, "4"}, {zero_a, "6"}, {"a", "3"}, {"ab", "5"}, {"b", "1"}, {high, "2"}};
  EXPECT_EQ(rows(*now(), Table::kUsers), expected);
  EXPECT_EQ(rows_backward(*now(), Table::kUsers), Pairs(expected.rbegin(), expected.rend()));
}

TEST_P(EngineConformance, ScansAreHalfOpenRanges) {
  put(Table::kUsers, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  const auto snapshot = now();
  EXPECT_EQ(rows(*snapshot, Table::kUsers, "b", "d"), (Pairs{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(rows_backward(*snapshot, Table::kUsers, "b", "d"), (Pairs{{"c", "3"}, {"b", "2"}}));
  EXPECT_EQ(rows(*snapshot, Table::kUsers, "aa", "bb"), (Pairs{{"b", "2"}}));
  EXPECT_EQ(rows_backward(*snapshot, Table::kUsers, "aa", "bb"), (Pairs{{"b", "2"}}));
  EXPECT_EQ(rows_backward(*snapshot, Table::kUsers, "c"), (Pairs{{"d", "4"}, {"c", "3"}}));
  EXPECT_TRUE(rows(*snapshot, Table::kUsers, "x").empty());
  EXPECT_TRUE(rows_backward(*snapshot, Table::kUsers, "x").empty());
  EXPECT_TRUE(rows(*snapshot, Table::kUsers, "c", "b").empty());
  EXPECT_TRUE(rows_backward(*snapshot, Table::kUsers, "c", "b").empty());
  EXPECT_TRUE(rows(*snapshot, Table::kUsers, "b", "b").empty());
  EXPECT_TRUE(rows(*snapshot, Table::kDomains).empty());
}

TEST_P(EngineConformance, AScanStopsWhenTold) {
  put(Table::kUsers, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const auto snapshot = now();
  int visited = 0;
  const auto stop_at_second = [&](std::string_view, std::string_view) {
    return ++visited == 2 ? Visit::kStop : Visit::kContinue;
  };
  ASSERT_TRUE(snapshot->scan(Table::kUsers, "", "", stop_at_second));
  EXPECT_EQ(visited, 2);
  visited = 0;
  ASSERT_TRUE(snapshot->scan_backward(Table::kUsers, "", "", stop_at_second));
  EXPECT_EQ(visited, 2);
}

TEST_P(EngineConformance, TablesAreApart) {
  put(Table::kUsers, {{"a", "1"}});
  put(Table::kDomains, {{"a", "2"}});
  EXPECT_EQ(value_of(*now(), Table::kUsers, "a"), "1");
  EXPECT_EQ(value_of(*now(), Table::kDomains, "a"), "2");
  EXPECT_EQ(value_of(*now(), Table::kAliases, "a"), "(nothing)");
}

TEST_P(EngineConformance, ASnapshotNeverChanges) {
  put(Table::kUsers, {{"a", "old"}, {"gone", "x"}});
  const auto before = now();
  const std::string_view view = **before->get(Table::kUsers, "a");
  for (int i = 0; i < 50; ++i) put(Table::kUsers, {{"a", "new" + std::to_string(i)}, {"b" + std::to_string(i), "y"}});
  ASSERT_TRUE(engine_->commit([](WriteTransaction& transaction) { return transaction.erase(Table::kUsers, "gone"); }));
  EXPECT_EQ(rows(*before, Table::kUsers), (Pairs{{"a", "old"}, {"gone", "x"}}));
  EXPECT_EQ(view, "old");
  EXPECT_EQ(value_of(*now(), Table::kUsers, "a"), "new49");
  EXPECT_EQ(value_of(*now(), Table::kUsers, "gone"), "(nothing)");
}

TEST_P(EngineConformance, ATransactionReadsItsOwnWrites) {
  put(Table::kUsers, {{"a", "1"}, {"b", "2"}, {"d", "4"}});
  ASSERT_TRUE(engine_->commit([&](WriteTransaction& transaction) -> Result<> {
    POSTHUS_TRY_VOID(transaction.put(Table::kUsers, "c", "3"));
    POSTHUS_TRY_VOID(transaction.put(Table::kUsers, "a", "one"));
    POSTHUS_TRY_VOID(transaction.erase(Table::kUsers, "b"));
    EXPECT_EQ(value_of(transaction, Table::kUsers, "a"), "one");
    EXPECT_EQ(value_of(transaction, Table::kUsers, "b"), "(nothing)");
    EXPECT_EQ(rows(transaction, Table::kUsers), (Pairs{{"a", "one"}, {"c", "3"}, {"d", "4"}}));
    EXPECT_EQ(rows_backward(transaction, Table::kUsers), (Pairs{{"d", "4"}, {"c", "3"}, {"a", "one"}}));
    EXPECT_EQ(value_of(*now(), Table::kUsers, "a"), "1");
    return {};
  }));
}

TEST_P(EngineConformance, AFailedTransactionLeavesNothing) {
  put(Table::kUsers, {{"a", "1"}});
  const auto failed = engine_->commit([&](WriteTransaction& transaction) -> Result<> {
    POSTHUS_TRY_VOID(transaction.put(Table::kUsers, "a", "2"));
    POSTHUS_TRY_VOID(transaction.put(Table::kUsers, "b", "2"));
    return fail(ErrorKind::kOverQuota, "told so");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kOverQuota);
  EXPECT_EQ(rows(*now(), Table::kUsers), (Pairs{{"a", "1"}}));
}

TEST_P(EngineConformance, ErasingWhatIsNotThereSucceeds) {
  ASSERT_TRUE(engine_->commit([](WriteTransaction& transaction) { return transaction.erase(Table::kUsers, "nobody"); }));
}

TEST_P(EngineConformance, RowsHaveLimits) {
  const auto kind_of = [&](std::size_t key, std::size_t value) -> std::optional<ErrorKind> {
    const auto done = engine_->commit([&](WriteTransaction& transaction) {
      return transaction.put(Table::kUsers, std::string(key, 'k'), std::string(value, 'v'));
    });
    if (done) return std::nullopt;
    return done.error().kind;
  };
  EXPECT_EQ(kind_of(0, 1), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(kMaxKey + 1, 1), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(kMaxKey, kMaxKeyAndValue - kMaxKey + 1), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(kMaxKey, kMaxKeyAndValue - kMaxKey), std::nullopt);
  EXPECT_EQ(kind_of(1, 0), std::nullopt);
  EXPECT_EQ(value_of(*now(), Table::kUsers, "k"), "");
  EXPECT_EQ(value_of(*now(), Table::kUsers, std::string(kMaxKey, 'k')).size(), kMaxKeyAndValue - kMaxKey);
}

TEST_P(EngineConformance, ReadingWithAKeyOutsideTheLimitsFindsNothing) {
  put(Table::kUsers, {{"a", "1"}});
  EXPECT_EQ(value_of(*now(), Table::kUsers, ""), "(nothing)");
  EXPECT_EQ(value_of(*now(), Table::kUsers, std::string(1000, 'k')), "(nothing)");
  EXPECT_EQ(rows(*now(), Table::kUsers, std::string(1000, 'A'), std::string(1000, 'k')), (Pairs{{"a", "1"}}));
}

TEST_P(EngineConformance, PutMayTakeViewsOfTheRowItReplaces) {
  put(Table::kUsers, {{"a", "some value"}});
  ASSERT_TRUE(engine_->commit([](WriteTransaction& transaction) -> Result<> {
    const auto value = POSTHUS_TRY(transaction.get(Table::kUsers, "a"));
    return transaction.put(Table::kUsers, "b", *value);
  }));
  EXPECT_EQ(value_of(*now(), Table::kUsers, "b"), "some value");
}

TEST_P(EngineConformance, ManyRowsSurviveManyCommits) {
  Pairs expected;
  for (int commit = 0; commit < 20; ++commit) {
    Pairs more;
    for (int i = 0; i < 100; ++i) {
      std::string key = std::to_string(100'000 + commit * 100 + i);
      more.emplace_back(key, std::string(static_cast<std::size_t>(i * 15), 'x'));
      expected.push_back(more.back());
    }
    put(Table::kMessages, more);
  }
  EXPECT_EQ(rows(*now(), Table::kMessages), expected);
}

TEST_P(EngineConformance, StatisticsNameTheOldestSnapshot) {
  put(Table::kUsers, {{"a", "1"}});
  auto old = now();
  put(Table::kUsers, {{"a", "2"}});
  put(Table::kUsers, {{"a", "3"}});
  const auto held = engine_->statistics();
  EXPECT_EQ(held.oldest_snapshot + 2, held.last_commit);
  EXPECT_EQ(held.oldest_snapshot_age_commits, 2u);
  old.reset();
  const auto free = engine_->statistics();
  EXPECT_EQ(free.oldest_snapshot, free.last_commit);
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineConformance,
                         testing::Values(std::pair<const char*, Factory>{"memory", make_memory},
                                         std::pair<const char*, Factory>{"lmdb", make_lmdb},
                                         std::pair<const char*, Factory>{"failing", make_failing},
                                         std::pair<const char*, Factory>{"slow", make_slow}),
                         [](const auto& engine) { return std::string(engine.param.first); });

}  // namespace
}  // namespace posthus::store
