// When to renew and when to try again. RFC 9773 §4.2 (the CA suggests a window), RFC 8555 §6.6 (rate limits).
// Times have a share of chance, so that many servers do not come at once; it is drawn from `seed`, so that a restart changes
// nothing. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace posthus::acme {

/// Two thirds of the life of a certificate, and up to a thirty-sixth of it later (2.5 days of 90).
Timestamp renewal_time(Timestamp not_before, Timestamp not_after, std::string_view seed);

/// A moment of the window the CA suggests.
Timestamp renewal_time_within(Timestamp start, Timestamp end, std::string_view seed);

/// After the `failures`-th failure in a row (from 1): a minute (another proof may succeed), then 20 minutes, doubling, at most a
/// day; never before the CA's `retry_after` seconds. A fifth of it is chance.
/// WHY 20 minutes: CAs allow some five failed proofs of a name in an hour.
Timestamp retry_time(Timestamp now, std::uint32_t failures, std::optional<std::int64_t> retry_after, std::string_view seed);

}  // namespace posthus::acme
