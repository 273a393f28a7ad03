// Waker: lets any thread tell an idle session to look again, or end it. Carries no data; wakes coalesce; a late wake is harmless.
#pragma once

#include <memory>
#include <utility>

namespace posthus::session {

/// Implemented by the driver (and by test harnesses). wake() and end() may come from any thread, any number of times, also
/// after the session has died.
class WakeTarget {
 public:
  virtual ~WakeTarget() = default;
  virtual void wake() = 0;
  /// At its next client wait the session is told that the server is shutting down, and the connection closed.
  virtual void end() {}
};

/// Copyable handle. It keeps the target object alive but never the session: the target holds no strong reference to it.
class Waker {
 public:
  Waker() = default;
  explicit Waker(std::shared_ptr<WakeTarget> target) : target_(std::move(target)) {}
  void wake() const {
    if (target_) target_->wake();
  }
  void end() const {
    if (target_) target_->end();
  }

 private:
  std::shared_ptr<WakeTarget> target_;
};

}  // namespace posthus::session
