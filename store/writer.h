// Writer: the one thread that commits write requests in groups. It takes everything queued (at most kMaxGroupRequests or
// kMaxGroupBytes), runs it in one transaction, makes the message texts durable, commits, runs completions, announces
// changes in commit order. No timer: a group is whatever arrived while the one before was being synced.
//
// With a journal (journaling.h) one sync makes a group durable: of its record there, before the engine commits. Without one
// the texts are synced, then the engine's commit syncs itself.
//
// While nobody reads, groups of deliveries that allow it (AddMessage::is_indexed_when_read) are answered when their record is
// synced, and up to kMaxGroupsPerCommit of them share one commit of the engine: it would write nearly the same pages for each.
// Whoever wants to see what was answered waits for that commit (bring_index_up), and so ends it for a while. When such a commit
// cannot be, what was answered is put into the index by a commit of its own; when there is no room for that either, it is tried
// again, everything else is refused until it is done, and readers see the index as it is.
//
// A refused request fails alone: apply checks before it puts; one that failed after a put makes the group run again
// without it. No room (kUnavailable): the requests of the group are tried one by one, what does not fit is refused, the
// server goes on. A failed sync or commit (kIo) is fatal: nothing is accepted any more, on_fatal is called.
// Thread rule: submit functions from any thread; completions run on the Writer's thread.
#pragma once

#include <atomic>
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
inline constexpr std::size_t kMaxGroupsPerCommit = 16;            // who reads waits for the one under way at most
inline constexpr std::size_t kMaxAnsweredBytes = 512 * 1024;      // of their changes, kept in memory until the commit
inline constexpr unsigned kUnreadGroups = 4;  // in a row without a reader, before the commit may wait: no reader waits twice

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
  /// Until all that was answered is in the index. Waits for a sync and a commit at most, on the Writer's thread not at all.
  /// False: it is not there yet, on the Writer's thread or because there is no room for it.
  bool bring_index_up();
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
  void take_queued(std::vector<TaskPointer>& tasks);
  Result<> run_transaction(Group& group);
  Result<> run_group(Group& group, WriteTransaction& transaction);
  bool may_answer_first(const Group& group);
  std::vector<TaskPointer> take_following();
  void answer_first(Group& group);
  Result<> end_answered(Group& group, const Result<>& committed);
  Result<> catch_up();
  static Result<> refuse_behind(Group& group, const Error& error);
  void end_being_behind();
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
  std::deque<TaskPointer> queue_;              // guarded by mutex_
  std::deque<TaskPointer> bulk_;               // slices after the first; the Writer's thread only
  std::string answered_;                       // changes of answered groups that are not committed; the Writer's thread only
  std::vector<MailboxId> answered_mailboxes_;  // that they changed; the same
  std::atomic<std::uint32_t> looks_ = 0;       // how often somebody wanted the index as it was answered
  std::uint32_t looks_seen_ = 0;               // the Writer's thread only, as is the next
  unsigned unread_groups_ = 0;                 // since looks_ last changed
  std::atomic<bool> is_index_behind_ = false;  // cleared under mutex_
  bool is_index_wanted_ = false;               // guarded by mutex_
  bool is_index_stuck_ = false;                // written under mutex_ by the Writer's thread: no room for what was answered
  std::condition_variable index_up_;
  bool is_refusing_ = false;      // said so in the log; the Writer's thread only
  bool has_failed_ = false;       // fatally; the Writer's thread only
  bool is_running_here_ = false;  // without a thread: a completion that submits does not commit within the commit
  bool is_sleeping_ = false;      // guarded by mutex_: only then is a wake-up needed
  bool is_stopping_ = false;      // guarded by mutex_
  std::optional<Error> fatal_;    // guarded by mutex_
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // guarded by mutex_
  std::function<void(const Error&)> fatal_handler_;                // guarded by mutex_
  std::thread thread_;  // last: starts when all else stands; none with CommitThread::kSubmitter
};

}  // namespace posthus::store
