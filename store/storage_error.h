// The error of a failed system call on the store's own files: kUnavailable when there is no room (the request is refused
// and the server goes on), else kIo. A missing or forbidden file of ours is never the client's fault.
#pragma once

#include <cerrno>
#include <string_view>

#include "core/base/file.h"
#include "core/base/result.h"

namespace posthus::store {

inline std::unexpected<Error> storage_error(std::string_view what) {
  Error error = error_from_errno(errno, what);
  if (error.kind != ErrorKind::kUnavailable) error.kind = ErrorKind::kIo;
  return std::unexpected(std::move(error));
}

}  // namespace posthus::store
