// One day of TLS to one domain: outcomes counted into a record, records joined, a record as a report. RFC 8460 §4.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "core/mailauth/tls_report.h"
#include "smtp/tls_policy_source.h"
#include "store/tls_records.h"

namespace posthus::smtp {

inline constexpr std::int64_t kDaySeconds = 86'400;
inline constexpr std::size_t kMaxTalliedPolicies = 8;   // of one domain and day; a policy rarely changes twice a day
inline constexpr std::size_t kMaxTalliedFailures = 50;  // kinds of failure of one policy; further ones count in the sum only
inline constexpr std::size_t kMaxTalliedText = 200;     // bytes of a greeting or a reason

void count_outcome(store::TlsTallyRecord& tally, const TlsPolicy& policy, const TlsOutcome& outcome);
/// Adds what `more` counted. Both are of one day and domain.
void join_tallies(store::TlsTallyRecord& tally, const store::TlsTallyRecord& more);

/// `submitter`: the domain that reports; the contact is postmaster there.
mailauth::TlsReport make_tls_report(const store::TlsTallyRecord& tally, const std::string& submitter);
/// "certificate-expired"
std::string_view tls_result_name(TlsResult result);

}  // namespace posthus::smtp
