// What we know of other domains' TLS policies, and how TLS to them went. RFC 8461 §3.3 (policies are cached), RFC 8460 §4
// (results are counted by day and domain). Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

/// An MTA-STS policy as it was fetched; it holds until `expires`, whatever the DNS says.
struct StsPolicyRecord {
  std::string domain;  // normalised
  std::string id;      // of the TXT record it was fetched for
  std::string text;    // at most 64 KiB
  Timestamp fetched, expires;
};

/// Failures of one kind between the same two ends.
struct TlsFailureTally {
  std::uint8_t result = 0;  // smtp::TlsResult
  std::string sending_address, receiving_host, receiving_greeting, receiving_address, reason;
  std::uint64_t count = 0;
};
struct TlsPolicyTally {
  enum class Kind : std::uint8_t { kNone, kDane, kMtaSts };
  Kind kind = Kind::kNone;
  std::vector<std::string> text, mx_patterns;
  std::uint64_t successes = 0, failures = 0;
  std::vector<TlsFailureTally> details;
};
/// One day (UTC) of connections to one domain, kept until its report is sent or too old.
struct TlsTallyRecord {
  std::uint32_t day = 0;  // since 1970-01-01
  std::string domain;     // normalised
  std::vector<TlsPolicyTally> policies;
};

/// The former policy of the domain is replaced. kInvalid without a domain, kTooLarge above the limit.
struct PutStsPolicy {
  StsPolicyRecord policy;
};
/// No error when there is none.
struct RemoveStsPolicy {
  std::string domain;
};
/// Replaces what the day and domain had; without policies it is removed.
struct PutTlsTally {
  TlsTallyRecord tally;
};
inline constexpr std::size_t kMaxTlsRecord = 128 * 1024;  // encoded

}  // namespace posthus::store
