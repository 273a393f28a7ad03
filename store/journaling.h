// Journaling: how a group becomes durable with one sync. The Writer records what a group puts (changes()), appends that to
// the journal before the engine commits, and now and then a checkpoint is made: index and segments are synced on a thread of
// their own, while the Writer goes on with the journal's other file.
// Thread rule: the Writer's thread; a checkpoint under way touches nothing the Writer does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/checkpoint.h"
#include "store/file_segments.h"
#include "store/journal.h"
#include "store/lmdb_engine.h"

namespace posthus::store {

/// A checkpoint is begun when the journal's file is this long: so much is to be done again after a crash at most twice, and
/// so much room the pages take that were replaced meanwhile.
inline constexpr std::uint64_t kCheckpointBytes = 8 * 1024 * 1024;

class Journaling {
 public:
  /// REQUIRES: index and segments are synced; there is no checkpoint (recovery.h). Makes one, and engine and segments leave
  /// syncing to it from then on. They must outlive it. Errors: kIo, kUnavailable.
  static Result<std::unique_ptr<Journaling>> create(LmdbEngine& engine, FileSegments& segments,
                                                    const std::string& index_directory, std::string store_uuid);
  /// Waits for a checkpoint under way.
  ~Journaling();

  /// What the group that is run puts and erases; cleared by who begins a group.
  GroupChanges& changes() { return changes_; }
  /// Whether the engine's commit finds room for several groups even on a full disk.
  bool has_room() const { return engine_.has_room(); }
  std::uint64_t next_sequence() const { return journal_->sequence() + 1; }
  /// Makes the changes durable. Errors: as Journal::append.
  Result<> append();
  /// The engine refused the group after append(). Errors: kIo.
  Result<> take_back() { return journal_->take_back(); }

  /// After a group: takes the end of a checkpoint, begins one when it is due. Errors: kIo (of a checkpoint: fatal).
  Result<> after_group();
  /// So long nothing came: a checkpoint then disturbs nobody, and a start after a crash has nothing to do. Any thread.
  std::chrono::milliseconds idle() const { return idle_; }
  void set_idle(std::chrono::milliseconds idle) { idle_ = idle; }
  /// Is there anything a checkpoint would make durable?
  bool is_behind() const { return journal_->bytes() > 0 || worker_.joinable(); }
  /// Makes one now, and waits. One that finds no room is not lost: the journal goes on, and a later one is tried.
  /// Errors: kIo (fatal).
  Result<> make_checkpoint();
  /// The orderly end: syncs everything and removes the checkpoint, so that the files are the store without any recovery.
  /// Nothing is appended afterwards. Errors: kIo, kUnavailable (the next opening does the journal again).
  Result<> close();

 private:
  struct Work {
    std::unique_ptr<LmdbPin> pin;
    std::vector<std::uint32_t> segments;  // to be synced
    Checkpoint checkpoint;
  };
  Journaling(LmdbEngine& engine, FileSegments& segments, std::string index_directory, std::string store_uuid);
  Result<> begin();
  Result<> carry_out() const;
  Result<> finish();
  Result<> settle(const Result<>& carried_out);

  LmdbEngine& engine_;
  FileSegments& segments_;
  const std::string index_directory_, store_uuid_;
  std::atomic<std::chrono::milliseconds> idle_{std::chrono::milliseconds(1000)};
  std::unique_ptr<Journal> journal_;
  GroupChanges changes_;
  std::unique_ptr<LmdbPin> pin_;              // of the checkpoint on disk
  bool is_other_free_ = false;                // the journal's other file: the checkpoint on disk makes its records needless
  bool is_failing_ = false;                   // said so in the log
  std::uint64_t next_at_ = kCheckpointBytes;  // journal bytes at which the next one is due
  Work work_;                                 // of the one under way; the worker's until it is joined
  Result<> worked_;                           // the same
  std::atomic<bool> is_done_ = false;
  std::thread worker_;
};

}  // namespace posthus::store
