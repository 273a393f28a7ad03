// DryRuns: the dry runs of the running server (posthus send-test), kept for a while so that whoever began one can read it.
// Addresses of ours are looked up in the directory; all others are tried by smtp/trial.h. Thread rule: any thread.
#pragma once

#include <memory>

#include "core/base/clock.h"
#include "smtp/trial.h"
#include "store/store.h"
#include "web-admin/send_tests.h"

namespace posthus::main {

class DryRuns final : public web_admin::SendTests {
 public:
  static constexpr std::size_t kMaxRunning = 8;         // whoever wants more is no admin who looks for a fault
  static constexpr std::size_t kMaxKept = 50;           // the oldest go first
  static constexpr std::size_t kMaxBytes = 128 * 1024;  // of the lines of one; what comes then is told without its lines
  static constexpr std::size_t kMaxSteps = 300;         // of one: 40 addresses with all their steps
  static constexpr std::chrono::seconds kPatience{60};  // in all; a person waits

  /// References outlive it; `trials` is stopped before its end.
  DryRuns(store::Store& store, smtp::Trials& trials, const Clock& clock);
  ~DryRuns() override;

  Result<std::string> start(const mail::Address& address, const std::optional<std::string>& from) override;
  std::optional<web_admin::SendTest> find(std::string_view id) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace posthus::main
