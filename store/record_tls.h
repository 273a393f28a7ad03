// Encodings of MTA-STS policies and TLS tallies. Each begins with a version byte; decoding arbitrary bytes gives a record or
// kCorrupt. Texts are a length and bytes (core/base/bytes.h). Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/tls_records.h"

namespace posthus::store {

std::string encode_sts_policy(const StsPolicyRecord& record);
Result<StsPolicyRecord> decode_sts_policy(std::string_view bytes);

std::string encode_tls_tally(const TlsTallyRecord& record);
Result<TlsTallyRecord> decode_tls_tally(std::string_view bytes);

/// Bases of long values (store/long_value.h).
std::string sts_policy_key(std::string_view domain);                    // kStsPolicies
std::string tls_tally_key(std::uint32_t day, std::string_view domain);  // kTlsTallies

}  // namespace posthus::store
