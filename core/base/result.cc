// Names of error kinds, as logs and JSON show them. Any thread.
#include "core/base/result.h"

namespace posthus {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kExists: return "exists";
    case ErrorKind::kDenied: return "denied";
    case ErrorKind::kTooLarge: return "too_large";
    case ErrorKind::kOverQuota: return "over_quota";
    case ErrorKind::kBusy: return "busy";
    case ErrorKind::kTimeout: return "timeout";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kCorrupt: return "corrupt";
    case ErrorKind::kIo: return "io";
  }
  return "unknown";
}

}  // namespace posthus
