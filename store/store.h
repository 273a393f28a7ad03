// Store: the facade over engine, segments, Writer and change hub. Everything outside store/ comes in here.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/byte_budget.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "store/change_hub.h"
#include "store/directory_reader.h"
#include "store/engine.h"
#include "store/mailbox_reader.h"
#include "store/write_request.h"

namespace posthus::store {

struct StoreOptions {
  std::string directory;                     // holds index/ (LMDB), segments/, spool/
  std::uint64_t map_bytes = 64ull << 30;     // address space for LMDB, not disk
  std::uint64_t budget_bytes = 64ull << 20;  // bytes of arriving messages held in memory, all sessions together
  std::uint64_t segment_bytes = 64ull << 20;
};

struct StoreStatistics {
  EngineStatistics engine;
  std::uint64_t segments = 0, segment_bytes = 0, live_bytes = 0, queued_requests = 0;
};

class Store {
 public:
  /// Opens or creates. Errors: kDenied (newer format, network file system), kBusy (another process has it), kCorrupt,
  /// kIo; the context says what to do. `clock` must outlive the store.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock);
  /// A store in memory for tests and session dialogs; segments are kept in memory as well.
  static std::unique_ptr<Store> create_in_memory(const Clock& clock);
  /// The same over any engine (failing and slow wrappers).
  static std::unique_ptr<Store> create_over(std::unique_ptr<Engine> engine, const Clock& clock);
  ~Store();

  /// Of all that was answered. May wait for a commit under way; on the Writer's thread (in a completion) it does not.
  Result<std::unique_ptr<Snapshot>> snapshot() const;
  /// The same, but messages delivered in the last moment may be missing (AddMessage::is_indexed_when_read). Never waits.
  Result<std::unique_ptr<Snapshot>> recent_snapshot() const;

  /// Appends bytes [offset, offset + length) of a message text to `out`; less at its end. REQUIRES: `snapshot` still
  /// names the blob, and is held during the call. Errors: kNotFound, kCorrupt, kIo.
  Result<> read_message(const Snapshot& snapshot, BlobId blob, std::uint64_t offset, std::uint64_t length,
                        std::string& out) const;

  IncomingMessage begin_message();

  /// Queues a change; `done` is called on the Writer's thread. Never blocks for the disk. When the queue is full (8 MiB
  /// or so of waiting message bytes are normal; the bound is kMaxQueuedRequests) `done` gets kBusy at once.
  void submit(WriteRequest request, Completion done);
  /// The same and waits: for the command line, tests and workers. Never on an io thread.
  Result<WriteOutcome> apply(WriteRequest request);

  ChangeHub& changes();
  ByteBudget& budget();
  StoreStatistics statistics() const;

  /// Begins the end: what still waits after `patience` is refused (kUnavailable), bulk work between two of its slices,
  /// and maintenance stops early. Without it the destructor commits all that is queued. Call once.
  void close_within(std::chrono::milliseconds patience);

  /// Called (once, on the Writer's thread) when a sync or commit failed: the process must stop and be started again.
  void on_fatal(std::function<void(const Error&)> handler);

  struct State;  // for maintenance (store/store_state.h)

 private:
  friend class StoreParts;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline constexpr std::size_t kMaxQueuedRequests = 10'000;

}  // namespace posthus::store
