// Workers: a fixed pool of threads for work that may block (page faults, files, password hashing).
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace posthus::net {

class Workers {
 public:
  using Work = std::move_only_function<void()>;  // must not throw

  /// Queue bound of try_submit: beyond it work would wait for seconds, and the caller does better to refuse.
  static constexpr std::size_t kMaxQueued = 4096;

  /// `threads` is at least 1.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Queues `work`; false, and nothing queued, when kMaxQueued wait already or the pool has stopped.
  bool try_submit(Work work);
  /// Queues `work` whatever the queue's length. REQUIRES: the caller bounds what it submits (the driver: one per
  /// connection), and the pool has not stopped.
  void submit(Work work);
  /// Finishes everything queued, then joins the threads. Idempotent.
  void stop();
  std::size_t queued() const;

 private:
  void work_until_stopped();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace posthus::net
