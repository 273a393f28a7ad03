// ByteBudget: the process-wide bound on bytes held in memory for messages on their way in.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace posthus {

class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : limit_(limit) {}

  /// Takes `bytes` from the budget; false (and nothing taken) when that would exceed the limit.
  bool try_reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const { return limit_; }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// Bytes held from a budget; gives them back when it dies. REQUIRES: the budget outlives it.
class ByteReservation {
 public:
  ByteReservation() = default;
  explicit ByteReservation(ByteBudget& budget) : budget_(&budget) {}
  ByteReservation(ByteReservation&& other) noexcept { swap(other); }
  ByteReservation& operator=(ByteReservation&& other) noexcept {
    ByteReservation(std::move(other)).swap(*this);
    return *this;
  }
  ~ByteReservation() {
    if (budget_ && bytes_) budget_->release(bytes_);
  }
  bool try_grow(std::uint64_t bytes) {
    if (budget_ && !budget_->try_reserve(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void shrink_to(std::uint64_t bytes) {
    if (bytes >= bytes_) return;
    if (budget_) budget_->release(bytes_ - bytes);
    bytes_ = bytes;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void swap(ByteReservation& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
  }
  ByteBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace posthus
