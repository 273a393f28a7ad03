// Encodings and keys of second factors, app passwords, administered domains and the audit log. Each record begins with a version
// byte; decoding arbitrary bytes gives a record or kCorrupt. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/identity_records.h"

namespace posthus::store {

std::string encode_second_factor(const SecondFactorRecord& record);
Result<SecondFactorRecord> decode_second_factor(std::string_view bytes);

std::string encode_app_password(const AppPasswordRecord& record);
Result<AppPasswordRecord> decode_app_password(std::string_view bytes);

std::string app_password_key(AccountId account, std::string_view id);      // kAppPasswords; begins with the account_key
std::string administered_key(AccountId account, std::string_view domain);  // kAdministered; begins with the account_key
std::string audit_key(std::uint64_t number);                               // base of the long value in kAudit
std::optional<std::uint64_t> number_of_audit_key(std::string_view row_key);

namespace meta {
inline constexpr std::string_view kLastAudit = "last-audit";
}

}  // namespace posthus::store
