// Reads what proves who somebody is; see identity_reader.h.
#include "store/identity_reader.h"

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_identity.h"
#include "store/record_passkey.h"

namespace posthus::store {

Result<std::optional<SecondFactorRecord>> IdentityReader::second_factor(AccountId account) const {
  const auto row = POSTHUS_TRY(snapshot_.get(Table::kSecondFactors, account_key(account)));
  if (!row) return std::nullopt;
  return POSTHUS_TRY(decode_second_factor(*row));
}

Result<bool> IdentityReader::has_second_factor(AccountId account) const {
  return POSTHUS_TRY(snapshot_.get(Table::kSecondFactors, account_key(account))).has_value();
}

Result<std::vector<AppPasswordRecord>> IdentityReader::app_passwords(AccountId account) const {
  std::vector<AppPasswordRecord> all;
  Result<> read;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(
      snapshot_.scan(Table::kAppPasswords, prefix, end_of_prefix(prefix), [&](std::string_view, std::string_view value) {
        auto record = decode_app_password(value);
        if (!record) {
          read = std::unexpected(std::move(record).error());
          return Visit::kStop;
        }
        all.push_back(*std::move(record));
        return Visit::kContinue;
      }));
  POSTHUS_TRY_VOID(read);
  return all;
}

Result<std::vector<PasskeyRecord>> IdentityReader::passkeys(AccountId account) const {
  std::vector<PasskeyRecord> all;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(scan_long_values(snapshot_, Table::kPasskeys, prefix, end_of_prefix(prefix),
                                    [&all](std::string_view, std::string_view value) -> Result<Visit> {
                                      all.push_back(POSTHUS_TRY(decode_passkey(value)));
                                      return Visit::kContinue;
                                    }));
  return all;
}

Result<std::optional<PasskeyRecord>> IdentityReader::passkey(AccountId account, std::string_view id) const {
  std::string buffer;
  const auto bytes = get_long_value(snapshot_, Table::kPasskeys, passkey_key(account, id), buffer);
  if (!bytes && bytes.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  return POSTHUS_TRY(decode_passkey(*bytes));
}

Result<std::vector<std::string>> IdentityReader::administered(AccountId account) const {
  std::vector<std::string> domains;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(
      snapshot_.scan(Table::kAdministered, prefix, end_of_prefix(prefix), [&](std::string_view, std::string_view value) {
        domains.emplace_back(value);
        return Visit::kContinue;
      }));
  return domains;
}

// WHY a whole scan: asked for when a limit is met, and there are few domain admins.
Result<std::vector<AccountId>> IdentityReader::admins_of(std::string_view domain) const {
  std::vector<AccountId> accounts;
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kAdministered, {}, {}, [&](std::string_view key, std::string_view value) {
    if (value == domain) accounts.push_back(AccountId(ByteReader(key).u32()));
    return Visit::kContinue;
  }));
  return accounts;
}

Result<> IdentityReader::audits(std::uint64_t before,
                                FunctionRef<Visit(std::uint64_t number, std::string_view json)> visit) const {
  std::string end = before == 0 ? std::string() : audit_key(before), buffer;
  while (true) {
    std::optional<std::uint64_t> number;
    bool is_there = false;
    POSTHUS_TRY_VOID(snapshot_.scan_backward(Table::kAudit, {}, end, [&](std::string_view key, std::string_view) {
      number = number_of_audit_key(key);
      is_there = true;
      return Visit::kStop;
    }));
    if (!is_there) return {};
    if (!number) return fail(ErrorKind::kCorrupt, "audit log");
    end = audit_key(*number);
    if (visit(*number, POSTHUS_TRY(get_long_value(snapshot_, Table::kAudit, end, buffer))) == Visit::kStop) return {};
  }
}

}  // namespace posthus::store
