// Reservation against a process-wide limit, without a lock. Any thread.
#include "core/base/byte_budget.h"

namespace posthus {

bool ByteBudget::try_reserve(std::uint64_t bytes) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    // WHY: written as two comparisons, so that a huge request cannot wrap around.
    if (used > limit_ || bytes > limit_ - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

}  // namespace posthus
