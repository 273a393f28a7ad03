// Recovery: see the header.
#include "store/recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <map>
#include <string>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "store/blob_record.h"
#include "store/checkpoint.h"
#include "store/journal.h"
#include "store/lmdb_file.h"
#include "store/positioned_write.h"
#include "store/segment_format.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

/// The first pass: rows. Segments wait until it is known which of them the index names in the end.
class RowReplay final : public ChangeVisitor {
 public:
  explicit RowReplay(WriteTransaction& transaction) : transaction_(transaction) {}
  Result<> put(Table table, std::string_view key, std::string_view value) override { return transaction_.put(table, key, value); }
  Result<> erase(Table table, std::string_view key) override { return transaction_.erase(table, key); }
  Result<> write(std::uint32_t, std::uint64_t, std::string_view) override { return {}; }

 private:
  WriteTransaction& transaction_;
};

/// The second pass: bytes of segments. What was written for a segment that is gone since stays away.
class SegmentReplay final : public ChangeVisitor {
 public:
  /// `rows`: null when there is no index to ask.
  SegmentReplay(std::string directory, const Snapshot* rows) : directory_(std::move(directory)), rows_(rows) {}
  Result<> put(Table, std::string_view, std::string_view) override { return {}; }
  Result<> erase(Table, std::string_view) override { return {}; }
  Result<> write(std::uint32_t segment, std::uint64_t offset, std::string_view bytes) override {
    auto found = files_.find(segment);
    if (found == files_.end()) {
      if (rows_ && !POSTHUS_TRY(rows_->get(Table::kSegments, segment_key(segment)))) return {};
      UniqueFd fd(::open(path_of(segment).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      if (!fd) return storage_error(path_of(segment));
      found = files_.emplace(segment, std::move(fd)).first;
    }
    return pwrite_all(found->second.get(), bytes, offset, path_of(segment));
  }
  Result<> sync() {
    if (files_.empty()) return {};
    for (const auto& [segment, fd] : files_) {
      if (::fdatasync(fd.get()) != 0) return storage_error(path_of(segment));
    }
    return sync_directory(directory_);
  }

 private:
  std::string path_of(std::uint32_t segment) const { return directory_ + "/" + segment_file_name(segment); }
  const std::string directory_;
  const Snapshot* rows_;
  std::map<std::uint32_t, UniqueFd> files_;
};

/// REQUIRES: `directory` holds the files of a checkpoint.
Result<> move_checkpoint_aside(const std::string& directory) {
  const std::string end = ".foreign-" + std::to_string(::time(nullptr));
  for (const char* name : {"/checkpoint", "/journal-0", "/journal-1"}) {
    const std::string path = directory + name;
    if (::rename(path.c_str(), (path + end).c_str()) != 0 && errno != ENOENT) return storage_error(path);
  }
  log::warning("store.foreign_checkpoint", {{"moved_to", directory + "/checkpoint" + end}});
  return sync_directory(directory);
}

}  // namespace

Result<bool> restore_checkpoint(const std::string& index_directory) {
  const auto checkpoint = POSTHUS_TRY(read_checkpoint(index_directory));
  if (!checkpoint) return false;
  const std::string path = index_directory + "/data.mdb";
  const auto pages = read_meta_pages(path);
  // The file's meta pages are the checkpoint's or later ones: an older index does not belong to this journal.
  if (!pages || pages->size() != checkpoint->meta_pages.size() ||
      newest_transaction(*pages) < newest_transaction(checkpoint->meta_pages)) {
    POSTHUS_TRY_VOID(move_checkpoint_aside(index_directory));
    return false;
  }
  if (*pages != checkpoint->meta_pages) POSTHUS_TRY_VOID(write_meta_pages(path, checkpoint->meta_pages));
  return true;
}

Result<> replay_rows(std::string_view changes, WriteTransaction& transaction) {
  RowReplay rows(transaction);
  return visit_changes(changes, rows);
}

Result<> replay_segments(const std::string& index_directory, const std::string& segments_directory) {
  const auto checkpoint = POSTHUS_TRY(read_checkpoint(index_directory));
  if (!checkpoint) return {};
  SegmentReplay segments(segments_directory, nullptr);
  POSTHUS_TRY_VOID(read_journal(index_directory, checkpoint->store_uuid, checkpoint->sequence,
                                [&segments](std::string_view changes) { return visit_changes(changes, segments); }));
  return segments.sync();
}

Result<> remove_checkpoint(const std::string& index_directory) {
  if (::unlink((index_directory + "/checkpoint").c_str()) != 0 && errno != ENOENT) return storage_error(index_directory);
  POSTHUS_TRY_VOID(sync_directory(index_directory));
  // Long journals go only now, and give a full disk the room that the new checkpoint needs.
  for (const char* name : {"/journal-0", "/journal-1"}) {
    const std::string path = index_directory + name;
    if (::truncate(path.c_str(), 0) != 0 && errno != ENOENT) return storage_error(path);
  }
  return {};
}

Result<std::uint64_t> last_sequence(const Snapshot& snapshot) {
  const auto stored = POSTHUS_TRY(snapshot.get(Table::kMeta, meta_key::kJournal));
  return stored ? ByteReader(*stored).u64() : 0;
}

Result<std::uint64_t> replay_journal(Engine& engine, const std::string& index_directory, const std::string& segments_directory,
                                     std::string_view store_uuid) {
  const auto before = POSTHUS_TRY(engine.snapshot());
  const std::uint64_t last = POSTHUS_TRY(last_sequence(*before));
  std::uint64_t groups = 0;
  POSTHUS_TRY_VOID(read_journal(index_directory, store_uuid, last, [&groups](std::string_view) -> Result<> {
    ++groups;
    return {};
  }));
  if (groups == 0) return 0;
  // WHY segments first would not do: which of them are still there is known from the rows alone. A crash in between is
  // harmless, the checkpoint stands until all is synced.
  POSTHUS_TRY_VOID(engine.commit([&](WriteTransaction& transaction) -> Result<> {
    POSTHUS_TRY_VOID(read_journal(index_directory, store_uuid, last,
                                  [&](std::string_view changes) { return replay_rows(changes, transaction); }));
    SegmentReplay segments(segments_directory, &transaction);
    POSTHUS_TRY_VOID(read_journal(index_directory, store_uuid, last,
                                  [&segments](std::string_view changes) { return visit_changes(changes, segments); }));
    return segments.sync();
  }));
  log::info("store.replayed", {{"groups", groups}});
  return groups;
}

}  // namespace posthus::store
