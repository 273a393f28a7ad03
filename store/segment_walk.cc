// Walking segment files: see the header.
#include "store/segment_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/file.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::size_t kSearchWindow = 1024 * 1024;

Result<std::string> pread_up_to(int fd, std::uint64_t offset, std::uint64_t length, const std::string& path) {
  std::string bytes(length, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t result = ::pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return storage_error(path);
    if (result == 0) break;
    got += static_cast<std::size_t>(result);
  }
  bytes.resize(got);
  return bytes;
}

/// The offset of the next valid head at or after `offset`; nothing when there is none before `end`.
Result<std::optional<std::uint64_t>> find_head(int fd, const std::string& uuid, std::uint64_t offset, std::uint64_t end,
                                               const std::string& path) {
  while (offset + kRecordHeadBytes <= end) {
    const std::string window = POSTHUS_TRY(pread_up_to(fd, offset, std::min<std::uint64_t>(kSearchWindow, end - offset), path));
    if (window.size() < kRecordHeadBytes) return std::nullopt;
    std::size_t at = 0;
    for (; at + kRecordHeadBytes <= window.size(); at += kRecordAlignment) {
      if (decode_record_head(std::string_view(window).substr(at, kRecordHeadBytes), uuid)) return offset + at;
    }
    offset += at;
  }
  return std::nullopt;
}

bool is_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

}  // namespace

Result<WalkOutcome> walk_segment(const std::string& path, const std::string& store_uuid, std::uint64_t end, WalkRule rule,
                                 RecordVisitor visit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return storage_error(path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return storage_error(path);
  end = std::min(end, static_cast<std::uint64_t>(info.st_size));
  WalkOutcome outcome;
  std::uint64_t offset = kSegmentHeaderBytes;
  while (offset + kRecordHeadBytes <= end) {
    const std::string bytes = POSTHUS_TRY(pread_up_to(fd.get(), offset, kRecordHeadBytes, path));
    const auto head = decode_record_head(bytes, store_uuid);
    const std::uint64_t next = head ? offset + record_bytes(head->text_length, head->origin_length) : 0;
    if (head && next > offset && next <= end + kRecordAlignment) {
      if (visit({*head, offset + kRecordHeadBytes}) == Visit::kStop) return outcome;
      offset = next;
      continue;
    }
    if (rule == WalkRule::kStrict) return fail(ErrorKind::kCorrupt, path + " has no record at " + std::to_string(offset));
    const auto found = POSTHUS_TRY(find_head(fd.get(), store_uuid, offset + kRecordAlignment, end, path));
    if (found || !is_zero(bytes)) ++outcome.damaged_places;
    if (!found) break;
    offset = *found;
  }
  return outcome;
}

Result<std::string> read_range(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return storage_error(path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return storage_error(path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (offset > size || length > size - offset) return fail(ErrorKind::kCorrupt, path + " is too short");
  std::string bytes = POSTHUS_TRY(pread_up_to(fd.get(), offset, length, path));
  if (bytes.size() != length) return fail(ErrorKind::kCorrupt, path + " is too short");
  return bytes;
}

Result<SegmentHeader> read_segment_header(const std::string& path) {
  const std::string bytes = POSTHUS_TRY(read_range(path, 0, kSegmentHeaderBytes));
  auto header = decode_segment_header(bytes);
  if (!header) return fail(ErrorKind::kCorrupt, path + " has no segment header");
  return *std::move(header);
}

}  // namespace posthus::store
