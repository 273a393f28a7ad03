// LMDB's data file: see the header. Layout of the meta pages: LMDB 0.9, mdb.c (MDB_page header, then MDB_meta), in the
// machine's byte order.
#include "store/lmdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/file.h"
#include "store/positioned_write.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::uint32_t kLmdbMagic = 0xBEEFC0DE;
constexpr std::size_t kMagicOffset = 16, kPageSizeOffset = 40, kLastPageOffset = 136, kTransactionOffset = 144, kMetaBytes = 152;
constexpr std::uint64_t kDefaultPage = 4096, kMaxPage = 65536;
// A commit may count pages at the very end that it never wrote, because it freed them again.
constexpr std::uint64_t kUnwrittenPages = 16;
constexpr std::uint64_t kRoomAhead = 4 * 1024 * 1024;  // more than the groups of one commit change
constexpr std::size_t kZeroStep = 1024 * 1024;
// WHY in pieces: Linux keeps what one write brought as one block of its cache, and since 6.18 maps such a block as a whole when
// one page of it is read. Sixteen pages it maps anyhow.
constexpr std::size_t kZeroPiece = 64 * 1024;
static_assert(kZeroStep % kZeroPiece == 0);

struct Meta {
  std::uint64_t page_size = 0, last_page = 0, transaction = 0;
};

template <class T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// REQUIRES: kMetaBytes at `bytes`.
std::optional<Meta> decode_meta(const char* bytes) {
  if (load<std::uint32_t>(bytes + kMagicOffset) != kLmdbMagic) return std::nullopt;
  return Meta{load<std::uint32_t>(bytes + kPageSizeOffset), load<std::uint64_t>(bytes + kLastPageOffset),
              load<std::uint64_t>(bytes + kTransactionOffset)};
}

std::optional<Meta> read_meta(int fd, std::uint64_t offset) {
  std::array<char, kMetaBytes> bytes;
  if (::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes.size()))
    return std::nullopt;
  return decode_meta(bytes.data());
}

}  // namespace

Result<> check_lmdb_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENOENT) return {};
  if (!fd) return storage_error(path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return storage_error(path);
  if (info.st_size == 0) return {};
  const std::optional<Meta> first = read_meta(fd.get(), 0);
  const std::optional<Meta> second = read_meta(fd.get(), first ? first->page_size : kDefaultPage);
  if (!first && !second) {
    return fail(ErrorKind::kCorrupt,
                path + " is not an index of this store; restore a backup, or rebuild the index from the segments");
  }
  const Meta& meta = !first || (second && second->transaction > first->transaction) ? *second : *first;
  const std::uint64_t size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t needed = (meta.last_page + 1) * meta.page_size;
  if (size >= needed) return {};
  if (needed - size > kUnwrittenPages * meta.page_size || size < 2 * meta.page_size) {
    return fail(ErrorKind::kCorrupt, path + " is truncated: " + std::to_string(size) + " of " + std::to_string(needed) +
                                         " bytes; restore a backup, or rebuild the index from the segments");
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(needed)) != 0) return storage_error(path);
  return {};
}

Result<std::string> read_meta_pages(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return storage_error(path);
  const std::optional<Meta> first = read_meta(fd.get(), 0);
  // WHY a bound: the size comes from the disk.
  if (!first || first->page_size < kMetaBytes || first->page_size > kMaxPage)
    return fail(ErrorKind::kCorrupt, path + " has no meta pages");
  std::string pages(2 * first->page_size, '\0');
  if (::pread(fd.get(), pages.data(), pages.size(), 0) != static_cast<ssize_t>(pages.size())) {
    return fail(ErrorKind::kCorrupt, path + " is too short");
  }
  return pages;
}

std::uint64_t newest_transaction(std::string_view meta_pages) {
  const std::size_t page = meta_pages.size() / 2;
  if (page < kMetaBytes) return 0;
  const std::optional<Meta> first = decode_meta(meta_pages.data()), second = decode_meta(meta_pages.data() + page);
  return std::max(first ? first->transaction : 0, second ? second->transaction : 0);
}

Result<> write_meta_pages(const std::string& path, std::string_view meta_pages) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return storage_error(path);
  POSTHUS_TRY_VOID(pwrite_all(fd.get(), meta_pages, 0, path));
  return ::fdatasync(fd.get()) == 0 ? Result<>() : storage_error(path);
}

LmdbRoom::~LmdbRoom() {
  if (fd_ >= 0) ::close(fd_);
}

bool LmdbRoom::ensure(std::uint64_t used_bytes) {
  if (used_bytes + kRoomAhead <= size_) return true;
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  struct stat info{};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) return false;
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (used_bytes + kRoomAhead <= size_) return true;  // as a store that was opened has it
  static const std::string zeros(kZeroPiece, '\0');
  while (size_ < used_bytes + kRoomAhead + kZeroStep) {
    const ssize_t written = ::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    size_ += static_cast<std::uint64_t>(written);
  }
  return used_bytes + kRoomAhead <= size_;
}

}  // namespace posthus::store
