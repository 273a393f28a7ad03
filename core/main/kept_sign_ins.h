// Sign-ins outlast a restart: what the authenticator has listed goes into the store every few seconds, many at once, so that no
// login waits for it; what a crash takes are the last seconds. Thread rule: tick() on a timer; what may block runs where
// `run_blocking` says.
#pragma once

#include <atomic>
#include <functional>

#include "core/base/result.h"
#include "core/sasl/authenticator.h"
#include "store/store.h"

namespace posthus::main {

struct KeptSignInsContext {
  store::Store& store;
  sasl::Authenticator& authenticator;
  std::function<bool(std::move_only_function<void()>)> run_blocking;  // false: not now
};

class KeptSignIns {
 public:
  explicit KeptSignIns(KeptSignInsContext context) : context_(std::move(context)) {}
  /// Gives the authenticator what was kept. REQUIRES: before the first login.
  Result<> restore();
  /// Keeps what is new, in the background. REQUIRES: called every some seconds.
  void tick();
  /// Keeps what is new. REQUIRES: the store still takes requests; not on the Writer's thread.
  void flush();

 private:
  const KeptSignInsContext context_;
  std::atomic<bool> is_writing_ = false;
};

}  // namespace posthus::main
