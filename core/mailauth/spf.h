// SPF: may a host send mail for a domain? RFC 7208, check_host() as a restartable pure function: it is called with the answers
// known so far and notes what it lacks (core/dns/answers.h).
// Thread rule: pure functions. Hostile input: every limit of RFC 7208 §4.6.4 holds, includes nest at most ten deep.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/dns/answers.h"

namespace posthus::mailauth {

/// RFC 7208 §2.6.
enum class SpfResult : std::uint8_t { kNone, kNeutral, kPass, kFail, kSoftFail, kTempError, kPermError };
std::string_view to_string(SpfResult result);

/// Who sends: `sender` is the whole reverse-path, with "postmaster@<helo>" when it is null (RFC 7208 §2.4).
struct SpfClient {
  IpAddress address;
  std::string sender, helo;
};
struct SpfVerdict {
  SpfResult result = SpfResult::kNone;
  std::string reason;  // of an error, for people: "more than 10 lookups"
};
/// Nothing: answers are lacking, call again when they are there.
std::optional<SpfVerdict> check_host(const SpfClient& client, std::string_view domain, dns::Answers& answers);

/// How many lookups the record of `domain` can cost at most (RFC 7208 §4.6.4 allows 10), all its terms followed. Nothing: answers
/// are lacking. `reason`: what stands in the way of evaluating it, for people; empty for a good record.
struct SpfCost {
  int lookups = 0;
  std::string reason;
};
std::optional<SpfCost> spf_cost(std::string_view domain, dns::Answers& answers);
inline constexpr int kMaxSpfLookups = 10;         // RFC 7208 §4.6.4
inline constexpr int kMaxSpfVoidLookups = 2;      // the same
inline constexpr std::size_t kMaxSpfTerms = 256;  // of one record; a record of 4 KiB has fewer that make sense

/// The TXT records that are SPF records (RFC 7208 §4.5).
std::vector<std::string> spf_records(const std::vector<std::string>& texts);

}  // namespace posthus::mailauth
