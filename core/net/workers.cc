// The pool: one queue, one lock.
#include "core/net/workers.h"

#include <algorithm>

#include "core/base/check.h"

namespace posthus::net {

Workers::Workers(int threads) {
  for (int i = 0; i < std::max(threads, 1); ++i) threads_.emplace_back([this] { work_until_stopped(); });
}

Workers::~Workers() { stop(); }

bool Workers::try_submit(Work work) {
  {
    const std::lock_guard guard(mutex_);
    if (stopping_ || queue_.size() >= kMaxQueued) return false;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void Workers::submit(Work work) {
  {
    const std::lock_guard guard(mutex_);
    CHECK(!stopping_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

std::size_t Workers::queued() const {
  const std::lock_guard guard(mutex_);
  return queue_.size();
}

void Workers::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::work_until_stopped() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      Work work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }  // WHY: what the work captured dies before the lock is taken again
    lock.lock();
  }
}

}  // namespace posthus::net
