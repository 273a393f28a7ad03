// account_habit: does an account send as it always has, or has somebody taken it over? RFC 6409 §5.2 lets submission hold
// what looks like abuse. Thread rule: pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/sending_record.h"

namespace posthus::smtp {

inline constexpr std::uint32_t kHabitFactor = 4;         // this many times the usual busiest ten minutes are a burst
inline constexpr std::uint32_t kNewNetworkDivisor = 2;   // from a network never used before half of it is one
inline constexpr std::uint32_t kSmallestBurst = 10;      // never less: a family's invitations
inline constexpr std::uint32_t kManyBounces = 20;        // in a day, and ...
inline constexpr std::uint32_t kBouncesPerMessages = 2;  // ... half of all that was sent

/// What is known when a message is about to be queued.
struct HabitFacts {
  const store::SendingRecord& record;  // rolled to now, without this message
  std::string_view network;            // of the client; empty: unknown
  std::uint32_t copies = 0;            // recipients elsewhere of this message
  std::uint32_t burst = 0;             // what surprises nobody (store::EffectiveLimits)
};

/// Why the account is to be put on hold (store::encode_hold_reason); empty when it is as usual. An account on hold already is as
/// usual: nothing is told twice.
std::string change_of_habit(const HabitFacts& facts);

/// The network of a client as habits know it: /24 or /48; empty when `address` is none.
std::string habit_network(std::string_view address);

}  // namespace posthus::smtp
