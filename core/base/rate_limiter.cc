// Token buckets by key. All work per call is constant: at most two stale buckets are dropped for each one added.
#include "core/base/rate_limiter.h"

#include <algorithm>

namespace posthus {

RateLimiter::RateLimiter(const Clock& clock, Options options) : clock_(clock), options_(options) {}

bool RateLimiter::fits(std::int64_t full_at, std::int64_t now, std::uint32_t tokens) const {
  const std::int64_t missing = std::max<std::int64_t>(full_at - now, 0);
  const std::int64_t capacity = options_.microseconds_per_token * options_.burst;
  return tokens <= options_.burst && missing <= capacity - options_.microseconds_per_token * tokens;
}

void RateLimiter::drop_last() {
  by_key_.erase(buckets_.back().key);
  buckets_.pop_back();
}

void RateLimiter::make_room(std::int64_t now) {
  // A full bucket says the same as none.
  for (int i = 0; i < 2 && !buckets_.empty() && buckets_.back().full_at <= now; ++i) drop_last();
  if (!buckets_.empty() && buckets_.size() >= options_.max_keys) drop_last();
}

bool RateLimiter::try_take(std::string_view key, std::uint32_t tokens) {
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard guard(mutex_);
  const std::int64_t cost = options_.microseconds_per_token * tokens;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    Bucket& bucket = *found->second;
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    if (!fits(bucket.full_at, now, tokens)) return false;
    bucket.full_at = std::max(bucket.full_at, now) + cost;
    return true;
  }
  if (!fits(now, now, tokens)) return false;
  make_room(now);
  buckets_.push_front({std::string(key), now + cost});
  by_key_.emplace(buckets_.front().key, buckets_.begin());
  return true;
}

bool RateLimiter::may_take(std::string_view key, std::uint32_t tokens) const {
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard guard(mutex_);
  const auto found = by_key_.find(key);
  return fits(found == by_key_.end() ? now : found->second->full_at, now, tokens);
}

void RateLimiter::forget(std::string_view key) {
  const std::lock_guard guard(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const Buckets::iterator bucket = found->second;
  by_key_.erase(found);
  buckets_.erase(bucket);
}

std::size_t RateLimiter::keys() const {
  const std::lock_guard guard(mutex_);
  return buckets_.size();
}

}  // namespace posthus
