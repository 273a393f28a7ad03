// Backup: an incremental copy of index and segments beside a working store. A snapshot is held from before the index is
// copied until the end, so that nothing the copy names is reclaimed under it. Sealed segments never change: what an
// older backup already has is not copied again. The new index takes the old one's place only when all texts are there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "store/check.h"
#include "store/maintenance.h"
#include "store/segment_walk.h"
#include "store/storage_error.h"
#include "store/store_open.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kCopyStep = 1024 * 1024;
constexpr std::size_t kHoleStep = 4096;
constexpr std::uint64_t kCheckMap = 1ull << 40;  // address space; an index is never larger

std::string new_index(const std::string& directory) { return directory + "/index.new"; }
std::string old_index(const std::string& directory) { return directory + "/index.old"; }

Result<> to_result(const std::error_code& error, const std::string& what) {
  if (!error) return {};
  errno = error.value();
  return storage_error(what);
}

/// Copies `length` bytes; holes stay holes.
Result<> copy_file(const std::string& from, const std::string& to, std::uint64_t length) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return storage_error(from);
  const UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!target) return storage_error(to);
  if (::ftruncate(target.get(), static_cast<off_t>(length)) != 0) return storage_error(to);
  std::string buffer(kCopyStep, '\0');
  for (std::uint64_t at = 0; at < length;) {
    const ssize_t got =
        ::pread(source.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), length - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return storage_error(from);
    if (got == 0) return fail(ErrorKind::kCorrupt, from + " is too short");
    for (std::size_t begin = 0; begin < static_cast<std::size_t>(got); begin += kHoleStep) {
      const std::string_view block =
          std::string_view(buffer).substr(begin, std::min(kHoleStep, static_cast<std::size_t>(got) - begin));
      if (block.find_first_not_of('\0') == std::string_view::npos) continue;
      const ssize_t written = ::pwrite(target.get(), block.data(), block.size(), static_cast<off_t>(at + begin));
      if (written < 0) return storage_error(to);
      if (static_cast<std::size_t>(written) != block.size()) return fail(ErrorKind::kUnavailable, to + ": no space left");
    }
    at += static_cast<std::uint64_t>(got);
  }
  return ::fsync(target.get()) == 0 ? Result<>() : storage_error(to);
}

/// Empty, or an earlier backup of this very store.
Result<> check_target(const std::string& directory, const std::string& store_uuid) {
  std::error_code error;
  const std::string segments = segments_directory(directory);
  if (!fs::exists(segments, error)) {
    const bool is_empty = !fs::exists(directory, error) || fs::is_empty(directory, error);
    return is_empty && !error ? Result<>() : fail(ErrorKind::kExists, directory + " holds something else than a backup");
  }
  for (const auto& entry : fs::directory_iterator(segments, error)) {
    if (!parse_segment_file_name(entry.path().filename().string())) continue;
    const SegmentHeader header = POSTHUS_TRY(read_segment_header(entry.path().string()));
    if (header.store_uuid != store_uuid) return fail(ErrorKind::kExists, directory + " holds a backup of another store");
    break;
  }
  return to_result(error, segments);
}

Result<FileSegments::Rows> rows_of_copy(const std::string& index) {
  const auto engine = POSTHUS_TRY(LmdbEngine::open(index, kCheckMap));
  const auto snapshot = POSTHUS_TRY(engine->snapshot());
  return segment_rows(*snapshot);
}

/// Returns the segments that were copied now.
Result<std::set<std::uint32_t>> copy_segments(const FileSegments& files, const std::string& directory,
                                              const FileSegments::Rows& rows) {
  std::set<std::uint32_t> copied;
  for (const auto& [segment, record] : rows) {
    const std::string to = segments_directory(directory) + "/" + segment_file_name(segment);
    struct stat info{};
    const bool is_there =
        record.is_sealed && ::stat(to.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == record.written;
    if (is_there) continue;
    POSTHUS_TRY_VOID(copy_file(files.path_of(segment), to + ".new", record.written));
    if (::rename((to + ".new").c_str(), to.c_str()) != 0) return storage_error(to);
    copied.insert(segment);
  }
  POSTHUS_TRY_VOID(sync_directory(segments_directory(directory)));
  return copied;
}

Result<> remove_unnamed(const std::string& directory, const FileSegments::Rows& rows) {
  std::error_code error;
  std::vector<fs::path> unnamed;
  for (const auto& entry : fs::directory_iterator(segments_directory(directory), error)) {
    const auto segment = parse_segment_file_name(entry.path().filename().string());
    if (segment && !rows.contains(*segment)) unnamed.push_back(entry.path());
  }
  for (const fs::path& path : unnamed) fs::remove(path, error);
  return to_result(error, directory);
}

Result<> swap_index(const std::string& directory) {
  std::error_code error;
  fs::remove_all(old_index(directory), error);
  if (fs::exists(index_directory(directory))) fs::rename(index_directory(directory), old_index(directory), error);
  if (!error) fs::rename(new_index(directory), index_directory(directory), error);
  if (!error) fs::remove_all(old_index(directory), error);
  POSTHUS_TRY_VOID(to_result(error, directory));
  return sync_directory(directory);
}

Result<CheckReport> check_copy(const std::string& directory, const std::string& store_uuid,
                               const std::set<std::uint32_t>& copied) {
  const auto engine = POSTHUS_TRY(LmdbEngine::open(index_directory(directory), kCheckMap));
  const auto snapshot = POSTHUS_TRY(engine->snapshot());
  const FileSegments::Rows rows = POSTHUS_TRY(segment_rows(*snapshot));
  const auto segments =
      POSTHUS_TRY(FileSegments::open(segments_directory(directory), store_uuid, rows, StoreOptions().segment_bytes));
  return Checker(*snapshot, *segments, segments.get(), [&copied](std::uint32_t segment) { return copied.contains(segment); })
      .run();
}

}  // namespace

Result<CheckReport> backup(const Store& store, const std::string& directory) {
  const Store::State& state = StoreParts::of(store);
  if (!state.files) return fail(ErrorKind::kInvalid, "a store in memory has nothing to copy");
  POSTHUS_TRY_VOID(check_target(directory, state.files->store_uuid()));
  POSTHUS_TRY_VOID(make_store_directories(directory));
  const UniqueFd lock = POSTHUS_TRY(lock_store(directory));
  std::error_code error;
  fs::remove_all(new_index(directory), error);
  fs::create_directory(new_index(directory), error);
  POSTHUS_TRY_VOID(to_result(error, new_index(directory)));

  const auto held = POSTHUS_TRY(store.snapshot());
  if (!state.writer->bring_index_up()) return fail(ErrorKind::kUnavailable, "the index has no room for mail that was accepted");
  POSTHUS_TRY_VOID(state.lmdb->copy_to(new_index(directory)));
  const FileSegments::Rows rows = POSTHUS_TRY(rows_of_copy(new_index(directory)));
  const std::set<std::uint32_t> copied = POSTHUS_TRY(copy_segments(*state.files, directory, rows));
  POSTHUS_TRY_VOID(swap_index(directory));
  POSTHUS_TRY_VOID(remove_unnamed(directory, rows));
  return check_copy(directory, state.files->store_uuid(), copied);
}

}  // namespace posthus::store
