// FileSegments: see the header.
#include "store/file_segments.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "store/orphaned_segments.h"
#include "store/positioned_write.h"
#include "store/segment_format.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::string_view kZeroPadding("\0\0\0\0\0\0\0", kRecordAlignment - 1);

Result<std::string> read_spooled(const SegmentEntry& entry) {
  const UniqueFd fd(::open(entry.spool_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return storage_error(entry.spool_path);
  std::string text(entry.length, '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t result = ::pread(fd.get(), text.data() + got, text.size() - got, static_cast<off_t>(kFirstTextOffset + got));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return storage_error(entry.spool_path);
    if (result == 0) return fail(ErrorKind::kIo, entry.spool_path + " is too short");
    got += static_cast<std::size_t>(result);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<FileSegments>> FileSegments::open(std::string directory, std::string store_uuid, const Rows& rows,
                                                         std::uint64_t segment_bytes) {
  std::unique_ptr<FileSegments> segments(new FileSegments(std::move(directory), std::move(store_uuid), segment_bytes));
  POSTHUS_TRY_VOID(segments->move_orphans(rows));
  POSTHUS_TRY_VOID(segments->adopt(rows));
  return segments;
}

/// Files the index does not name are put aside (orphaned_segments.h).
Result<> FileSegments::move_orphans(const Rows& rows) const {
  std::vector<std::uint32_t> orphans;
  DIR* directory = ::opendir(directory_.c_str());
  if (!directory) return storage_error(directory_);
  while (const dirent* entry = ::readdir(directory)) {
    const auto segment = parse_segment_file_name(entry->d_name);
    if (segment && !rows.contains(*segment)) orphans.push_back(*segment);
  }
  ::closedir(directory);
  if (orphans.empty()) return {};
  if (rows.empty()) {
    return fail(ErrorKind::kCorrupt,
                directory_ + " holds mail, but the index names none of it; restore the index from a backup or rebuild it");
  }
  const std::string away = orphaned_directory(directory_);
  if (::mkdir(away.c_str(), 0700) != 0 && errno != EEXIST) return storage_error(away);
  for (const std::uint32_t segment : orphans) {
    const std::string to = away + "/" + orphan_name(segment, store_uuid_, Timestamp::from_seconds(::time(nullptr)));
    if (::rename(path_of(segment).c_str(), to.c_str()) != 0) return storage_error(to);
    log::warning("store.orphaned_segment", {{"moved_to", to}});
  }
  return sync_directory(directory_);
}

Result<> FileSegments::adopt(const Rows& rows) {
  std::size_t missing = 0;
  for (const auto& [segment, record] : rows) {
    struct stat info{};
    const bool is_there = ::stat(path_of(segment).c_str(), &info) == 0;
    if (is_there && static_cast<std::uint64_t>(info.st_size) >= record.written) continue;
    ++missing;
    log::error("store.segment_damaged", {{"path", path_of(segment)}, {"what", is_there ? "too short" : "missing"}});
  }
  if (missing > 0 && missing == rows.size()) {
    return fail(ErrorKind::kCorrupt,
                "none of the segments the index names is in " + directory_ + "; is the right volume mounted?");
  }
  if (!rows.empty()) committed_.next_segment = rows.rbegin()->first + 1;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->second.is_sealed || ::access(path_of(row->first).c_str(), W_OK) != 0) continue;
    if (POSTHUS_TRY(has_bytes_after(row->first, row->second.written))) continue;
    committed_.segment = row->first;
    committed_.position = row->second.written;
    break;
  }
  cursor_ = committed_;
  return {};
}

Result<> FileSegments::seal_rows(Engine& engine, const Rows& rows) const {
  Rows to_seal;
  for (const auto& [segment, record] : rows) {
    if (!record.is_sealed && segment != committed_.segment) to_seal[segment] = record;
  }
  if (to_seal.empty()) return {};
  return engine.commit([&to_seal](WriteTransaction& transaction) -> Result<> {
    for (auto [segment, record] : to_seal) {
      record.is_sealed = true;
      POSTHUS_TRY_VOID(transaction.put(Table::kSegments, segment_key(segment), encode_segment_record(record)));
    }
    return {};
  });
}

Result<bool> FileSegments::has_bytes_after(std::uint32_t segment, std::uint64_t position) const {
  const UniqueFd fd(::open(path_of(segment).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return storage_error(path_of(segment));
  std::vector<char> bytes(64 * 1024);
  for (;;) {
    const ssize_t got = ::pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return storage_error(path_of(segment));
    if (got == 0) return false;
    if (std::any_of(bytes.begin(), bytes.begin() + got, [](char c) { return c != 0; })) return true;
    position += static_cast<std::uint64_t>(got);
  }
}

std::string FileSegments::path_of(std::uint32_t segment) const { return directory_ + "/" + segment_file_name(segment); }

void FileSegments::begin_group() {
  placed_.clear();
  cursor_ = committed_;
}

BlobPlacement FileSegments::place(SegmentEntry entry) {
  Placed placed{.before = cursor_, .segment = 0, .head_offset = kSegmentHeaderBytes, .is_own = false, .entry = std::move(entry)};
  const std::uint64_t bytes = record_bytes(placed.entry.length, placed.entry.origin.size());
  placed.is_own = !placed.entry.spool_path.empty() && placed.entry.length > kMaxCopiedText;
  if (placed.is_own) {
    placed.segment = cursor_.next_segment++;
  } else {
    const bool is_full = cursor_.position > kSegmentHeaderBytes && cursor_.position + bytes > segment_bytes_;
    if (cursor_.segment == 0 || is_full) {
      cursor_.segment = cursor_.next_segment++;
      cursor_.position = kSegmentHeaderBytes;
    }
    placed.segment = cursor_.segment;
    placed.head_offset = cursor_.position;
    cursor_.position += bytes;
  }
  const BlobPlacement placement{placed.entry.blob, placed.segment, placed.head_offset + kRecordHeadBytes, placed.entry.length};
  placed_.push_back(std::move(placed));
  return placement;
}

void FileSegments::unplace() {
  cursor_ = placed_.back().before;
  placed_.pop_back();
}

RecordHead FileSegments::head_of(const Placed& placed) const {
  return {.blob = placed.entry.blob,
          .text_length = placed.entry.length,
          .text_checksum = placed.entry.checksum,
          .origin_length = static_cast<std::uint32_t>(placed.entry.origin.size()),
          .origin_checksum = crc32c(placed.entry.origin),
          .internal_date = placed.entry.internal_date};
}

Result<> FileSegments::write_group() {
  is_sync_failed_ = false;
  Result<> written = write_placed();
  // Only a failed sync leaves the disk in doubt. Whatever else went wrong (no room, an unreadable spool file, EIO of a
  // write), nothing names the bytes: the group is refused and the server goes on.
  if (!written && !is_sync_failed_) written.error().kind = ErrorKind::kUnavailable;
  return written;
}

Result<> FileSegments::write_placed() {
  created_.clear();
  renamed_.clear();
  for (const Placed& placed : placed_) {
    if (placed.is_own) POSTHUS_TRY_VOID(write_own(placed));
  }
  for (std::size_t begin = 0; begin < placed_.size();) {
    std::size_t end = begin + 1;
    while (end < placed_.size() && (placed_[end].is_own || placed_[end].segment == placed_[begin].segment)) ++end;
    POSTHUS_TRY_VOID(write_run(begin, end));
    begin = end;
  }
  if (created_.empty() && renamed_.empty()) return {};
  Result<> synced = sync_directory(directory_);
  if (!synced) {
    is_sync_failed_ = true;
    synced.error().kind = ErrorKind::kIo;
  }
  return synced;
}

Result<> FileSegments::sync(int fd, const std::string& path) {
  if (::fdatasync(fd) == 0) return {};
  // WHY never tried again: after a failed sync the kernel may have dropped the pages, and the next sync would succeed.
  is_sync_failed_ = true;
  return fail(ErrorKind::kIo, "sync of " + error_from_errno(errno, path).context);
}

/// The text is synced already (IncomingMessage::finish); fill in the heads, append the origin, give it its name.
Result<> FileSegments::write_own(const Placed& placed) {
  const SegmentEntry& entry = placed.entry;
  const UniqueFd fd(::open(entry.spool_path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return storage_error(entry.spool_path);
  const std::string heads = encode_segment_header(placed.segment, store_uuid_) + encode_record_head(head_of(placed), store_uuid_);
  POSTHUS_TRY_VOID(pwrite_all(fd.get(), heads, 0, entry.spool_path));
  const std::uint64_t end = kSegmentHeaderBytes + record_bytes(entry.length, entry.origin.size());
  std::string tail = entry.origin;
  tail.resize(end - kFirstTextOffset - entry.length, '\0');
  POSTHUS_TRY_VOID(pwrite_all(fd.get(), tail, kFirstTextOffset + entry.length, entry.spool_path));
  POSTHUS_TRY_VOID(sync(fd.get(), entry.spool_path));
  if (::rename(entry.spool_path.c_str(), path_of(placed.segment).c_str()) != 0) return storage_error(entry.spool_path);
  renamed_.emplace_back(entry.spool_path, path_of(placed.segment));
  return {};
}

/// Writes those of placed_[begin, end) that are not segments of their own; they lie one after the other.
Result<> FileSegments::write_run(std::size_t begin, std::size_t end) {
  while (begin < end && placed_[begin].is_own) ++begin;
  if (begin == end) return {};
  const Placed& first = placed_[begin];
  POSTHUS_TRY_VOID(open_for_writing(first.segment));
  std::vector<std::string> owned;
  owned.reserve((end - begin) * 2 + 1);  // iovecs point into its strings
  std::vector<iovec> pieces;
  pieces.reserve((end - begin) * 4 + 2);
  const auto add = [&pieces](std::string_view bytes) {
    if (!bytes.empty()) pieces.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  };
  std::uint64_t offset = first.head_offset, position = first.head_offset;
  if (offset == kSegmentHeaderBytes) {
    offset = 0;
    add(owned.emplace_back(encode_segment_header(first.segment, store_uuid_)));
  }
  for (std::size_t i = begin; i < end; ++i) {
    const Placed& placed = placed_[i];
    if (placed.is_own) continue;
    const SegmentEntry& entry = placed.entry;
    add(owned.emplace_back(encode_record_head(head_of(placed), store_uuid_)));
    add(entry.spool_path.empty() ? entry.text : owned.emplace_back(POSTHUS_TRY(read_spooled(entry))));
    add(entry.origin);
    const std::uint64_t bytes = record_bytes(entry.length, entry.origin.size());
    add(kZeroPadding.substr(0, bytes - kRecordHeadBytes - entry.length - entry.origin.size()));
    position += bytes;
  }
  const std::uint64_t bytes = position - offset;
  if (changes_ != nullptr && bytes <= kMaxJournaledRun) return write_unsynced(first.segment, offset, pieces);
  static const std::string zeros(kZeroAhead, '\0');
  const bool zeroes = bytes < kSmallGroup && position > zeroed_until_ && position + kZeroAhead <= segment_bytes_;
  if (zeroes) add(zeros);
  POSTHUS_TRY_VOID(pwritev_all(writing_.get(), pieces, offset, path_of(first.segment)));
  zeroed_until_ = std::max(zeroed_until_, position + (zeroes ? kZeroAhead : 0));
  POSTHUS_TRY_VOID(sync(writing_.get(), path_of(first.segment)));
  unsynced_.erase(first.segment);
  return {};
}

Result<> FileSegments::write_unsynced(std::uint32_t segment, std::uint64_t offset, std::vector<iovec>& pieces) {
  std::vector<std::string_view> views;
  views.reserve(pieces.size());
  for (const iovec& piece : pieces) views.emplace_back(static_cast<const char*>(piece.iov_base), piece.iov_len);
  changes_->write(segment, offset, views);
  unsynced_.insert(segment);
  return pwritev_all(writing_.get(), pieces, offset, path_of(segment));
}

std::vector<std::uint32_t> FileSegments::take_unsynced() {
  const std::set<std::uint32_t> taken = std::exchange(unsynced_, {});
  return {taken.begin(), taken.end()};
}

Result<> FileSegments::open_for_writing(std::uint32_t segment) {
  if (writing_ && writing_segment_ == segment) return {};
  const bool is_new = segment >= committed_.next_segment;
  const std::string path = path_of(segment);
  writing_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | (is_new ? O_CREAT | O_TRUNC : 0), 0600));
  if (!writing_) return storage_error(path);
  if (is_new) created_.push_back(segment);
  struct stat info{};
  if (::fstat(writing_.get(), &info) != 0) return storage_error(path);
  writing_segment_ = segment;
  zeroed_until_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

std::vector<SegmentChange> FileSegments::changes() const {
  std::map<std::uint32_t, SegmentChange> by_segment;
  const bool has_rolled = committed_.segment != 0 && cursor_.segment != committed_.segment;
  if (has_rolled) by_segment[committed_.segment] = {committed_.segment, committed_.position, 0, true};
  for (const Placed& placed : placed_) {
    SegmentChange& change = by_segment[placed.segment];
    change.segment = placed.segment;
    change.written = std::max(change.written, placed.head_offset + record_bytes(placed.entry.length, placed.entry.origin.size()));
    change.added_live += placed.entry.length;
    change.is_sealed = placed.segment != cursor_.segment;
  }
  std::vector<SegmentChange> out;
  for (const auto& [segment, change] : by_segment) out.push_back(change);
  return out;
}

void FileSegments::end_group(GroupEnd end) {
  if (end == GroupEnd::kCommitted) {
    committed_ = cursor_;
  } else {
    // Best effort: what stays behind is garbage the index does not name.
    for (const auto& [spool_path, segment_path] : renamed_) ::rename(segment_path.c_str(), spool_path.c_str());
    for (const std::uint32_t segment : created_) ::unlink(path_of(segment).c_str());
    const bool is_created = std::ranges::find(created_, writing_segment_) != created_.end();
    if (is_created || writing_segment_ != committed_.segment) {
      writing_.reset();
      writing_segment_ = 0;
    } else if (writing_ && ::ftruncate(writing_.get(), static_cast<off_t>(committed_.position)) == 0) {
      zeroed_until_ = committed_.position;  // gives back what a full disk needs
    }
    cursor_ = committed_;
  }
  placed_.clear();
  created_.clear();
  renamed_.clear();
}

Result<std::shared_ptr<UniqueFd>> FileSegments::open_for_reading(std::uint32_t segment) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_by_segment_.find(segment); found != open_by_segment_.end()) {
    open_files_.splice(open_files_.begin(), open_files_, found->second);
    return open_files_.front().fd;
  }
  auto fd = std::make_shared<UniqueFd>(::open(path_of(segment).c_str(), O_RDONLY | O_CLOEXEC));
  if (!*fd) {
    if (errno == ENOENT) return fail(ErrorKind::kCorrupt, path_of(segment) + " is missing");
    return storage_error(path_of(segment));
  }
  open_files_.push_front({segment, fd});
  open_by_segment_[segment] = open_files_.begin();
  if (open_files_.size() > kMaxOpenSegments) {
    open_by_segment_.erase(open_files_.back().segment);
    open_files_.pop_back();
  }
  return fd;
}

Result<> FileSegments::read(std::uint32_t segment, std::uint64_t offset, std::uint64_t length, std::string& out) {
  const std::shared_ptr<UniqueFd> fd = POSTHUS_TRY(open_for_reading(segment));
  const std::size_t before = out.size();
  int failed = 0;
  // QUIRK(libstdc++ 12): the size it passes on is the new capacity, which may be more than was asked for.
  const std::size_t wanted = before + length;
  out.resize_and_overwrite(wanted, [&](char* bytes, std::size_t) {
    std::size_t at = before;
    while (at < wanted) {
      const ssize_t got = ::pread(fd->get(), bytes + at, wanted - at, static_cast<off_t>(offset + at - before));
      if (got < 0 && errno == EINTR) continue;
      failed = got < 0 ? errno : 0;
      if (got <= 0) break;
      at += static_cast<std::size_t>(got);
    }
    return at;
  });
  if (out.size() == wanted) return {};
  out.resize(before);
  if (failed != 0) return std::unexpected(Error{ErrorKind::kIo, error_from_errno(failed, path_of(segment)).context});
  return fail(ErrorKind::kCorrupt, path_of(segment) + " is too short");
}

Result<std::uint64_t> FileSegments::allocated_bytes(std::uint32_t segment) const {
  struct stat info{};
  if (::stat(path_of(segment).c_str(), &info) != 0) return storage_error(path_of(segment));
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

Result<> FileSegments::punch(std::uint32_t segment, std::uint64_t offset, std::uint64_t length) {
  const UniqueFd fd(::open(path_of(segment).c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return storage_error(path_of(segment));
  if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length)) ==
      0)
    return {};
  if (errno == EOPNOTSUPP) return fail(ErrorKind::kUnavailable, "the file system cannot punch holes");
  return storage_error(path_of(segment));
}

Result<> FileSegments::remove(std::uint32_t segment) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_by_segment_.find(segment); found != open_by_segment_.end()) {
      open_files_.erase(found->second);
      open_by_segment_.erase(found);
    }
  }
  if (::unlink(path_of(segment).c_str()) != 0 && errno != ENOENT) return storage_error(path_of(segment));
  return {};
}

}  // namespace posthus::store
