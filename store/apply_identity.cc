// Second factors, app passwords and the audit log. RFC 6238 §5.2: a code is taken once, which only the Writer can see to.
#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/secret.h"
#include "store/apply_kinds.h"
#include "store/identity_reader.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/mailbox_lifecycle.h"
#include "store/queue_reader.h"
#include "store/record_identity.h"
#include "store/rows.h"

namespace posthus::store {
namespace {

constexpr std::uint64_t kDefaultAuditEntries = 20'000;  // setting audit.entries; some 10 MB
constexpr int kErasedPerEntry = 8;                      // so that a log made shorter shrinks little by little
constexpr std::size_t kMaxAppPasswordRecord = 1500;     // one row, with room for its key

Result<> check_account(const Snapshot& snapshot, AccountId account) {
  if (POSTHUS_TRY(get_user(snapshot, account))) return {};
  return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
}

Result<> put_factor(WriteTransaction& transaction, const SecondFactorRecord& factor) {
  return transaction.put(Table::kSecondFactors, account_key(factor.account), encode_second_factor(factor));
}

Result<AppPasswordRecord> find_app_password(const Snapshot& snapshot, AccountId account, std::string_view id) {
  const auto row = POSTHUS_TRY(snapshot.get(Table::kAppPasswords, app_password_key(account, id)));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such app password");
  return decode_app_password(*row);
}

Result<> drop_old_audits(WriteTransaction& transaction, std::uint64_t newest) {
  const auto setting = POSTHUS_TRY(QueueReader(transaction).setting("audit.entries"));
  const auto number = setting ? ascii::parse_decimal<std::uint64_t>(*setting) : std::nullopt;
  const std::uint64_t most = std::max<std::uint64_t>(number.value_or(kDefaultAuditEntries), 1);
  for (int i = 0; i < kErasedPerEntry; ++i) {
    std::optional<std::uint64_t> oldest;
    POSTHUS_TRY_VOID(transaction.scan(Table::kAudit, {}, {}, [&oldest](std::string_view key, std::string_view) {
      oldest = number_of_audit_key(key);
      return Visit::kStop;
    }));
    if (!oldest || *oldest + most > newest) return {};
    POSTHUS_TRY_VOID(erase_long_value(transaction, Table::kAudit, audit_key(*oldest)));
  }
  return {};
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSecondFactor& request) {
  SecondFactorRecord factor = request.factor;
  if (factor.secret.size() > kMaxFactorSecret || factor.recovery_hashes.size() > kMaxRecoveryCodes) {
    return fail(ErrorKind::kTooLarge, "second factor");
  }
  POSTHUS_TRY_VOID(check_account(context.transaction, factor.account));
  if (factor.secret.empty() && POSTHUS_TRY(IdentityReader(context.transaction).passkeys(factor.account)).empty())
    return fail(ErrorKind::kInvalid, "second factor without key, and without a passkey");
  if (factor.created == Timestamp{}) factor.created = context.now;
  POSTHUS_TRY_VOID(put_factor(context.transaction, factor));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const UseSecondFactor& request) {
  auto factor = POSTHUS_TRY(IdentityReader(context.transaction).second_factor(request.account));
  if (!factor) return fail(ErrorKind::kNotFound, "the account has no second factor");
  if (request.recovery_hash.empty()) {
    if (request.step <= factor->last_step) return fail(ErrorKind::kDenied, "the code was used before");
    factor->last_step = request.step;
  } else {
    const std::size_t removed = std::erase_if(factor->recovery_hashes, [&request](const std::string& hash) {
      return equal_in_constant_time(hash, request.recovery_hash);
    });
    if (removed == 0) return fail(ErrorKind::kDenied, "no such recovery code is left");
  }
  POSTHUS_TRY_VOID(put_factor(context.transaction, *factor));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveSecondFactor& request) {
  if (!POSTHUS_TRY(IdentityReader(context.transaction).has_second_factor(request.account))) {
    return fail(ErrorKind::kNotFound, "the account has no second factor");
  }
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kSecondFactors, account_key(request.account)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAppPassword& request) {
  AppPasswordRecord record = request.password;
  const bool is_whole = !record.id.empty() && !record.secret_hash.empty() && record.protocols != 0;
  if (!is_whole || record.protocols > mail_protocol::kAll) return fail(ErrorKind::kInvalid, "app password");
  if (record.created == Timestamp{}) record.created = context.now;
  const std::string bytes = encode_app_password(record);
  if (bytes.size() > kMaxAppPasswordRecord || record.name.size() > kMaxAppPasswordName) {
    return fail(ErrorKind::kTooLarge, "app password");
  }
  POSTHUS_TRY_VOID(check_account(context.transaction, record.account));
  if (POSTHUS_TRY(IdentityReader(context.transaction).app_passwords(record.account)).size() >= kMaxAppPasswords) {
    return fail(ErrorKind::kTooLarge, "an account has at most " + std::to_string(kMaxAppPasswords) + " app passwords");
  }
  POSTHUS_TRY_VOID(context.transaction.put(Table::kAppPasswords, app_password_key(record.account, record.id), bytes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const UseAppPassword& request) {
  AppPasswordRecord record = POSTHUS_TRY(find_app_password(context.transaction, request.account, request.id));
  record.last_used = context.now;
  record.last_address = request.remote_address.substr(0, 64);  // an IPv6 address with its zone
  const std::string key = app_password_key(request.account, request.id);
  POSTHUS_TRY_VOID(context.transaction.put(Table::kAppPasswords, key, encode_app_password(record)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveAppPassword& request) {
  POSTHUS_TRY(find_app_password(context.transaction, request.account, request.id));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kAppPasswords, app_password_key(request.account, request.id)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const AddAudit& request) {
  if (request.json.empty()) return fail(ErrorKind::kInvalid, "audit entry without text");
  if (request.json.size() > kMaxAuditEvent) return fail(ErrorKind::kTooLarge, "audit entry");
  const std::uint64_t number = POSTHUS_TRY(next_number(context.transaction, meta::kLastAudit));
  POSTHUS_TRY_VOID(put_long_value(context.transaction, Table::kAudit, audit_key(number), request.json));
  POSTHUS_TRY_VOID(drop_old_audits(context.transaction, number));
  return WriteOutcome{};
}

Result<> erase_identity(WriteTransaction& transaction, AccountId account) {
  const std::string key = account_key(account);
  POSTHUS_TRY_VOID(transaction.erase(Table::kSecondFactors, key));
  POSTHUS_TRY(erase_prefix(transaction, Table::kAppPasswords, key, SIZE_MAX));
  POSTHUS_TRY(erase_prefix(transaction, Table::kPasskeys, key, SIZE_MAX));
  POSTHUS_TRY(erase_prefix(transaction, Table::kAdministered, key, SIZE_MAX));
  return {};
}

Result<> replace_administered(WriteTransaction& transaction, AccountId account, const std::vector<std::string>& domains) {
  POSTHUS_TRY(erase_prefix(transaction, Table::kAdministered, account_key(account), SIZE_MAX));
  for (const std::string& domain : domains) {
    POSTHUS_TRY_VOID(transaction.put(Table::kAdministered, administered_key(account, domain), domain));
  }
  return {};
}

Result<> erase_administrators(WriteTransaction& transaction, std::string_view domain) {
  // WHY a whole scan: domains go rarely, and a domain that comes back must not bring its former admins back.
  std::vector<std::string> keys;
  POSTHUS_TRY_VOID(transaction.scan(Table::kAdministered, {}, {}, [&](std::string_view key, std::string_view value) {
    if (value == domain) keys.emplace_back(key);
    return Visit::kContinue;
  }));
  for (const std::string& key : keys) POSTHUS_TRY_VOID(transaction.erase(Table::kAdministered, key));
  return {};
}

}  // namespace posthus::store
