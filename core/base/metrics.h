// Counters, gauges and histograms in the Prometheus text format. One registry per process (log and metrics are the
// only singletons). Thread rule: any thread; updates are relaxed atomics.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthus::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Powers-of-two buckets of an unsigned quantity (microseconds, bytes, requests).
class Histogram {
 public:
  static constexpr int kBuckets = 32;
  void observe(std::uint64_t value);
  std::uint64_t bucket(int index) const { return buckets_[index].load(std::memory_order_relaxed); }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> buckets_[kBuckets]{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_{0};
};

/// Finds or makes the metric. `name` as Prometheus wants it, e.g. "posthus_smtp_messages_total"; `labels` is "" or
/// ready text like `protocol="imap"`. The reference lives as long as the process: keep it in a static or a member.
/// Label values must come from a fixed set, never from the network (bounded memory).
Counter& counter(std::string_view name, std::string_view help, std::string_view labels = "");
Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = "");
Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = "");

/// All metrics in the text exposition format, version 0.0.4.
std::string render();

}  // namespace posthus::metrics
