// Timers: calls functions at intervals, for maintenance. One thread of its own, so a callback may block, but it delays
// the others: long work belongs to Workers.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace posthus::net {

class Timers {
 public:
  Timers();
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  /// Calls `callback` first after `interval`, then `interval` after the end of each call. Until stop().
  void every(std::chrono::milliseconds interval, std::function<void()> callback);
  /// Returns when no callback runs any more; none will. Idempotent. REQUIRES: not called from a callback.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Periodic {
    Time next;
    std::chrono::milliseconds interval;
    std::function<void()> callback;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Periodic> periodic_;  // a handful, so searched from end to end
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace posthus::net
