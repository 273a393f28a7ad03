// Who may not try to sign in, as it is kept over a restart: what core/sasl/login_throttle blocks, the whole of it written at
// once, so that the space is bounded and what is over goes by itself. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

inline constexpr std::size_t kMaxLoginBlocks = 500;  // some 80 bytes each; also bounds how long a delivery waits behind them
inline constexpr std::size_t kMaxLoginBlockFieldBytes = 255;
inline constexpr std::uint8_t kLoginBlockKinds = 4;

struct LoginBlockRecord {
  std::uint8_t kind = 0;  // below kLoginBlockKinds: sasl::LoginBlockKind
  std::uint32_t failures = 0;
  Timestamp last_failure, until;
  std::string login, network;  // at most kMaxLoginBlockFieldBytes each
};

/// All there are: what was there before goes. kTooLarge above kMaxLoginBlocks, kInvalid when one is none.
struct PutLoginBlocks {
  std::vector<LoginBlockRecord> blocks;
};

}  // namespace posthus::store
