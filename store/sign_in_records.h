// Sign-ins as they are kept over a restart: two rings of rows, one of successes and one of failures, as core/sasl/sign_in_log has
// them in memory. A row that changes is written over, so that the space is bounded by the number of slots.
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

inline constexpr std::uint16_t kSignInSlots = 2000;        // of each ring; some 120 bytes a row: half a megabyte in all
inline constexpr std::size_t kMaxSignInFieldBytes = 255;   // of each text
inline constexpr std::size_t kMaxSignInsPerRequest = 500;  // so that a delivery never waits long behind them

struct SignInRecord {
  bool is_success = false;
  std::uint16_t slot = 0;    // below kSignInSlots
  std::uint64_t number = 0;  // the higher, the later
  Timestamp first, last;
  std::uint32_t count = 1;
  bool is_tls = false;
  std::string login, protocol, mechanism, remote_address, result, reason, app_password;
};

/// Writes rows, at most kMaxSignInsPerRequest. kInvalid when a slot is none.
struct PutSignIns {
  std::vector<SignInRecord> sign_ins;
};

}  // namespace posthus::store
