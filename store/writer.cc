// Writer: see the header. One group: take_group, run_transaction (apply, place, write and sync, commit), complete.
#include "store/writer.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "store/recovery.h"
#include "store/segment_format.h"
#include "store/store.h"
#include "store/writer_metrics.h"

namespace posthus::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::uint64_t microseconds_since(SteadyClock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin).count());
}

/// Counts what was put, so that the Writer knows whether a refused request left something behind, and records it.
class RecordedTransaction final : public WriteTransaction {
 public:
  /// `changes`: null when nobody wants them.
  RecordedTransaction(WriteTransaction& inner, GroupChanges* changes) : inner_(inner), changes_(changes) {}
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override { return inner_.get(table, key); }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return inner_.scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return inner_.scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return inner_.size(table); }
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    ++puts_;
    // WHY before: key and value may be views of a page that the put moves about. A put that fails ends the group.
    if (changes_) changes_->put(table, key, value);
    return inner_.put(table, key, value);
  }
  Result<> erase(Table table, std::string_view key) override {
    ++puts_;
    if (changes_) changes_->erase(table, key);
    return inner_.erase(table, key);
  }
  std::uint64_t puts() const { return puts_; }

 private:
  WriteTransaction& inner_;
  GroupChanges* changes_;
  std::uint64_t puts_ = 0;
};

std::uint64_t message_bytes(const WriteRequest& request) {
  const AddMessage* add = message_of(request);
  return add ? add->message.size() : 0;
}

void append_uids(UidSet& all, const UidSet& more) {
  for (const UidRange& range : more) {
    if (!all.empty() && all.back().last.value + 1 == range.first.value) {
      all.back().last = range.last;
    } else {
      all.push_back(range);
    }
  }
}

void join(WriteOutcome& all, WriteOutcome&& slice) {
  if (slice.account.value != 0) all.account = slice.account;
  if (slice.mailbox.value != 0) all.mailbox = slice.mailbox;
  if (slice.uid_validity != 0) all.uid_validity = slice.uid_validity;
  if (slice.modseq.value != 0) all.modseq = slice.modseq;
  append_uids(all.uids, slice.uids);
  all.destinations.merge(slice.destinations);
  all.has_more_destinations = all.has_more_destinations || slice.has_more_destinations;
  while (all.destinations.size() > kMaxNamedDestinations) {
    all.has_more_destinations = true;
    all.destinations.erase(all.destinations.begin());
  }
  all.messages += slice.messages;
  all.has_begun_hold = all.has_begun_hold || slice.has_begun_hold;
  if (all.added.empty()) {
    all.added = std::move(slice.added);
  } else {
    all.added.insert(all.added.end(), slice.added.begin(), slice.added.end());
  }
}

}  // namespace

struct Writer::Task {
  std::optional<WriteRequest> request;
  MaintenanceStep step;  // instead of a request
  Completion done;
  SteadyClock::time_point queued_at;
  std::optional<SliceProgress> progress;  // where the last committed slice ended
  WriteOutcome so_far;                    // of committed slices

  // Of the group that is running:
  Result<WriteOutcome> result;
  std::optional<SliceProgress> next;
  bool is_excluded = false;  // refused: its result stands, the group runs without it
};

struct Writer::Group {
  std::vector<TaskPointer> tasks;
  Timestamp now;
  std::vector<MailboxId> changed;
  std::vector<BlobRecord> released;
  std::uint64_t next_blob = 0;  // 0 until the first message of the group
  std::uint64_t first_blob = 0;
  bool must_rerun = false;  // a request failed after a put
  bool is_empty = false;    // nothing was put: nothing to commit
  bool is_written = false;  // applied, texts durable; what comes now is the commit itself
  bool is_sync_failed = false;
};

Writer::Writer(Engine& engine, Segments& segments, ChangeHub& hub, const Clock& clock, CommitThread thread,
               Journaling* journaling)
    : engine_(engine), segments_(segments), hub_(hub), clock_(clock), journaling_(journaling) {
  if (thread == CommitThread::kOwn) thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    arrived_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  if (!journaling_ || has_failed_) return;
  Result<> closed = catch_up();
  if (closed) closed = journaling_->close();
  if (!closed) {
    log::error("store.close", {{"error", closed.error().context}});  // the next opening does the journal again
  }
}

void Writer::submit(WriteRequest request, Completion done) {
  auto task = std::make_unique<Task>();
  task->request = std::move(request);
  task->done = std::move(done);
  enqueue(std::move(task));
}

void Writer::enqueue(TaskPointer task) {
  task->queued_at = SteadyClock::now();
  Error refusal;
  {
    const std::lock_guard lock(mutex_);
    if (fatal_) {
      refusal = {ErrorKind::kUnavailable, "the store has failed: " + fatal_->context};
    } else if (is_stopping_ || is_past_deadline()) {
      refusal = {ErrorKind::kUnavailable, "the store is closing"};
    } else if (queue_.size() >= kMaxQueuedRequests) {
      refusal = {ErrorKind::kBusy, "too many changes are waiting"};
    } else {
      queue_.push_back(std::move(task));
      if (is_sleeping_) {
        is_sleeping_ = false;
        arrived_.notify_one();
      }
    }
  }
  if (!task) {
    if (!thread_.joinable()) run_here();
    return;
  }
  writer_metrics().refused.add();
  task->done(std::unexpected(std::move(refusal)));
}

Result<> Writer::maintain(MaintenanceStep step) {
  CHECK(std::this_thread::get_id() != thread_.get_id());
  std::promise<Result<>> promise;
  auto task = std::make_unique<Task>();
  task->step = std::move(step);
  task->done = [&promise](Result<WriteOutcome> outcome) {
    promise.set_value(outcome ? Result<>() : std::unexpected(std::move(outcome).error()));
  };
  enqueue(std::move(task));
  return promise.get_future().get();
}

std::uint64_t Writer::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Writer::on_fatal(std::function<void(const Error&)> handler) {
  const std::lock_guard lock(mutex_);
  fatal_handler_ = std::move(handler);
}

void Writer::run() {
  for (;;) {
    std::vector<TaskPointer> tasks = take_group();
    if (!tasks.empty()) {
      commit_group(std::move(tasks));
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (is_stopping_ && queue_.empty()) return;
  }
}

/// Commits on the caller's thread until nothing is queued. REQUIRES: there is no Writer's thread.
void Writer::run_here() {
  if (std::exchange(is_running_here_, true)) return;
  while (!queue_.empty() || !bulk_.empty()) {
    std::vector<TaskPointer> tasks = take_group();
    if (!tasks.empty()) commit_group(std::move(tasks));
  }
  is_running_here_ = false;
}

/// Empty when the Writer is to end and nothing is left, and when all that waited was refused.
std::vector<Writer::TaskPointer> Writer::take_group() {
  std::vector<TaskPointer> tasks;
  std::unique_lock lock(mutex_);
  while (queue_.empty() && bulk_.empty()) {
    if (is_stopping_) return tasks;
    if (is_checkpoint_wanted(lock)) continue;
    is_sleeping_ = true;
    arrived_.wait(lock, [this] { return !is_sleeping_ || is_stopping_; });
    is_sleeping_ = false;
  }
  if (is_past_deadline()) {
    refuse_waiting(lock, "the store is closing");
    return tasks;
  }
  take_queued(tasks);
  if (!tasks.empty() && tasks.back()->step) return tasks;
  lock.unlock();
  // One slice of bulk work per group: a delivery never waits for more.
  if (!bulk_.empty()) {
    tasks.push_back(std::move(bulk_.front()));
    bulk_.pop_front();
  }
  return tasks;
}

/// REQUIRES: mutex_.
void Writer::take_queued(std::vector<TaskPointer>& tasks) {
  std::uint64_t bytes = 0;
  while (!queue_.empty() && tasks.size() < kMaxGroupRequests && bytes < kMaxGroupBytes) {
    // WHY alone: a step of maintenance touches rows that requests of the same group could have changed.
    if (queue_.front()->step && !tasks.empty()) break;
    if (queue_.front()->request) bytes += message_bytes(*queue_.front()->request);
    tasks.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (tasks.back()->step) return;
  }
}

/// Waits a while when the index is behind the journal, and makes a checkpoint when nothing came. False: there is none to make.
bool Writer::is_checkpoint_wanted(std::unique_lock<std::mutex>& lock) {
  if (!journaling_ || has_failed_ || !journaling_->is_behind()) return false;
  is_sleeping_ = true;
  const bool is_idle = !arrived_.wait_for(lock, journaling_->idle(), [this] { return !is_sleeping_ || is_stopping_; });
  is_sleeping_ = false;
  if (!is_idle) return true;
  lock.unlock();
  look_after_journal(true);
  lock.lock();
  return true;
}

void Writer::look_after_journal(bool is_idle) {
  if (!journaling_ || has_failed_) return;
  Result<> done = catch_up();
  // A checkpoint must not say that the index has what it has not.
  if (!done && done.error().kind == ErrorKind::kUnavailable) return;
  if (done) done = is_idle ? journaling_->make_checkpoint() : journaling_->after_group();
  if (!done) fail_for_good(done.error());
}

void Writer::commit_group(std::vector<TaskPointer> tasks) {
  WriterMetrics& metrics = writer_metrics();
  for (const TaskPointer& task : tasks) metrics.queue_wait.observe(microseconds_since(task->queued_at));
  Group group;
  group.tasks = std::move(tasks);
  Result<> committed;
  do {
    committed = run_transaction(group);
    if (group.must_rerun) metrics.rerun.add();
  } while (group.must_rerun);
  if (committed || group.is_empty) {
    segments_.end_group(GroupEnd::kCommitted);
    if (committed && std::exchange(is_refusing_, false)) log::info("store.writing_again");
    complete(group);
    return look_after_journal(false);
  }
  bool is_fatal = group.is_sync_failed || (group.is_written && committed.error().kind != ErrorKind::kUnavailable);
  // The clients are told that it was refused, so it must not come back after a crash.
  if (!is_fatal && group.is_written && journaling_) is_fatal = !journaling_->take_back();
  if (is_fatal) {
    // WHY the segments are left as they are: the commit may be on disk after all, and then names the texts.
    fail_for_good(committed.error());
    return refuse_all(group, committed.error());
  }
  segments_.end_group(GroupEnd::kRefused);
  if (committed.error().kind == ErrorKind::kUnavailable && !std::exchange(is_refusing_, true)) {
    log::error("store.cannot_write", {{"context", committed.error().context}});
  }
  if (group.tasks.size() == 1) return refuse_all(group, committed.error());
  // No room for the whole group: smaller requests, and those that free space, may still fit one by one.
  for (TaskPointer& task : group.tasks) {
    if (has_failed_) {
      task->done(fail(ErrorKind::kUnavailable, "the store has failed"));
      continue;
    }
    std::vector<TaskPointer> alone;
    alone.push_back(std::move(task));
    commit_group(std::move(alone));
  }
}

/// One transaction: of this group, and of those that follow it when it may be answered first; `group` is then the last of them.
Result<> Writer::run_transaction(Group& group) {
  if (const Result<> caught_up = catch_up(); !caught_up) return refuse_behind(group, caught_up.error());
  const Result<> committed = engine_.commit([&](WriteTransaction& transaction) -> Result<> {
    for (std::size_t groups = 1;; ++groups) {
      const Result<> written = run_group(group, transaction);
      // An empty group must not take those before it along.
      if (!written && group.is_empty && !answered_.empty()) return {};
      if (!written || groups == kMaxGroupsPerCommit || !may_answer_first(group)) return written;
      std::vector<TaskPointer> following = take_following();
      if (following.empty()) return written;
      answer_first(group);
      group.tasks = std::move(following);
    }
  });
  return answered_.empty() ? committed : end_answered(group, committed);
}

Result<> Writer::run_group(Group& group, WriteTransaction& transaction) {
  const auto begin = SteadyClock::now();
  writer_metrics().group_size.observe(group.tasks.size());
  group.now = clock_.now();
  group.must_rerun = group.is_empty = group.is_written = group.is_sync_failed = false;
  group.changed.clear();
  group.released.clear();
  group.next_blob = group.first_blob = 0;
  segments_.begin_group();
  if (journaling_) journaling_->changes().clear();
  POSTHUS_TRY_VOID(apply_tasks(group, transaction));
  // Ending a transaction without puts by an error saves the syncs.
  if (group.is_empty) return fail(ErrorKind::kUnavailable, "nothing to commit");
  Result<> durable = segments_.write_group();
  if (durable && journaling_) durable = journaling_->append();
  group.is_sync_failed = !durable && durable.error().kind != ErrorKind::kUnavailable;
  group.is_written = durable.has_value();
  if (group.is_written) writer_metrics().commit.observe(microseconds_since(begin));
  return durable;
}

/// REQUIRES: the group's record is synced.
bool Writer::may_answer_first(const Group& group) {
  if (!journaling_ || !thread_.joinable() || !bulk_.empty()) return false;
  const std::uint32_t looks = looks_.load(std::memory_order_relaxed);
  unread_groups_ = looks == looks_seen_ ? unread_groups_ + 1 : 0;
  looks_seen_ = looks;
  if (unread_groups_ < kUnreadGroups) return false;
  const bool is_allowed = std::ranges::all_of(group.tasks, [](const TaskPointer& task) {
    const AddMessage* add = task->request ? message_of(*task->request) : nullptr;
    return add && add->is_indexed_when_read;
  });
  const std::size_t bytes = answered_.size() + journaling_->changes().bytes().size();
  return is_allowed && bytes <= kMaxAnsweredBytes && journaling_->has_room();
}

/// What was queued meanwhile; nothing when the commit must not wait for it.
std::vector<Writer::TaskPointer> Writer::take_following() {
  std::vector<TaskPointer> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (is_index_wanted_ || is_stopping_ || is_past_deadline() || queue_.empty() || queue_.front()->step) return tasks;
    take_queued(tasks);
  }
  for (const TaskPointer& task : tasks) writer_metrics().queue_wait.observe(microseconds_since(task->queued_at));
  return tasks;
}

/// The group is durable by its record; that the index has it is up to the commit.
void Writer::answer_first(Group& group) {
  writer_metrics().answered_first.add();
  answered_ += journaling_->changes().bytes();
  answered_mailboxes_.insert(answered_mailboxes_.end(), group.changed.begin(), group.changed.end());
  is_index_behind_ = true;  // WHY before the answers: who has one must find the message
  segments_.end_group(GroupEnd::kCommitted);
  complete(group);
}

/// After a transaction some of whose groups were answered before its end. Errors: those of the commit; of catch_up() when what
/// was answered is not in the index now, and then nothing of `group` is.
Result<> Writer::end_answered(Group& group, const Result<>& committed) {
  if (committed) {
    end_being_behind();
    return committed;
  }
  const Result<> caught_up = catch_up();
  return caught_up ? committed : refuse_behind(group, caught_up.error());
}

/// What was answered before `group` is not in the index, so the group cannot be.
Result<> Writer::refuse_behind(Group& group, const Error& error) {
  group.must_rerun = group.is_empty = false;
  group.is_sync_failed = error.kind != ErrorKind::kUnavailable;
  return std::unexpected(error);
}

/// Puts what was answered into the index by a commit of its own. Errors: kUnavailable (no room: the journal has it, and it is
/// tried again before every group, once an idle time and at the end; nobody waits for it), kIo (fatal: the next opening will).
Result<> Writer::catch_up() {
  if (answered_.empty()) return {};
  const Result<> committed =
      engine_.commit([this](WriteTransaction& transaction) { return replay_rows(answered_, transaction); });
  if (committed) {
    // Those who looked while there was no room did not see it.
    if (is_index_stuck_) std::ranges::for_each(answered_mailboxes_, [this](MailboxId mailbox) { hub_.announce(mailbox); });
    end_being_behind();
    return {};
  }
  const ErrorKind kind = committed.error().kind == ErrorKind::kUnavailable ? ErrorKind::kUnavailable : ErrorKind::kIo;
  const std::lock_guard lock(mutex_);
  is_index_stuck_ = true;
  index_up_.notify_all();
  return fail(kind, "what was answered: " + committed.error().context);
}

void Writer::end_being_behind() {
  answered_.clear();
  answered_mailboxes_.clear();
  const std::lock_guard lock(mutex_);
  is_index_behind_ = is_index_wanted_ = is_index_stuck_ = false;
  index_up_.notify_all();
}

bool Writer::bring_index_up() {
  looks_.fetch_add(1, std::memory_order_relaxed);
  if (!is_index_behind_) return true;
  if (std::this_thread::get_id() == thread_.get_id()) return false;
  std::unique_lock lock(mutex_);
  is_index_wanted_ = true;
  index_up_.wait(lock, [this] { return !is_index_behind_ || is_index_stuck_; });
  return !is_index_behind_;
}

Result<> Writer::apply_tasks(Group& group, WriteTransaction& inner) {
  RecordedTransaction transaction(inner, journaling_ ? &journaling_->changes() : nullptr);
  for (const TaskPointer& task : group.tasks) {
    if (task->is_excluded) continue;
    const std::uint64_t puts_before = transaction.puts();
    const auto begin = SteadyClock::now();
    const Result<> applied = apply_task(group, *task, transaction);
    if (!task->step) writer_metrics().apply[task->request->index()]->observe(microseconds_since(begin));
    if (applied) continue;
    task->result = std::unexpected(applied.error());
    if (transaction.puts() == puts_before) continue;
    if (applied.error().kind == ErrorKind::kUnavailable && group.tasks.size() > 1) return applied;
    task->is_excluded = true;
    group.must_rerun = true;
    return applied;
  }
  group.is_empty = transaction.puts() == 0;
  return group.is_empty ? Result<>() : put_segments(group, transaction);
}

Result<> Writer::apply_task(Group& group, Task& task, WriteTransaction& transaction) {
  task.next.reset();
  if (task.step) {
    MaintenanceContext context{transaction, segments_};
    POSTHUS_TRY_VOID(task.step(context));
    group.released.insert(group.released.end(), context.released.begin(), context.released.end());
    task.result = WriteOutcome();
    return {};
  }
  ApplyContext context{.transaction = transaction, .now = group.now, .placement = {}, .progress = task.progress};
  AddMessage* add = message_of(*task.request);
  if (add) context.placement = POSTHUS_TRY(place_message(group, *add, transaction));
  Result<WriteOutcome> outcome = posthus::store::apply(context, *task.request);
  if (!outcome) {
    if (add) segments_.unplace();
    return std::unexpected(std::move(outcome).error());
  }
  if (add) ++group.next_blob;
  group.changed.insert(group.changed.end(), context.changed.begin(), context.changed.end());
  group.released.insert(group.released.end(), context.released.begin(), context.released.end());
  task.result = std::move(outcome);
  task.next = context.next;
  return {};
}

/// Gives the message an id and a place. The owners go into the segment record, so that the index can be rebuilt.
Result<BlobPlacement> Writer::place_message(Group& group, AddMessage& add, WriteTransaction& transaction) {
  if (group.next_blob == 0) {
    const auto stored = POSTHUS_TRY(transaction.get(Table::kMeta, meta_key::kNextBlob));
    group.next_blob = group.first_blob = stored ? ByteReader(*stored).u64() : 1;
  }
  Origin origin;
  origin.reverse_path = add.reverse_path;
  for (const Target& target : add.targets) {
    MailboxOwner owner = POSTHUS_TRY(find_mailbox_owner(transaction, target.mailbox));
    origin.owners.push_back(
        {owner.account, target.mailbox, target.flags, std::move(owner.address), std::move(owner.mailbox_name)});
  }
  SegmentEntry entry;
  entry.blob = BlobId(group.next_blob);
  entry.internal_date = add.internal_date;
  entry.length = add.message.size();
  entry.checksum = add.message.checksum();
  if (add.message.is_spooled()) {
    entry.spool_path = add.message.spool_path();
  } else {
    entry.text = add.message.bytes();
  }
  entry.origin = encode_origin(origin);
  return segments_.place(std::move(entry));
}

Result<> Writer::put_segments(Group& group, WriteTransaction& transaction) {
  std::map<std::uint32_t, SegmentRecord> rows;
  const auto row_of = [&](std::uint32_t segment) -> Result<SegmentRecord*> {
    if (const auto found = rows.find(segment); found != rows.end()) return &found->second;
    const auto bytes = POSTHUS_TRY(transaction.get(Table::kSegments, segment_key(segment)));
    SegmentRecord record;
    if (bytes) record = POSTHUS_TRY(decode_segment_record(*bytes));
    return &rows.emplace(segment, record).first->second;
  };
  for (const SegmentChange& change : segments_.changes()) {
    SegmentRecord* row = POSTHUS_TRY(row_of(change.segment));
    row->written = change.written;
    row->live += change.added_live;
    row->is_sealed = row->is_sealed || change.is_sealed;
  }
  for (const BlobRecord& blob : group.released) {
    SegmentRecord* row = POSTHUS_TRY(row_of(blob.segment));
    row->live -= std::min(row->live, blob.length);
  }
  for (const auto& [segment, record] : rows) {
    POSTHUS_TRY_VOID(transaction.put(Table::kSegments, segment_key(segment), encode_segment_record(record)));
  }
  if (journaling_) {
    std::string sequence;
    append_u64(sequence, journaling_->next_sequence());
    POSTHUS_TRY_VOID(transaction.put(Table::kMeta, meta_key::kJournal, sequence));
  }
  if (group.next_blob == group.first_blob) return {};
  std::string next_blob;
  append_u64(next_blob, group.next_blob);
  return transaction.put(Table::kMeta, meta_key::kNextBlob, next_blob);
}

/// The group is durable (or nothing of it had to be): tell everybody.
void Writer::complete(Group& group) {
  for (TaskPointer& task : group.tasks) {
    if (!task->result) {
      writer_metrics().refused.add();
      task->done(std::move(task->result));
      continue;
    }
    AddMessage* add = task->request ? message_of(*task->request) : nullptr;
    if (add && add->message.is_spooled() && add->message.size() > kMaxCopiedText) add->message.release_spool_file();
    join(task->so_far, *std::move(task->result));
    if (task->next) {
      task->progress = std::exchange(task->next, std::nullopt);
      task->result = WriteOutcome();
      task->queued_at = SteadyClock::now();
      bulk_.push_back(std::move(task));
      continue;
    }
    task->done(std::move(task->so_far));
  }
  // Watchers look for themselves, so one wake-up per mailbox and group is enough, in any order.
  std::ranges::sort(group.changed);
  const auto doubles = std::ranges::unique(group.changed);
  group.changed.erase(doubles.begin(), doubles.end());
  for (const MailboxId mailbox : group.changed) hub_.announce(mailbox);
}

void Writer::refuse_all(Group& group, const Error& error) {
  for (TaskPointer& task : group.tasks) {
    writer_metrics().refused.add();
    // A request refused on its own account keeps its own error.
    task->done(task->is_excluded ? std::move(task->result) : Result<WriteOutcome>(std::unexpected(error)));
  }
}

void Writer::fail_for_good(const Error& error) {
  log::error("store.fatal", {{"error", to_string(error.kind)}, {"context", error.context}});
  has_failed_ = true;
  std::unique_lock lock(mutex_);
  fatal_ = error;
  const std::function<void(const Error&)> handler = fatal_handler_;
  refuse_waiting(lock, "the store has failed: " + error.context);
  if (handler) handler(error);
}

/// Lets go of the lock: completions may submit again.
void Writer::refuse_waiting(std::unique_lock<std::mutex>& lock, const std::string& why) {
  std::deque<TaskPointer> waiting;
  waiting.swap(queue_);
  lock.unlock();
  for (TaskPointer& task : bulk_) waiting.push_back(std::move(task));
  bulk_.clear();
  for (TaskPointer& task : waiting) {
    writer_metrics().refused.add();
    task->done(fail(ErrorKind::kUnavailable, why));
  }
}

void Writer::close_by(std::chrono::steady_clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  deadline_ = deadline;
}

}  // namespace posthus::store
