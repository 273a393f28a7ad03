// History: once a minute, what the process has counted goes into the store (store/history_records.h): one request a minute, and
// one at the end. What counts from the start of the process is turned into what a minute brought. Thread rule: tick() on a timer;
// what may block runs where `run_blocking` says.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "core/base/clock.h"
#include "store/history_records.h"
#include "store/store.h"

namespace posthus::main {

struct HistoryContext {
  store::Store& store;
  const Clock& clock;
  /// The figures now: sums since the start of the process, the rest as it stands.
  std::function<store::HistoryValues()> read;
  std::function<bool(std::move_only_function<void()>)> run_blocking;  // false: not now
};

class History {
 public:
  explicit History(HistoryContext context);
  /// Writes the minute that has ended, if one has. REQUIRES: called every second or so.
  void tick();
  /// Writes what the minute under way has brought. REQUIRES: the store still takes requests; not on the Writer's thread.
  void flush();

 private:
  store::AddHistory sample(Timestamp time);

  const HistoryContext context_;
  std::atomic<std::int64_t> minute_;  // under way, since 1970
  std::mutex mutex_;                  // of the following
  store::HistoryValues before_{};
};

/// The figures as this process counts them.
store::HistoryValues read_figures(const store::Store& store, const std::string& data_directory, std::uint64_t connections);

}  // namespace posthus::main
