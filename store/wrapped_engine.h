// Engines for tests that wrap another one: FailingEngine fails the operation it is told to, SlowEngine holds commits
// back until it is let go. Thread rule: as Engine; the setters from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "store/engine.h"

namespace posthus::store {

class FailingEngine final : public Engine {
 public:
  explicit FailingEngine(std::unique_ptr<Engine> inner) : inner_(std::move(inner)) {}

  /// The operations that can be told to fail, counted from now: 1 is the next one. 0 stops failing.
  void fail_put(std::uint64_t nth, ErrorKind kind);     // put or erase in a transaction
  void fail_read(std::uint64_t nth, ErrorKind kind);    // get or scan, in snapshots and transactions
  void fail_commit(std::uint64_t nth, ErrorKind kind);  // after apply succeeded: nothing is committed
  void fail_commits(ErrorKind kind);                    // the same from now on, until fail_commit(0, ...)
  void fail_snapshot(std::uint64_t nth, ErrorKind kind);
  void fail_after_commit(std::uint64_t nth, ErrorKind kind);  // committed, and told to have failed

  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) override;
  EngineStatistics statistics() const override { return inner_->statistics(); }

  /// One countdown. trip() is nothing, or the error when the count is reached.
  class Trap {
   public:
    void set(std::uint64_t nth, ErrorKind kind);
    void set_for_all(ErrorKind kind);
    Result<> trip(const char* what) const;

   private:
    mutable std::atomic<std::uint64_t> left_{0};
    std::atomic<ErrorKind> kind_{ErrorKind::kIo};
    std::atomic<bool> is_for_all_ = false;
  };

 private:
  std::unique_ptr<Engine> inner_;
  Trap put_, read_, commit_, snapshot_, after_commit_;
};

class SlowEngine final : public Engine {
 public:
  explicit SlowEngine(std::unique_ptr<Engine> inner) : inner_(std::move(inner)) {}

  /// From now on commits wait at their beginning.
  void hold();
  /// Lets `commits` waiting or coming commits pass.
  void let_pass(std::uint64_t commits);
  /// Ends hold().
  void let_go();
  /// Waits until a commit stands at the barrier.
  void wait_until_held();

  Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_->snapshot(); }
  Result<> commit(FunctionRef<Result<>(WriteTransaction&)> apply) override;
  EngineStatistics statistics() const override { return inner_->statistics(); }

 private:
  std::unique_ptr<Engine> inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false, is_waiting_ = false;
  std::uint64_t passes_ = 0;
};

}  // namespace posthus::store
