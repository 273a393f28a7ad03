// Task and Detached: the coroutine types of the driver. A Task starts when awaited, and resumes who awaited it when it
// ends; a Detached starts at once and frees itself. Nothing allocates but the frames; nothing throws across a suspension
// (our code does not throw, so an exception ends the program).
// Thread rule: a coroutine stays on the thread that resumes it; the driver's are resumed on their io thread only.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace posthus::net {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    std::coroutine_handle<> awaiting;
    std::optional<T> value;

    struct ResumeAwaiting {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        return self.promise().awaiting;
      }
      void await_resume() const noexcept {}
    };

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    ResumeAwaiting final_suspend() const noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() const noexcept { std::terminate(); }
  };

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { frame_.destroy(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    frame_.promise().awaiting = awaiting;
    return frame_;
  }
  T await_resume() { return std::move(*frame_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace posthus::net
