// Writing at a place of a file, however often the system takes less than it was given.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace posthus::store {

/// Errors: as storage_error(); kUnavailable when the file takes no bytes.
Result<> pwrite_all(int fd, std::string_view bytes, std::uint64_t offset, const std::string& path);
/// Writes the pieces one after the other, in few calls; `pieces` is used up.
Result<> pwritev_all(int fd, std::vector<iovec>& pieces, std::uint64_t offset, const std::string& path);

}  // namespace posthus::store
