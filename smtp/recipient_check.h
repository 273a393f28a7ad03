// RecipientCheck: asks the primary server of a relay domain whether it would take a recipient, or whom a recipient here stands
// for (call-forward), so that a backup MX refuses what would only bounce (RFC 5321 §6.2). Thread rule: ask() from any thread,
// `done` on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/mail/address.h"

namespace posthus::smtp {

enum class PrimaryAnswer : std::uint8_t {
  kTaken,
  kRefused,      // for good, by a 5yz reply to RCPT
  kUnavailable,  // nobody could be asked, or the answer was temporary
  kBusy,         // too many are asked for at this moment: whoever comes again is told
};

struct PrimaryReply {
  PrimaryAnswer answer = PrimaryAnswer::kUnavailable;
  // What the primary said when it refused.
  std::uint16_t code = 0;
  std::string enhanced, text;
};

class RecipientCheck {
 public:
  virtual ~RecipientCheck() = default;
  /// Calls `done` exactly once, perhaps before it returns; within half a minute, since a client waits for its reply.
  virtual void ask(const mail::Address& recipient, std::move_only_function<void(PrimaryReply)> done) = 0;
};

}  // namespace posthus::smtp
