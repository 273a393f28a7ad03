// The journal: what each group of the Writer changes, in one record and synced once, before anybody is told. The index and
// small texts need no sync of their own then: what a power loss took of them is done again from here (recovery.h).
//
//   two files, journal-0 and journal-1, written in turn from one checkpoint to the next; records one after the other:
//   record: "PSTHJNL1", sequence u64, length of the changes u64, their CRC-32C u32, CRC-32C of the store UUID and all before u32,
//           then the changes:
//     'P', table u8, key length u8, value length u16, key, value      a row
//     'E', table u8, key length u8, key                               a row that is no more
//     'W', segment u32, offset u64, length u32, bytes                 bytes of a segment file
//     '-', as 'P'                                                     a row that a later entry of the record replaced
//
// A record is valid when both checksums hold and its sequence is the one before plus one; the first that is not ends the
// journal. Integers are big-endian. Thread rule: values, and the Writer's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/file.h"
#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/tables.h"

namespace posthus::store {

/// The changes of one group, encoded as they come. Of the puts of one row the last counts.
class GroupChanges {
 public:
  void clear();
  void put(Table table, std::string_view key, std::string_view value);
  void erase(Table table, std::string_view key);
  /// Bytes written to a segment file and not synced there; the pieces lie one after the other.
  void write(std::uint32_t segment, std::uint64_t offset, std::span<const std::string_view> pieces);
  std::string_view bytes() const { return bytes_; }

 private:
  bool replace(Table table, std::string_view key, std::string_view value);

  std::string bytes_;
  std::unordered_map<std::uint64_t, std::size_t> last_;  // hash of table and key -> where its last 'P' begins in bytes_
};

/// Who is told the changes of a record, in their order. A failure ends the walk.
class ChangeVisitor {
 public:
  virtual ~ChangeVisitor() = default;
  virtual Result<> put(Table table, std::string_view key, std::string_view value) = 0;
  virtual Result<> erase(Table table, std::string_view key) = 0;
  virtual Result<> write(std::uint32_t segment, std::uint64_t offset, std::string_view bytes) = 0;
};
/// Errors: kCorrupt (not what GroupChanges wrote), and the visitor's.
Result<> visit_changes(std::string_view changes, ChangeVisitor& visitor);

class Journal {
 public:
  /// The files of `directory`; `last_sequence`: of the last group the index knows. What the files hold is overwritten from
  /// their beginning. Errors: kIo, kUnavailable.
  static Result<std::unique_ptr<Journal>> open(const std::string& directory, std::string store_uuid, std::uint64_t last_sequence);

  std::uint64_t sequence() const { return sequence_; }  // of the last record
  /// Bytes of the current file that records take.
  std::uint64_t bytes() const { return position_; }
  /// Writes and syncs one record. Errors: kUnavailable (not written; the journal is as before), kIo (a sync failed: what is
  /// on disk is unknown).
  Result<> append(std::string_view changes);
  /// Makes the last record invalid and syncs that. Once after an append().
  Result<> take_back();
  /// Goes on at the beginning of the other file. REQUIRES: nothing needs its records any more.
  void switch_files();

 private:
  Journal(std::string store_uuid, std::uint64_t sequence) : store_uuid_(std::move(store_uuid)), sequence_(sequence) {}
  struct File {
    std::string path;
    UniqueFd fd;
    std::uint64_t allocated = 0;  // blocks are there up to here
  };
  File& current() { return files_[current_]; }

  const std::string store_uuid_;
  std::uint64_t sequence_;
  File files_[2];
  int current_ = 0;
  std::uint64_t position_ = 0, last_record_ = 0;
};

/// Calls `record` for each valid record of the files in `directory` whose sequence follows `after` without a gap, in order.
/// kCorrupt when later ones are there behind a gap: the journal is damaged, the records before the gap were given.
Result<> read_journal(const std::string& directory, std::string_view store_uuid, std::uint64_t after,
                      FunctionRef<Result<>(std::string_view changes)> record);

inline constexpr std::size_t kJournalHeadBytes = 32;
/// A journal is never longer but by its last group; far more than that in a file means that it is none of ours.
inline constexpr std::uint64_t kMaxJournalBytes = 256 * 1024 * 1024;

}  // namespace posthus::store
