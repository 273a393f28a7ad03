// SendTests: the seam to dry runs (posthus send-test): what becomes of mail for an address, step by step, without any being sent.
// Thread rule: any thread; nothing blocks for longer than a read of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mail/address.h"

namespace posthus::web_admin {

struct SendTestStep {
  Timestamp time;
  std::string_view mark;  // "good", "note", "bad"
  std::string stage;      // "route", "policy", "connect", "greeting", "EHLO", ...
  std::string host;       // empty before there is one
  std::string meaning;
  std::vector<std::string> lines;
};

struct SendTest {
  std::string id, address, from;
  Timestamp started;
  std::string_view verdict = "running";  // then "deliverable", "refused" or "unavailable"
  std::uint16_t code = 0;                // of the last reply; 0: there was none
  std::string enhanced, text;
  std::string stage, explanation;  // where it ended, and a sentence for people
  std::vector<SendTestStep> steps;
};

class SendTests {
 public:
  virtual ~SendTests() = default;
  /// Begins a dry run; its id. `from`: the reverse-path, empty for the null one; nothing: the first administrator's address.
  /// Errors: kBusy when too many run.
  virtual Result<std::string> start(const mail::Address& address, const std::optional<std::string>& from) = 0;
  /// Nothing: unknown, or long over.
  virtual std::optional<SendTest> find(std::string_view id) = 0;
};

}  // namespace posthus::web_admin
