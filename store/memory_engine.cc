// MemoryEngine: see the header. A transaction collects its changes in an overlay; commit folds them in under the lock.
#include "store/memory_engine.h"

#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace posthus::store {
namespace {

using Rows = MemoryEngine::Rows;
using Overlay = std::map<std::string, std::optional<std::string>, std::less<>>;

template <class Map>
std::pair<typename Map::const_iterator, typename Map::const_iterator> range_of(const Map& rows, std::string_view from,
                                                                               std::string_view to) {
  auto begin = rows.lower_bound(from);
  auto end = to.empty() ? rows.end() : rows.lower_bound(to);
  if (!to.empty() && to <= from) end = begin;
  return {begin, end};
}

Result<TableSize> size_by_walk(const Snapshot& snapshot, Table table) {
  TableSize size;
  POSTHUS_TRY_VOID(snapshot.scan(table, {}, {}, [&size](std::string_view key, std::string_view value) {
    ++size.rows;
    size.bytes += key.size() + value.size();
    return Visit::kContinue;
  }));
  return size;
}

class MemoryTransaction final : public WriteTransaction {
 public:
  explicit MemoryTransaction(const MemoryEngine::Tables& base) : base_(base) {}

  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    const Overlay& overlay = overlays_[index(table)];
    if (const auto found = overlay.find(key); found != overlay.end()) {
      if (!found->second) return std::nullopt;
      return std::string_view(*found->second);
    }
    const Rows& rows = *base_[index(table)];
    const auto found = rows.find(key);
    if (found == rows.end()) return std::nullopt;
    return std::string_view(found->second);
  }

  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    auto [row, row_end] = range_of(*base_[index(table)], from, to);
    auto [change, change_end] = range_of(overlays_[index(table)], from, to);
    merge(row, row_end, change, change_end, std::less<>(), visit);
    return {};
  }

  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    auto [row, row_end] = range_of(*base_[index(table)], from, to);
    auto [change, change_end] = range_of(overlays_[index(table)], from, to);
    using std::make_reverse_iterator;
    merge(make_reverse_iterator(row_end), make_reverse_iterator(row), make_reverse_iterator(change_end),
          make_reverse_iterator(change), std::greater<>(), visit);
    return {};
  }

  Result<TableSize> size(Table table) const override { return size_by_walk(*this, table); }

  Result<> put(Table table, std::string_view key, std::string_view value) override {
    POSTHUS_TRY_VOID(check_row_limits(key, value));
    // The arguments may be views of rows of this very table.
    std::string new_key(key), new_value(value);
    overlays_[index(table)].insert_or_assign(std::move(new_key), std::move(new_value));
    return {};
  }

  Result<> erase(Table table, std::string_view key) override {
    overlays_[index(table)].insert_or_assign(std::string(key), std::nullopt);
    return {};
  }

  std::array<Overlay, static_cast<std::size_t>(Table::kCount)>& overlays() { return overlays_; }

 private:
  static std::size_t index(Table table) { return static_cast<std::size_t>(table); }

  /// Visits rows and changes in one order; a change hides the row of the same key.
  template <class Row, class Change, class Before>
  static void merge(Row row, Row row_end, Change change, Change change_end, Before before, RowVisitor visit) {
    while (row != row_end || change != change_end) {
      if (change == change_end || (row != row_end && before(row->first, change->first))) {
        if (visit(row->first, row->second) == Visit::kStop) return;
        ++row;
        continue;
      }
      if (row != row_end && row->first == change->first) ++row;
      if (change->second && visit(change->first, *change->second) == Visit::kStop) return;
      ++change;
    }
  }

  const MemoryEngine::Tables& base_;
  std::array<Overlay, static_cast<std::size_t>(Table::kCount)> overlays_;
};

}  // namespace

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(MemoryEngine& engine, MemoryEngine::Tables tables, std::uint64_t commit)
      : engine_(engine), tables_(std::move(tables)), commit_(commit) {}
  ~MemorySnapshot() override {
    const std::lock_guard lock(engine_.mutex_);
    engine_.snapshots_.erase(engine_.snapshots_.find(commit_));
    for (auto& table : tables_) table.reset();
  }

  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    const Rows& rows = *tables_[static_cast<std::size_t>(table)];
    const auto found = rows.find(key);
    if (found == rows.end()) return std::nullopt;
    return std::string_view(found->second);
  }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    auto [row, end] = range_of(*tables_[static_cast<std::size_t>(table)], from, to);
    for (; row != end; ++row) {
      if (visit(row->first, row->second) == Visit::kStop) break;
    }
    return {};
  }
  Result<TableSize> size(Table table) const override { return size_by_walk(*this, table); }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    auto [begin, row] = range_of(*tables_[static_cast<std::size_t>(table)], from, to);
    while (row != begin) {
      --row;
      if (visit(row->first, row->second) == Visit::kStop) break;
    }
    return {};
  }

 private:
  MemoryEngine& engine_;
  MemoryEngine::Tables tables_;
  const std::uint64_t commit_;
};

MemoryEngine::MemoryEngine() {
  for (auto& table : tables_) table = std::make_shared<Rows>();
}
MemoryEngine::~MemoryEngine() = default;

Result<std::unique_ptr<Snapshot>> MemoryEngine::snapshot() {
  const std::lock_guard lock(mutex_);
  snapshots_.insert(last_commit_);
  return std::make_unique<MemorySnapshot>(*this, tables_, last_commit_);
}

Result<> MemoryEngine::commit(FunctionRef<Result<>(WriteTransaction&)> apply) {
  // Only this thread changes tables_, so the transaction may read them without the lock.
  MemoryTransaction transaction(tables_);
  POSTHUS_TRY_VOID(apply(transaction));
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    Overlay& overlay = transaction.overlays()[i];
    if (overlay.empty()) continue;
    if (tables_[i].use_count() > 1) tables_[i] = std::make_shared<Rows>(*tables_[i]);
    for (auto& [key, value] : overlay) {
      if (value) {
        tables_[i]->insert_or_assign(key, std::move(*value));
      } else {
        tables_[i]->erase(key);
      }
    }
  }
  ++last_commit_;
  return {};
}

EngineStatistics MemoryEngine::statistics() const {
  const std::lock_guard lock(mutex_);
  EngineStatistics out;
  for (const auto& table : tables_) {
    for (const auto& [key, value] : *table) out.used_bytes += key.size() + value.size();
  }
  out.last_commit = last_commit_;
  out.oldest_snapshot = snapshots_.empty() ? last_commit_ : *snapshots_.begin();
  out.oldest_snapshot_age_commits = out.last_commit - out.oldest_snapshot;
  return out;
}

}  // namespace posthus::store
