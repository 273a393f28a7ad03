// Shares of chance from a hash. Thread rule: pure functions.
#include "core/acme/schedule.h"

#include <algorithm>

#include "core/base/hash.h"

namespace posthus::acme {
namespace {

constexpr std::int64_t kMinute = 60, kDay = 86'400;
constexpr std::uint32_t kMostDoublings = 7;  // 20 minutes doubled as often pass a day

/// A number from 0 to `most`.
std::int64_t share(std::int64_t most, std::string_view seed) {
  if (most <= 0) return 0;
  const Sha256Digest digest = sha256(seed);
  std::uint64_t number = 0;
  for (int i = 0; i < 7; ++i) number = number << 8 | digest[static_cast<std::size_t>(i)];
  return static_cast<std::int64_t>(number % (static_cast<std::uint64_t>(most) + 1));
}

}  // namespace

Timestamp renewal_time(Timestamp not_before, Timestamp not_after, std::string_view seed) {
  const std::int64_t life = std::max<std::int64_t>(0, not_after.seconds() - not_before.seconds());
  return Timestamp::from_seconds(not_before.seconds() + life / 3 * 2 + share(life / 36, seed));
}

Timestamp renewal_time_within(Timestamp start, Timestamp end, std::string_view seed) {
  return Timestamp::from_seconds(start.seconds() + share(end.seconds() - start.seconds(), seed));
}

Timestamp retry_time(Timestamp now, std::uint32_t failures, std::optional<std::int64_t> retry_after, std::string_view seed) {
  const std::uint32_t doublings = std::min(failures < 2 ? 0 : failures - 2, kMostDoublings);
  const std::int64_t usual = failures < 2 ? kMinute : std::min(kDay, (20 * kMinute) << doublings);
  const std::int64_t wait = std::max(usual, retry_after.value_or(0));
  return Timestamp::from_seconds(now.seconds() + wait + share(wait / 5, seed));
}

}  // namespace posthus::acme
