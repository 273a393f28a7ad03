// MTA-STS policies and TLS tallies. RFC 8461 §3.3, RFC 8460 §4.
#include "store/apply_kinds.h"
#include "store/long_value.h"
#include "store/record_tls.h"

namespace posthus::store {
namespace {

Result<> check(std::string_view domain, std::size_t size) {
  if (domain.empty()) return fail(ErrorKind::kInvalid, "no domain");
  if (size > kMaxTlsRecord) return fail(ErrorKind::kTooLarge, "TLS record of " + std::string(domain.substr(0, 64)));
  return {};
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutStsPolicy& request) {
  const std::string bytes = encode_sts_policy(request.policy);
  POSTHUS_TRY_VOID(check(request.policy.domain, bytes.size()));
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kStsPolicies, sts_policy_key(request.policy.domain), bytes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveStsPolicy& request) {
  POSTHUS_TRY_VOID(check(request.domain, 0));
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kStsPolicies, sts_policy_key(request.domain)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutTlsTally& request) {
  const std::string key = tls_tally_key(request.tally.day, request.tally.domain);
  const std::string bytes = encode_tls_tally(request.tally);
  POSTHUS_TRY_VOID(check(request.tally.domain, bytes.size()));
  POSTHUS_TRY_VOID(request.tally.policies.empty() ? erase_long_value(context.transaction, Table::kTlsTallies, key)
                                                  : replace_long_value(context.transaction, Table::kTlsTallies, key, bytes));
  return WriteOutcome{};
}

}  // namespace posthus::store
