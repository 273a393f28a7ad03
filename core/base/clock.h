// Time as the program sees it: a seam, so that tests set it.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>

namespace posthus {

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  std::int64_t microseconds = 0;
  constexpr std::int64_t seconds() const { return microseconds / 1'000'000; }
  static constexpr Timestamp from_seconds(std::int64_t seconds) { return {seconds * 1'000'000}; }
  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// Thread rule: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// The memory twin: stands still until told.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start.microseconds) {}
  Timestamp now() const override { return {now_.load()}; }
  void advance(std::int64_t microseconds) { now_ += microseconds; }
  void set(Timestamp t) { now_ = t.microseconds; }

 private:
  std::atomic<std::int64_t> now_;
};

}  // namespace posthus
