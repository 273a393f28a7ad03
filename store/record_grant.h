// Keys and encoding of grants (grant_records.h). Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "store/grant_records.h"

namespace posthus::store {

/// kGrants with the owner first, kDelegations with the delegate first.
std::string grant_key(AccountId first, AccountId second);
/// Both numbers; nothing when the key has another length.
std::optional<std::pair<AccountId, AccountId>> accounts_of_grant_key(std::string_view key);

std::string encode_grant(const GrantRecord& grant);
Result<GrantRecord> decode_grant(std::string_view bytes);

}  // namespace posthus::store
