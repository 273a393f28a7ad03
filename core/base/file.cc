// Files through POSIX calls.
#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/hash.h"
#include "core/base/random.h"

namespace posthus {
namespace {

std::unexpected<Error> fail_errno(std::string_view what) { return std::unexpected(error_from_errno(errno, what)); }

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> write_and_sync(const std::string& path, std::string_view bytes, mode_t mode) {
  // WHY: created closed to others, then given its mode, so that a private key is never readable in between.
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(path);
  POSTHUS_TRY_VOID(write_all(fd.get(), bytes, path));
  if (::fchmod(fd.get(), mode) != 0) return fail_errno(path);
  if (::fsync(fd.get()) != 0) return fail_errno(path);
  return {};
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Error error_from_errno(int number, std::string_view what) {
  ErrorKind kind = ErrorKind::kIo;
  if (number == ENOENT || number == ENOTDIR) kind = ErrorKind::kNotFound;
  if (number == EEXIST) kind = ErrorKind::kExists;
  if (number == EACCES || number == EPERM || number == EROFS) kind = ErrorKind::kDenied;
  if (number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE) kind = ErrorKind::kUnavailable;
  return {kind, std::string(what) + ": " + std::generic_category().message(number)};
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(path);
  if (S_ISDIR(info.st_mode)) return std::unexpected(error_from_errno(EISDIR, path));
  if (static_cast<std::uint64_t>(info.st_size) > limit) return fail(ErrorKind::kTooLarge, path);
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(info.st_size) + 1);
  constexpr std::size_t kChunk = 64 * 1024;
  for (;;) {
    // WHY: until end of file and not just st_size bytes, because files of /proc claim to be empty.
    const std::size_t before = bytes.size();
    const std::size_t wanted =
        before < static_cast<std::size_t>(info.st_size) ? static_cast<std::size_t>(info.st_size) - before + 1 : kChunk;
    bytes.resize(before + wanted);
    const ssize_t got = ::read(fd.get(), bytes.data() + before, wanted);
    bytes.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(path);
    if (got == 0) return bytes;
    if (bytes.size() > limit) return fail(ErrorKind::kTooLarge, path);
  }
}

Result<> write_file_durably(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string temporary = path + ".new-" + to_hex(random_bytes(8));
  if (Result<> written = write_and_sync(temporary, bytes, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    return std::unexpected(error_from_errno(number, path));
  }
  return sync_directory(directory_of(path));
}

Result<> sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(path);
  if (::fsync(fd.get()) != 0) return fail_errno(path);
  return {};
}

}  // namespace posthus
