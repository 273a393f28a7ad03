// When mail that could not be delivered is tried again, when its sender is told that it takes long, and when we give up.
// RFC 5321 §4.5.4.1. Thread rule: pure functions.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/clock.h"

namespace posthus::smtp {

/// Of the whole server or of one destination (smtp/queue_settings.h).
struct RetryRules {
  std::chrono::seconds first_retry = std::chrono::minutes(5);
  std::chrono::seconds max_retry = std::chrono::hours(4);  // the delay doubles up to this
  std::chrono::seconds warn = std::chrono::hours(4);       // 0: the sender is never told of a delay
  std::chrono::seconds expire = std::chrono::hours(5 * 24);
};

/// The delay after the `attempts`th attempt (1 is the first): doubles from first_retry to max_retry, a tenth more or less
/// by `chance`, any number, so that what failed together does not return together. At least one second.
std::chrono::microseconds retry_delay(const RetryRules& rules, std::uint32_t attempts, std::uint64_t chance);

/// What becomes of a recipient after an attempt that did not succeed for now.
struct Retry {
  bool is_expired = false;    // no further attempt: returned to the sender
  bool is_delay_due = false;  // time to tell the sender, unless he knows
  Timestamp next_attempt;     // never behind the moments at which one of the two would come true
};
/// `attempts` includes the one that just failed.
Retry next_retry(const RetryRules& rules, Timestamp accepted, Timestamp now, std::uint32_t attempts, std::uint64_t chance);

/// When a message is given up.
inline Timestamp expiry(const RetryRules& rules, Timestamp accepted) {
  return {accepted.microseconds + std::chrono::microseconds(rules.expire).count()};
}

}  // namespace posthus::smtp
