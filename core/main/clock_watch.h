// ClockWatch: is our clock right? Nobody is asked for it: HTTPS answers that come anyway (the CA, MTA-STS policies, report
// receivers) say their time (Date, RFC 9110 §6.6.1), and who they are is proven. One server's clock may be wrong itself, so one
// alone is not believed, but for the CA, whose business is dates. What is kept of an answer is how far its time was from the
// machine's steady clock: when our clock is set right, the verdict changes at once, with no new answer. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "web-admin/clock_verdict.h"

namespace posthus::main {

/// Microseconds since some moment, that go on while the machine sleeps and that nobody sets.
std::int64_t steady_microseconds();

class ClockWatch {
 public:
  explicit ClockWatch(const Clock& clock, std::function<std::int64_t()> steady = steady_microseconds)
      : clock_(clock), steady_(std::move(steady)) {}

  /// A server said `date` between these two moments of the steady clock. What is no date is passed over.
  void heard(const std::string& host, std::string_view date, std::int64_t asked, std::int64_t answered);
  /// This host (of the CA) is believed alone; empty: nobody is.
  void believe(const std::string& host);
  /// `mark`: seconds from which the clock is wrong.
  web_admin::ClockVerdict verdict(std::int64_t mark) const;

  std::int64_t steady_now() const { return steady_(); }

 private:
  struct Sample {
    std::string host;
    std::int64_t difference = 0;   // its time minus the steady clock, microseconds
    std::int64_t uncertainty = 0;  // either way
    std::int64_t heard = 0;        // steady clock
  };

  const Clock& clock_;
  const std::function<std::int64_t()> steady_;
  mutable std::mutex mutex_;
  std::string believed_;
  std::vector<Sample> samples_;  // one a host, the newest last
};

}  // namespace posthus::main
