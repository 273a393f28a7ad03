// LmdbEngine: the engine contract on LMDB, the default engine. Synced by each commit, or by sync() alone when a journal makes
// commits durable (journaling.h). No WRITEMAP (large commits are three
// times slower), NOTLS (snapshots wander between threads), no DUPSORT, no nested transactions.
// Snapshots are cheap: ended read transactions are kept and renewed. Thread rule: as Engine.
// Limits: kMaxReaders living snapshots; the map (StoreOptions::map_bytes) bounds the index.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/engine.h"

namespace posthus::store {

/// See LmdbEngine::pin().
class LmdbPin {
 public:
  virtual ~LmdbPin() = default;
};

class LmdbEngine final : public Engine {
 public:
  /// Opens or creates `directory`/data.mdb. REQUIRES: this process alone has it open (the store's lock). Errors:
  /// kCorrupt (truncated, not LMDB), kDenied (LMDB format of another version), kIo, kUnavailable (no room).
  static Result<std::unique_ptr<LmdbEngine>> open(const std::string& directory, std::uint64_t map_bytes);
  ~LmdbEngine() override;

  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) override;
  EngineStatistics statistics() const override;
  /// Whether the file has blocks beyond the pages in use, for whatever one commit adds. REQUIRES: the Writer's thread.
  bool has_room() const;
  /// From now on commits are seen at once, and on disk after the next sync(). Until then a power loss may leave anything in
  /// the file but the pages that an earlier pin() holds.
  void sync_on_demand();
  /// Errors: kIo. Any thread.
  Result<> sync();
  /// Keeps the pages of the last commit from being written over, for as long as it lives; statistics() do not count it as a
  /// snapshot. REQUIRES: dies before the engine; no commit at the same time.
  Result<std::unique_ptr<LmdbPin>> pin();
  const std::string& data_path() const;

  /// A compact copy of one snapshot as `directory`/data.mdb; the directory must exist and hold none.
  Result<> copy_to(const std::string& directory) const;

  struct State;

 private:
  explicit LmdbEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline constexpr unsigned kMaxReaders = 2048;  // far more than threads: a snapshot is never held while waiting for a client

}  // namespace posthus::store
