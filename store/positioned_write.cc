// See the header.
#include "store/positioned_write.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>

#include "store/storage_error.h"

namespace posthus::store {
namespace {

/// A write of nothing is no error by POSIX, and would be tried for ever.
std::unexpected<Error> no_progress(const std::string& path) { return fail(ErrorKind::kUnavailable, path + " takes no bytes"); }

}  // namespace

Result<> pwrite_all(int fd, std::string_view bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return storage_error(path);
    if (written == 0) return no_progress(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<> pwritev_all(int fd, std::vector<iovec>& pieces, std::uint64_t offset, const std::string& path) {
  std::size_t next = 0;
  while (next < pieces.size()) {
    const int count = static_cast<int>(std::min<std::size_t>(pieces.size() - next, IOV_MAX));
    const ssize_t result = ::pwritev(fd, &pieces[next], count, static_cast<off_t>(offset));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return storage_error(path);
    if (result == 0) return no_progress(path);
    offset += static_cast<std::uint64_t>(result);
    std::size_t written = static_cast<std::size_t>(result);
    while (next < pieces.size() && written >= pieces[next].iov_len) written -= pieces[next++].iov_len;
    if (written == 0) continue;
    pieces[next].iov_base = static_cast<char*>(pieces[next].iov_base) + written;
    pieces[next].iov_len -= written;
  }
  return {};
}

}  // namespace posthus::store
