// The schedule of attempts. RFC 5321 §4.5.4.1. Thread rule: pure functions.
#include "smtp/retry_schedule.h"

#include <algorithm>

namespace posthus::smtp {
namespace {

constexpr std::uint32_t kMaxDoublings = 20;             // of one second: twelve days, beyond any max_retry
constexpr std::int64_t kLeast = 1'000'000;              // microseconds: what "at once again" means at most
constexpr std::int64_t kSteps = 2001;                   // of the jitter, from -10 % to +10 %
constexpr std::chrono::seconds kLongest{366 * 86'400};  // what a setting may say, so that nothing overflows

std::int64_t in_microseconds(std::chrono::seconds s) {
  return std::chrono::microseconds(std::clamp(s, std::chrono::seconds(0), kLongest)).count();
}

}  // namespace

std::chrono::microseconds retry_delay(const RetryRules& rules, std::uint32_t attempts, std::uint64_t chance) {
  const std::int64_t longest = in_microseconds(rules.max_retry);
  std::int64_t delay = std::min(in_microseconds(rules.first_retry), longest);
  const std::uint32_t doublings = std::min(attempts > 0 ? attempts - 1 : 0, kMaxDoublings);
  for (std::uint32_t i = 0; i < doublings && delay < longest; ++i) delay = std::min(2 * delay, longest);
  const std::int64_t jitter = static_cast<std::int64_t>(chance % kSteps) - kSteps / 2;  // ten-thousandths
  delay += delay / 10'000 * jitter;
  return std::chrono::microseconds(std::max(delay, kLeast));
}

Retry next_retry(const RetryRules& rules, Timestamp accepted, Timestamp now, std::uint32_t attempts, std::uint64_t chance) {
  Retry retry;
  const Timestamp end{accepted.microseconds + in_microseconds(rules.expire)};
  retry.is_expired = now >= end;
  if (retry.is_expired) return retry;
  retry.next_attempt = {std::min(now.microseconds + retry_delay(rules, attempts, chance).count(), end.microseconds)};
  if (rules.warn.count() <= 0) return retry;
  const Timestamp warning{accepted.microseconds + in_microseconds(rules.warn)};
  retry.is_delay_due = now >= warning;
  if (!retry.is_delay_due) retry.next_attempt = std::min(retry.next_attempt, warning);
  return retry;
}

}  // namespace posthus::smtp
