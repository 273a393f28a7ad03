// What all engines share.
#include "store/engine.h"

#include <string>

namespace posthus::store {

Result<> check_row_limits(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kMaxKey) return fail(ErrorKind::kInvalid, "key of " + std::to_string(key.size()) + " bytes");
  if (key.size() + value.size() > kMaxKeyAndValue) {
    return fail(ErrorKind::kInvalid, "row of " + std::to_string(key.size() + value.size()) + " bytes");
  }
  return {};
}

}  // namespace posthus::store
