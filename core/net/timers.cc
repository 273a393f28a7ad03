// Periodic callbacks on one thread.
#include "core/net/timers.h"

#include <algorithm>

namespace posthus::net {

Timers::Timers() : thread_([this] { run(); }) {}
Timers::~Timers() { stop(); }

void Timers::every(std::chrono::milliseconds interval, std::function<void()> callback) {
  {
    const std::lock_guard guard(mutex_);
    periodic_.push_back({std::chrono::steady_clock::now() + interval, interval, std::move(callback)});
  }
  changed_.notify_one();
}

void Timers::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Timers::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto soonest = std::ranges::min_element(periodic_, {}, &Periodic::next);
    if (soonest == periodic_.end()) {
      changed_.wait(lock);
      continue;
    }
    const Time next = soonest->next;
    if (std::chrono::steady_clock::now() < next) {
      changed_.wait_until(lock, next);
      continue;
    }
    const auto index = soonest - periodic_.begin();
    const std::function<void()> callback = soonest->callback;  // WHY: a copy, every() may move the vector meanwhile
    lock.unlock();
    callback();
    lock.lock();
    periodic_[static_cast<std::size_t>(index)].next =
        std::chrono::steady_clock::now() + periodic_[static_cast<std::size_t>(index)].interval;
  }
}

}  // namespace posthus::net
