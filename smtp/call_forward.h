// CallForward: the RecipientCheck over dry runs (trial.h), with the null sender (RFC 5321 §4.5.5: nothing may come back), and a
// memory of what primaries said. Thread rule: any thread.
// Known limits: what is remembered ends with the process; a primary that takes everybody (a catch-all) teaches nothing.
#pragma once

#include <memory>

#include "core/base/clock.h"
#include "smtp/recipient_check.h"
#include "smtp/trial.h"

namespace posthus::smtp {

// How long what was heard counts.
inline constexpr std::chrono::seconds kTakenLifetime{6 * 3600};   // users seldom vanish; mail for them would bounce once
inline constexpr std::chrono::seconds kRefusedLifetime{15 * 60};  // a new user wants mail soon
inline constexpr std::chrono::seconds kUnavailableLifetime{30};   // of a whole domain: its primary is down, clients do not wait
inline constexpr std::chrono::seconds kCallPatience{20};          // a client waits for its reply (recipient_check.h)

inline constexpr std::size_t kMaxRemembered = 20'000;  // recipients, some 4 MiB; the oldest go
inline constexpr std::size_t kMaxCalls = 20;           // at once: half of all dry runs. Beyond these limits: kBusy
inline constexpr std::size_t kMaxCallsToDomain = 5;    // at once: what a queue runner allows itself
inline constexpr std::size_t kMaxCallsPerMinute =
    300;                                          // to a domain: somebody is guessing addresses, and the primary has other work
inline constexpr std::size_t kMaxWaiting = 1000;  // sessions that wait for calls

class CallForward final : public RecipientCheck {
 public:
  /// `trials` and `clock` outlive it; trials.stop() comes before its end.
  CallForward(Trials& trials, const Clock& clock);
  ~CallForward() override;

  void ask(const mail::Address& recipient, std::move_only_function<void(PrimaryReply)> done) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace posthus::smtp
