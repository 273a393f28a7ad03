// What a failed CHECK does: one log line, then abort (a core dump is worth more than a wrong answer). Any thread.
#include "core/base/check.h"

#include <cstdlib>

#include "core/base/log.h"

namespace posthus {

void check_failed(const char* condition, const char* file, int line) {
  log::error("check.failed", {{"condition", condition}, {"file", file}, {"line", line}});
  std::abort();
}

}  // namespace posthus
