// IoThread: an event loop, its thread, and what the connections on it share: the buffer they read into, a spare output
// buffer, the wheel of deadlines. Only for .cc files of this folder (it includes Asio).
// Thread rule: everything on its own thread, except start(), post(), join() and the constructor.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/net/deadline_wheel.h"

namespace posthus::net {

class Driver;

/// Connections of the whole program, to wait for their end. Any thread.
class OpenConnections {
 public:
  void add() {
    const std::lock_guard guard(mutex_);
    ++count_;
  }
  void remove() {
    const std::lock_guard guard(mutex_);
    if (--count_ == 0) none_left_.notify_all();
  }
  std::size_t count() const {
    const std::lock_guard guard(mutex_);
    return count_;
  }
  /// Whether all ended in time.
  bool wait_for_none(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return none_left_.wait_for(lock, patience, [this] { return count_ == 0; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  std::size_t count_ = 0;
};

class IoThread {
 public:
  /// Bytes one read takes at most.
  static constexpr std::size_t kReadBuffer = 64 * 1024;

  explicit IoThread(OpenConnections& open);
  ~IoThread();

  void start();
  /// Lets the loop end when nothing is left to do, and waits for it.
  void join();
  asio::io_context& context() { return context_; }
  bool is_current() { return context_.get_executor().running_in_this_thread(); }

  void add(Driver& driver);
  void remove(Driver& driver);
  /// Something other than a driver that must end before the thread does; `end` is called at shutdown.
  void add_pending(const void* owner, std::function<void()> end);
  void remove_pending(const void* owner);
  bool is_stopping() const { return is_stopping_; }
  /// Tells every session that the server is shutting down; new connections are told at once.
  void shut_sessions_down();
  /// Cuts every connection that waits for its client.
  void cut_connections();

  std::span<char> read_buffer() { return read_buffer_; }
  /// Gives `output` room from the buffer connections lend each other, and takes it back. An idle connection owns none.
  void lend_output(std::string& output);
  void take_back_output(std::string& output);

  void set_deadline(Driver& driver, std::chrono::milliseconds from_now);
  void pause_deadline(Driver& driver);
  void clear_deadline(Driver& driver);

 private:
  std::vector<std::shared_ptr<Driver>> drivers() const;
  void arm_tick();

  asio::io_context context_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  OpenConnections& open_;
  DeadlineWheel wheel_;
  asio::steady_timer tick_;
  bool is_ticking_ = false;
  bool is_stopping_ = false;
  std::vector<char> read_buffer_;
  std::string spare_output_;
  std::unordered_set<Driver*> drivers_;
  std::unordered_map<const void*, std::function<void()>> pending_;
  std::thread thread_;
};

}  // namespace posthus::net
