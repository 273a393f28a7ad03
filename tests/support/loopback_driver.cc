// See loopback_driver.h.
#include "tests/support/loopback_driver.h"

#include <utility>

#include "core/base/check.h"

namespace posthus::testing {

using session::Step;

/// Shared with wakers and resumes, which may outlive the driver.
struct LoopbackDriver::Signal final : session::WakeTarget {
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  bool resumed = false;

  void wake() override {
    const std::lock_guard lock(mutex);
    woken = true;
    changed.notify_all();
  }
  void resume() {
    const std::lock_guard lock(mutex);
    CHECK(!resumed);
    resumed = true;
    changed.notify_all();
  }
};

LoopbackDriver::~LoopbackDriver() = default;

session::Waker LoopbackDriver::waker() {
  if (!signal_) signal_ = std::make_shared<Signal>();
  return session::Waker(signal_);
}

session::TlsFacts LoopbackDriver::tls_facts() {
  session::TlsFacts facts;
  facts.version = "TLSv1.3";
  facts.cipher = "TLS_AES_256_GCM_SHA384";
  facts.tls_exporter = std::string(32, 'x');
  facts.tls_server_end_point = std::string(32, 'e');
  return facts;
}

void LoopbackDriver::open(std::unique_ptr<session::Session> session, Tls tls) {
  waker();
  session_ = std::move(session);
  if (tls == Tls::kImplicit) {
    if (!tls_failure_.empty()) return fail_tls();
    session_->tls_started(facts_, output_);
  }
  perform(session_->opened(output_));
}

void LoopbackDriver::perform(Step step) {
  for (;;) {
    idle_ = step == Step::kIdle;
    switch (step) {
      case Step::kRead:
      case Step::kIdle: return;
      case Step::kClose: closed_ = true; return;
      case Step::kStartTls:
        leftover_.clear();
        if (!tls_failure_.empty()) return fail_tls();
        step = session_->tls_started(facts_, output_);
        break;
      case Step::kRun:
        session_->run(output_);
        step = session_->resumed(output_);
        break;
      case Step::kWait: {
        session_->begin([signal = signal_] { signal->resume(); });
        std::unique_lock lock(signal_->mutex);
        signal_->changed.wait(lock, [this] { return signal_->resumed; });
        signal_->resumed = false;
        lock.unlock();
        step = session_->resumed(output_);
        break;
      }
    }
  }
}

void LoopbackDriver::fail_tls() {
  session_->tls_failed(tls_failure_);
  closed_ = true;
}

void LoopbackDriver::shut_down() {
  if (closed_ || !session_->is_interruptible()) return;
  session_->shutting_down(output_);
  closed_ = true;
}

void LoopbackDriver::close_by_peer() {
  closed_ = true;
  session_.reset();
}

void LoopbackDriver::feed(std::string_view bytes) {
  leftover_.append(bytes);
  while (!closed_ && !leftover_.empty()) {
    session::Input input(leftover_);
    const std::size_t before = input.size();
    const Step step = session_->received(input, output_);
    const std::size_t consumed = before - input.size();
    leftover_.erase(0, consumed);
    perform(step);
    if (consumed == 0 && (step == Step::kRead || step == Step::kIdle)) return;
  }
}

void LoopbackDriver::send(std::string_view bytes, std::size_t cut) {
  if (cut == 0) cut = bytes.size();
  while (!bytes.empty() && !closed_) {
    const std::string_view piece = bytes.substr(0, cut);
    bytes.remove_prefix(piece.size());
    feed(piece);
    CHECK(closed_ || leftover_.size() <= session::kMaxLeftover);
  }
}

bool LoopbackDriver::has_wake() const {
  const std::lock_guard lock(signal_->mutex);
  return idle_ && !closed_ && signal_->woken;
}

bool LoopbackDriver::deliver_wake() {
  if (!has_wake()) return false;
  {
    const std::lock_guard lock(signal_->mutex);
    signal_->woken = false;
  }
  perform(session_->woken(output_));
  return true;
}

bool LoopbackDriver::wait_for_wake(std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(signal_->mutex);
    if (!signal_->changed.wait_for(lock, limit, [this] { return signal_->woken; })) return false;
  }
  return deliver_wake();
}

void LoopbackDriver::time_out() {
  if (closed_) return;
  session_->timed_out(output_);
  closed_ = true;
}

std::string LoopbackDriver::take_output() { return std::exchange(output_, {}); }

}  // namespace posthus::testing
