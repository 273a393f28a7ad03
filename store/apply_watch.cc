// Sign-ins, login blocks and checks of the DNS, kept so that a restart forgets none. See sign_in_records.h,
// login_block_records.h, dns_check_records.h.
#include <algorithm>

#include "core/mail/address.h"
#include "store/apply_kinds.h"
#include "store/long_value.h"
#include "store/record_dns_check.h"
#include "store/record_login_block.h"
#include "store/record_sign_in.h"
#include "store/rows.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSignIns& request) {
  if (request.sign_ins.size() > kMaxSignInsPerRequest) return fail(ErrorKind::kTooLarge, "sign-ins");
  for (const SignInRecord& record : request.sign_ins) {
    if (record.slot >= kSignInSlots) return fail(ErrorKind::kInvalid, "sign-in");
  }
  for (const SignInRecord& record : request.sign_ins) {
    POSTHUS_TRY_VOID(context.transaction.put(Table::kSignIns, sign_in_key(record), encode_sign_in(record)));
  }
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutLoginBlocks& request) {
  if (request.blocks.size() > kMaxLoginBlocks) return fail(ErrorKind::kTooLarge, "login blocks");
  if (!std::ranges::all_of(request.blocks, is_login_block)) return fail(ErrorKind::kInvalid, "login block");
  std::vector<std::string> keys;
  POSTHUS_TRY_VOID(context.transaction.scan(Table::kLoginBlocks, {}, {}, [&keys](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return Visit::kContinue;
  }));
  for (const std::string& key : keys) POSTHUS_TRY_VOID(context.transaction.erase(Table::kLoginBlocks, key));
  std::uint16_t place = 0;
  for (const LoginBlockRecord& record : request.blocks) {
    POSTHUS_TRY_VOID(context.transaction.put(Table::kLoginBlocks, login_block_key(place++), encode_login_block(record)));
  }
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDnsCheck& request) {
  const std::string domain = POSTHUS_TRY(mail::normalise_domain(request.domain));
  const auto is_long = [](const DnsFinding& finding) {
    return finding.type.size() + finding.purpose.size() > kMaxDnsNameBytes || finding.name.size() > kMaxDnsNameBytes;
  };
  if (request.findings.size() > kMaxDnsFindings || std::ranges::any_of(request.findings, is_long))
    return fail(ErrorKind::kTooLarge, "DNS check");
  if (!POSTHUS_TRY(get_domain(context.transaction, domain))) return fail(ErrorKind::kNotFound, domain);
  // WHY what cannot be read is begun anew: it is what was found, not what is to be.
  const auto before = read_dns_check(context.transaction, domain);
  DnsCheckRecord record = before && *before ? **before : DnsCheckRecord{};
  record.domain = domain;
  const std::string bytes = encode_dns_check(after_dns_check(std::move(record), request.findings, context.now));
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kDnsChecks, dns_check_key(domain), bytes));
  return WriteOutcome{};
}

}  // namespace posthus::store
