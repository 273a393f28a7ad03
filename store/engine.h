// The engine seam: ordered, transactional key-value tables. One conformance suite (tests/unit/store/engine_conformance)
// holds every engine to this contract: keys in byte order; a snapshot never changes; a transaction reads its own
// writes; commit is atomic and durable when it returns; keys are 1..200 bytes, key + value at most 2000 bytes.
// Engines: LMDB (the default), memory (tests), failing and slow wrappers (tests). Nothing outside store/ knows which.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/tables.h"

namespace posthus::store {

inline constexpr std::size_t kMaxKey = 200;           // below LMDB's 511 and any SQL index limit
inline constexpr std::size_t kMaxKeyAndValue = 2000;  // LMDB keeps such rows inside leaf pages: no overflow runs

enum class Visit : bool { kStop, kContinue };
using RowVisitor = FunctionRef<Visit(std::string_view key, std::string_view value)>;

/// What a table holds. `bytes`: what its rows take on disk, pages half empty included; in memory their keys and values.
struct TableSize {
  std::uint64_t rows = 0, bytes = 0;
};

/// A read transaction: the tables as they stood when it began. Its views die with it (and, in a WriteTransaction, with
/// the next put or erase). Thread rule: one thread at a time. REQUIRES: never held while waiting for a client.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Result<std::optional<std::string_view>> get(Table table, std::string_view key) const = 0;
  /// Rows with from <= key < to in ascending order; an empty `to` means the end of the table.
  virtual Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const = 0;
  /// The same rows in descending order.
  virtual Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const = 0;
  /// Costs nothing where it is kept (LMDB), a walk over the table in memory.
  virtual Result<TableSize> size(Table table) const = 0;
  /// What is read from here on is read once, also of mailboxes: little of it stays in memory.
  virtual void begin_walk() {}
};

class WriteTransaction : public Snapshot {
 public:
  virtual Result<> put(Table table, std::string_view key, std::string_view value) = 0;
  /// Erasing what is not there succeeds.
  virtual Result<> erase(Table table, std::string_view key) = 0;
};

struct EngineStatistics {
  std::uint64_t used_bytes = 0, free_bytes = 0, oldest_snapshot_age_commits = 0;
  /// Number of the last commit, and of the commit the oldest living snapshot shows (last_commit when there is none).
  std::uint64_t last_commit = 0, oldest_snapshot = 0;
};

/// kInvalid when a row is outside the limits above; every engine's put begins with it.
Result<> check_row_limits(std::string_view key, std::string_view value);

/// Thread rule: snapshot() from any thread; commit() from one thread at a time (the Writer's).
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
  /// Runs `apply` in a transaction and makes it durable. When `apply` fails, nothing of it is seen and its error is
  /// returned; `apply` may be run more than once. Errors of the commit itself: kUnavailable (no room; nothing of it is seen,
  /// the engine goes on), kIo (the state on disk is unknown: the process must stop).
  virtual Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) = 0;
  virtual EngineStatistics statistics() const = 0;
};

}  // namespace posthus::store
