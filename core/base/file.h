// Whole small files: read with a limit, written so that a crash leaves the old or the new one, never half.
// Thread rule: any thread; different threads, different paths.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace posthus {

/// Owns a file descriptor; -1 means none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The Error for an errno value: `what`, then the system's text. ENOENT is not_found, EACCES denied, ENOSPC unavailable.
Error error_from_errno(int number, std::string_view what);

/// The whole file. Errors: kTooLarge above `limit` bytes, else as error_from_errno.
Result<std::string> read_file(const std::string& path, std::uint64_t limit);

/// Replaces `path` in one step: temporary file beside it, fsync, rename, fsync of the directory. `mode` holds whatever the umask.
Result<> write_file_durably(const std::string& path, std::string_view bytes, mode_t mode = 0644);

/// Makes creations, renames and removals in the directory survive a power loss.
Result<> sync_directory(const std::string& path);

}  // namespace posthus
