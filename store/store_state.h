// What a Store consists of. Seen by the facade and by maintenance only.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/base/byte_budget.h"
#include "core/base/file.h"
#include "store/change_hub.h"
#include "store/engine.h"
#include "store/file_segments.h"
#include "store/journaling.h"
#include "store/lmdb_engine.h"
#include "store/segments.h"
#include "store/store.h"
#include "store/writer.h"

namespace posthus::store {

struct Store::State {
  explicit State(std::uint64_t budget_bytes = StoreOptions().budget_bytes) : budget(budget_bytes) {}
  UniqueFd lock;                // first: given back when all else is gone
  StoreOptions options;         // directory empty: in memory
  std::string spool_directory;  // empty: never spools
  ByteBudget budget;
  ChangeHub hub;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Segments> segments;
  LmdbEngine* lmdb = nullptr;  // what engine and segments are, when they are on disk
  FileSegments* files = nullptr;
  std::unique_ptr<Journaling> journaling;             // on disk only
  std::atomic<bool> is_closing = false;               // maintenance ends early
  std::mutex reclaim_mutex;                           // one round of reclaiming at a time
  std::map<std::uint32_t, std::uint64_t> punched_at;  // segment -> live bytes when it was last punched; guarded by reclaim_mutex
  std::unique_ptr<Writer> writer;                     // last: dies first, while all it uses still stands
};

/// The way of maintenance to the parts of a store.
class StoreParts {
 public:
  static Store::State& of(const Store& store) { return *store.state_; }
  static std::unique_ptr<Store> make(std::unique_ptr<Store::State> state) {
    return std::unique_ptr<Store>(new Store(std::move(state)));
  }
};

}  // namespace posthus::store
