// RateLimiter: token buckets by key (an address, an account), in bounded memory. A bucket is one number, the time at which
// it will be full again (the "virtual scheduling" form of the leaky bucket, ITU-T I.371 annex A), so idle keys cost nothing.
// Thread rule: any thread; one short lock.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"

namespace posthus {

class RateLimiter {
 public:
  struct Options {
    std::uint32_t burst = 10;                         // tokens a full bucket holds, at least 1
    std::int64_t microseconds_per_token = 1'000'000;  // one token comes back per this time, at least 1
    std::size_t max_keys = 100'000;                   // beyond it the key unused for longest is forgotten
  };

  /// REQUIRES: `clock` outlives it.
  RateLimiter(const Clock& clock, Options options);

  /// Takes `tokens` from the key's bucket; false, and nothing taken, when it holds fewer.
  bool try_take(std::string_view key, std::uint32_t tokens = 1);
  /// Whether try_take would succeed; takes nothing.
  bool may_take(std::string_view key, std::uint32_t tokens = 1) const;
  /// Makes the key's bucket full again, e.g. after a successful login.
  void forget(std::string_view key);
  std::size_t keys() const;

 private:
  struct Bucket {
    std::string key;
    std::int64_t full_at;  // microseconds
  };
  using Buckets = std::list<Bucket>;

  bool fits(std::int64_t full_at, std::int64_t now, std::uint32_t tokens) const;
  void drop_last();
  void make_room(std::int64_t now);

  const Clock& clock_;
  const Options options_;
  mutable std::mutex mutex_;
  Buckets buckets_;                                                 // most recently used first
  std::unordered_map<std::string_view, Buckets::iterator> by_key_;  // views of Bucket::key
};

}  // namespace posthus
