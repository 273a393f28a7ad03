// FileSegments: message texts in append-only files segments/<number>.seg (format: segment_format.h). The open segment
// is appended to; a text above kMaxCopiedText becomes a segment of its own by rename of its spool file.
// What the index does not name is garbage: the append position comes from the index, and bytes found after it at open
// (a group that was cut off) seal that segment, so that nothing is ever overwritten that an index might name.
// Thread rule: as Segments; punch(), remove() and the walk from any one thread, for sealed segments.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/file.h"
#include "store/blob_record.h"
#include "store/journal.h"
#include "store/segment_format.h"
#include "store/segments.h"

namespace posthus::store {

class FileSegments final : public Segments {
 public:
  using Rows = std::map<std::uint32_t, SegmentRecord>;
  /// `rows`: kSegments as the index has it. Files it does not name are moved to `directory`/orphaned. Errors: kCorrupt
  /// (files but no index, or none of the named files is there), kIo.
  static Result<std::unique_ptr<FileSegments>> open(std::string directory, std::string store_uuid, const Rows& rows,
                                                    std::uint64_t segment_bytes);

  /// Marks every segment but the open one as sealed in the index; once, after open().
  Result<> seal_rows(Engine& engine, const Rows& rows) const;

  void begin_group() override;
  BlobPlacement place(SegmentEntry entry) override;
  void unplace() override;
  Result<> write_group() override;
  std::vector<SegmentChange> changes() const override;
  void end_group(GroupEnd end) override;
  Result<> read(std::uint32_t segment, std::uint64_t offset, std::uint64_t length, std::string& out) override;

  /// From now on small runs are written, told to `changes` and not synced: the journal makes them durable. Null: all is synced.
  void journal_into(GroupChanges* changes) { changes_ = changes; }
  /// The segments that hold bytes not synced. They count as synced from here on: who takes them syncs them, or adds them again.
  std::vector<std::uint32_t> take_unsynced();
  void add_unsynced(const std::vector<std::uint32_t>& segments) { unsynced_.insert(segments.begin(), segments.end()); }

  std::string path_of(std::uint32_t segment) const;
  const std::string& store_uuid() const { return store_uuid_; }
  /// Disk blocks the file has, in bytes.
  Result<std::uint64_t> allocated_bytes(std::uint32_t segment) const;
  /// Gives the whole blocks inside [offset, offset + length) back to the file system. kUnavailable where it cannot.
  Result<> punch(std::uint32_t segment, std::uint64_t offset, std::uint64_t length);
  /// Deletes the file. REQUIRES: no snapshot names a text in it.
  Result<> remove(std::uint32_t segment);

 private:
  struct Cursor {
    std::uint32_t segment = 0;  // 0: none is open
    std::uint64_t position = 0;
    std::uint32_t next_segment = 1;
  };
  struct Placed {
    Cursor before;
    std::uint32_t segment = 0;
    std::uint64_t head_offset = 0;
    bool is_own = false;
    SegmentEntry entry;
  };

  FileSegments(std::string directory, std::string store_uuid, std::uint64_t segment_bytes)
      : directory_(std::move(directory)), store_uuid_(std::move(store_uuid)), segment_bytes_(segment_bytes) {}
  Result<> adopt(const Rows& rows);
  Result<> move_orphans(const Rows& rows) const;
  Result<bool> has_bytes_after(std::uint32_t segment, std::uint64_t position) const;
  RecordHead head_of(const Placed& placed) const;
  Result<> write_placed();
  Result<> sync(int fd, const std::string& path);
  Result<> write_own(const Placed& placed);
  Result<> write_run(std::size_t begin, std::size_t end);
  Result<> write_unsynced(std::uint32_t segment, std::uint64_t offset, std::vector<iovec>& pieces);
  Result<> open_for_writing(std::uint32_t segment);
  Result<std::shared_ptr<UniqueFd>> open_for_reading(std::uint32_t segment);

  const std::string directory_, store_uuid_;
  const std::uint64_t segment_bytes_;

  // The Writer's thread:
  Cursor committed_, cursor_;
  std::vector<Placed> placed_;
  UniqueFd writing_;
  std::uint32_t writing_segment_ = 0;
  std::uint64_t zeroed_until_ = 0;  // of the segment that is written: its blocks are there up to here
  GroupChanges* changes_ = nullptr;
  std::set<std::uint32_t> unsynced_;
  bool is_sync_failed_ = false;                               // by this group
  std::vector<std::uint32_t> created_;                        // files this group made
  std::vector<std::pair<std::string, std::string>> renamed_;  // by this group: spool path, segment path

  // A bounded LRU of open files, newest first.
  struct OpenFile {
    std::uint32_t segment = 0;
    std::shared_ptr<UniqueFd> fd;
  };
  std::mutex mutex_;
  std::list<OpenFile> open_files_;                                                    // guarded by mutex_
  std::unordered_map<std::uint32_t, std::list<OpenFile>::iterator> open_by_segment_;  // guarded by mutex_
};

/// Runs above this are synced in their segment: writing them twice would cost more than the second sync.
inline constexpr std::uint64_t kMaxJournaledRun = 64 * 1024;
inline constexpr std::size_t kMaxOpenSegments = 128;  // of the process's file descriptors; 8 GiB of mail stay open
/// Groups smaller than this zero the file ahead, so that the next syncs need not commit file metadata (a sync of
/// overwritten blocks costs about half). Larger groups spread that cost by themselves, and writing twice would cost more.
inline constexpr std::uint64_t kSmallGroup = 64 * 1024;
inline constexpr std::uint64_t kZeroAhead = 1024 * 1024;

}  // namespace posthus::store
