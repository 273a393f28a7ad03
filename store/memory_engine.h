// MemoryEngine: the engine contract on maps, for tests and session dialogs. Snapshots share the tables; a commit copies
// a table only while a snapshot holds it. Thread rule: as Engine. Limit: durable only as long as the process.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "store/engine.h"

namespace posthus::store {

class MemoryEngine final : public Engine {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;
  using Tables = std::array<std::shared_ptr<Rows>, static_cast<std::size_t>(Table::kCount)>;

  MemoryEngine();
  ~MemoryEngine() override;
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) override;
  EngineStatistics statistics() const override;

 private:
  friend class MemorySnapshot;
  mutable std::mutex mutex_;
  Tables tables_;                           // guarded by mutex_; rows change only while nobody else holds them
  std::multiset<std::uint64_t> snapshots_;  // commit numbers of living snapshots
  std::uint64_t last_commit_ = 0;
};

}  // namespace posthus::store
