// Checker's walk over second factors, app passwords, administered domains and the audit log: every record decodes, stands under
// its key and belongs to somebody.
#include "store/check.h"
#include "store/key.h"
#include "store/record_identity.h"
#include "store/record_passkey.h"
#include "store/rows.h"

namespace posthus::store {

void Checker::check_identity() {
  const auto has_account = [this](AccountId account) { return accounts_.contains(account.value); };
  scan(Table::kSecondFactors, "second factors", [&](std::string_view key, std::string_view value) {
    const auto record = decode_second_factor(value);
    if (!record) return find("a second factor", record.error().context);
    if (account_key(record->account) != key) return find("a second factor", "key");
    if (!has_account(record->account)) find("a second factor", "there is no such account");
  });
  scan(Table::kAppPasswords, "app passwords", [&](std::string_view key, std::string_view value) {
    const auto record = decode_app_password(value);
    if (!record) return find("an app password", record.error().context);
    if (app_password_key(record->account, record->id) != key) return find("an app password", "key");
    if (!has_account(record->account)) find("an app password", "there is no such account");
  });
  scan_long(Table::kPasskeys, "passkeys", [&](std::string_view base, std::string_view value) {
    const auto record = decode_passkey(value);
    if (!record) return find("a passkey", record.error().context);
    const bool is_its = passkey_key(record->account, record->id) == base && passkey_id(record->credential_id) == record->id;
    if (!is_its) return find("a passkey", "key");
    if (!has_account(record->account)) find("a passkey", "there is no such account");
  });
  scan(Table::kAdministered, "administered domains", [&](std::string_view key, std::string_view value) {
    const auto account = account_of_key(key.substr(0, 4));
    if (!account || administered_key(*account, value) != key) return find("an administered domain", "key");
    if (!has_account(*account)) return find("an administered domain", "there is no such account");
    if (const auto domain = get_domain(snapshot_, value); !domain || !*domain)
      find("an administered domain", "domain is missing");
  });
  scan_long(Table::kAudit, "audit log", [&](std::string_view base, std::string_view value) {
    const bool is_object = value.starts_with('{') && value.ends_with('}') && value.size() <= kMaxAuditEvent;
    if (base.size() != audit_key(0).size() || !is_object) find("an audit entry", is_object ? "key" : "not a JSON object");
  });
}

}  // namespace posthus::store
