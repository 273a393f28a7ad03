// Writer: the one thread that commits write requests in groups. It takes everything queued (at most kMaxGroupRequests or
// kMaxGroupBytes), runs it in one transaction, makes the message texts durable, commits, runs completions, announces
// changes in commit order. No timer: a group is whatever arrived while the one before was being synced.
//
// With a journal (journaling.h) one sync makes a group durable: of its record there, before the engine commits. Without one
// the texts are synced, then the engine's commit syncs itself.
//
// A refused request fails alone: apply checks before it puts; one that failed after a put makes the group run again
// without it. No room (kUnavailable): the requests of the group are tried one by one, what does not fit is refused, the
// server goes on. A failed sync or commit (kIo) is fatal: nothing is accepted any more, on_fatal is called.
// Thread rule: submit functions from any thread; completions run on the Writer's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "store/apply.h"
#include "store/change_hub.h"
#include "store/engine.h"
#include "store/journaling.h"
#include "store/segments.h"
#include "store/write_request.h"

namespace posthus::store {

inline constexpr std::size_t kMaxGroupRequests = 256;             // bounds what one commit can lose and how long it takes
inline constexpr std::uint64_t kMaxGroupBytes = 8 * 1024 * 1024;  // the same for message bytes

/// What a step of maintenance (reclaiming, trimming) sees of its group. The step may run more than once.
struct MaintenanceContext {
  WriteTransaction& transaction;
  Segments& segments;
  std::vector<BlobRecord> released{};
};
/// Maintenance of the store's own files and tables, not a change anybody asked for; hence no WriteRequest.
using MaintenanceStep = std::move_only_function<Result<>(MaintenanceContext&)>;

/// Who commits: a thread of the Writer's, or whoever submits (one_thread.h).
enum class CommitThread : std::uint8_t { kOwn, kSubmitter };

class Writer {
 public:
  /// All must outlive it. `journaling`: of this engine and these segments; null for none.
  Writer(Engine& engine, Segments& segments, ChangeHub& hub, const Clock& clock, CommitThread thread,
         Journaling* journaling = nullptr);
  /// Commits what is queued (or refuses it: close_by), then ends.
  ~Writer();

  void submit(WriteRequest request, Completion done);
  /// Runs `step` in a group of its own, after what is queued, and waits. REQUIRES: not on the Writer's thread.
  Result<> maintain(MaintenanceStep step);
  std::uint64_t queued() const;
  void on_fatal(std::function<void(const Error&)> handler);
  /// What waits at `deadline` is refused then, bulk work between two slices; so is what comes later. Any thread.
  void close_by(std::chrono::steady_clock::time_point deadline);

 private:
  struct Task;
  struct Group;
  using TaskPointer = std::unique_ptr<Task>;

  void enqueue(TaskPointer task);
  void run();
  void run_here();
  std::vector<TaskPointer> take_group();
  void commit_group(std::vector<TaskPointer> tasks);
  Result<> run_transaction(Group& group);
  bool is_checkpoint_wanted(std::unique_lock<std::mutex>& lock);
  void look_after_journal(bool is_idle);
  Result<> apply_tasks(Group& group, WriteTransaction& transaction);
  Result<> apply_task(Group& group, Task& task, WriteTransaction& transaction);
  Result<BlobPlacement> place_message(Group& group, AddMessage& add, WriteTransaction& transaction);
  Result<> put_segments(Group& group, WriteTransaction& transaction);
  void complete(Group& group);
  void refuse_all(Group& group, const Error& error);
  void fail_for_good(const Error& error);
  void refuse_waiting(std::unique_lock<std::mutex>& lock, const std::string& why);
  bool is_past_deadline() const { return deadline_ && std::chrono::steady_clock::now() >= *deadline_; }  // REQUIRES: mutex_

  Engine& engine_;
  Segments& segments_;
  ChangeHub& hub_;
  const Clock& clock_;
  Journaling* const journaling_;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<TaskPointer> queue_;  // guarded by mutex_
  std::deque<TaskPointer> bulk_;   // slices after the first; the Writer's thread only
  bool is_refusing_ = false;       // said so in the log; the Writer's thread only
  bool has_failed_ = false;        // fatally; the Writer's thread only
  bool is_running_here_ = false;   // without a thread: a completion that submits does not commit within the commit
  bool is_sleeping_ = false;       // guarded by mutex_: only then is a wake-up needed
  bool is_stopping_ = false;       // guarded by mutex_
  std::optional<Error> fatal_;     // guarded by mutex_
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // guarded by mutex_
  std::function<void(const Error&)> fatal_handler_;                // guarded by mutex_
  std::thread thread_;  // last: starts when all else stands; none with CommitThread::kSubmitter
};

}  // namespace posthus::store
