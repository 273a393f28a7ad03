// Counting, joining and reporting TLS outcomes. RFC 8460 §4.2, §4.3, §4.4.
#include "smtp/tls_tally.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/mail/date_time.h"

namespace posthus::smtp {
namespace {

using store::TlsFailureTally;
using store::TlsPolicyTally;
using store::TlsTallyRecord;

constexpr std::size_t kMaxPolicyLines = 300;  // 256 patterns and the rest of an MTA-STS policy

TlsPolicyTally* find_policy(TlsTallyRecord& tally, TlsPolicyTally::Kind kind, const std::vector<std::string>& text) {
  for (TlsPolicyTally& policy : tally.policies) {
    if (policy.kind == kind && policy.text == text) return &policy;
  }
  return nullptr;
}

/// The policy's tally, made when there is room; else the last one, so that every connection counts somewhere.
TlsPolicyTally& policy_of(TlsTallyRecord& tally, TlsPolicyTally::Kind kind, std::vector<std::string> text,
                          const std::vector<std::string>& patterns) {
  if (text.size() > kMaxPolicyLines) text.resize(kMaxPolicyLines);
  if (TlsPolicyTally* found = find_policy(tally, kind, text)) return *found;
  if (tally.policies.size() >= kMaxTalliedPolicies) return tally.policies.back();
  tally.policies.push_back({.kind = kind, .text = std::move(text), .mx_patterns = patterns, .details = {}});
  return tally.policies.back();
}

void add_failure(TlsPolicyTally& policy, const TlsFailureTally& failure) {
  const auto is_same = [&](const TlsFailureTally& other) {
    return other.result == failure.result && other.sending_address == failure.sending_address &&
           other.receiving_host == failure.receiving_host && other.receiving_address == failure.receiving_address &&
           other.reason == failure.reason;
  };
  const auto found = std::find_if(policy.details.begin(), policy.details.end(), is_same);
  if (found != policy.details.end()) {
    found->count += failure.count;
  } else if (policy.details.size() < kMaxTalliedFailures) {
    policy.details.push_back(failure);
  }
}

std::string_view policy_type_name(TlsPolicyTally::Kind kind) {
  switch (kind) {
    case TlsPolicyTally::Kind::kDane: return "tlsa";
    case TlsPolicyTally::Kind::kMtaSts: return "sts";
    case TlsPolicyTally::Kind::kNone: break;
  }
  return "no-policy-found";
}

mailauth::TlsReportPolicy report_policy(const TlsPolicyTally& tally, const std::string& domain) {
  mailauth::TlsReportPolicy policy{.type = std::string(policy_type_name(tally.kind)),
                                   .text = tally.text,
                                   .domain = domain,
                                   .mx_patterns = tally.mx_patterns,
                                   .successes = tally.successes,
                                   .failures = tally.failures,
                                   .details = {}};
  for (const TlsFailureTally& failure : tally.details) {
    policy.details.push_back({.result_type = std::string(tls_result_name(static_cast<TlsResult>(failure.result))),
                              .sending_address = failure.sending_address,
                              .receiving_host = failure.receiving_host,
                              .receiving_greeting = failure.receiving_greeting,
                              .receiving_address = failure.receiving_address,
                              .count = failure.count,
                              .reason = failure.reason});
  }
  return policy;
}

}  // namespace

void count_outcome(TlsTallyRecord& tally, const TlsPolicy& policy, const TlsOutcome& outcome) {
  const auto kind = static_cast<TlsPolicyTally::Kind>(policy.kind);
  TlsPolicyTally& counted = policy_of(tally, kind, policy.text, policy.mx_patterns);
  if (outcome.result == TlsResult::kSuccess) {
    ++counted.successes;
    return;
  }
  ++counted.failures;
  add_failure(counted, {.result = static_cast<std::uint8_t>(outcome.result),
                        .sending_address = outcome.sending_address,
                        .receiving_host = outcome.host,
                        .receiving_greeting = outcome.greeting_name.substr(0, kMaxTalliedText),
                        .receiving_address = outcome.receiving_address,
                        .reason = outcome.reason.substr(0, kMaxTalliedText),
                        .count = 1});
}

void join_tallies(TlsTallyRecord& tally, const TlsTallyRecord& more) {
  for (const TlsPolicyTally& policy : more.policies) {
    TlsPolicyTally& joined = policy_of(tally, policy.kind, policy.text, policy.mx_patterns);
    joined.successes += policy.successes;
    joined.failures += policy.failures;
    for (const TlsFailureTally& failure : policy.details) add_failure(joined, failure);
  }
}

mailauth::TlsReport make_tls_report(const TlsTallyRecord& tally, const std::string& submitter) {
  const std::int64_t begin = tally.day * kDaySeconds;
  mailauth::TlsReport report;
  report.organization = submitter;
  report.contact = "postmaster@" + submitter;
  report.begin = Timestamp::from_seconds(begin);
  report.end = Timestamp::from_seconds(begin + kDaySeconds - 1);
  // The same for the same report, so that a second one is known as such (§5.3).
  report.id = mail::format_rfc3339(report.begin).substr(0, 10) + "." +
              to_hex(as_view(sha256(tally.domain + "!" + submitter))).substr(0, 16);
  for (const TlsPolicyTally& policy : tally.policies) report.policies.push_back(report_policy(policy, tally.domain));
  return report;
}

std::string_view tls_result_name(TlsResult result) {
  switch (result) {
    case TlsResult::kStartTlsNotSupported: return "starttls-not-supported";
    case TlsResult::kCertificateHostMismatch: return "certificate-host-mismatch";
    case TlsResult::kCertificateExpired: return "certificate-expired";
    case TlsResult::kCertificateNotTrusted: return "certificate-not-trusted";
    case TlsResult::kTlsaInvalid: return "tlsa-invalid";
    case TlsResult::kDnssecInvalid: return "dnssec-invalid";
    case TlsResult::kStsPolicyFetchError: return "sts-policy-fetch-error";
    case TlsResult::kStsPolicyInvalid: return "sts-policy-invalid";
    case TlsResult::kStsWebpkiInvalid: return "sts-webpki-invalid";
    case TlsResult::kSuccess:
    case TlsResult::kValidationFailure: break;
  }
  return "validation-failure";
}

}  // namespace posthus::smtp
