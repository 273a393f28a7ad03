// Addresses that users make for themselves, where their domain lets them (DomainRecord::own_aliases): which names may be had, and
// which a user has. RFC 2142 (names of offices). Thread rule: that of the snapshot.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// ASCII letters, digits, and '.', '-' or '_' between them; at most 64. No plus-detail: "ben+shop" is Ben's already. No other
/// letters: they look like those of somebody else's name.
bool is_own_alias_spelling(std::string_view local_part);
/// The names of offices (RFC 2142), those that CAs write to, and those that programs write from: whoever has one speaks for the
/// domain. Any case.
bool is_reserved_local_part(std::string_view local_part);

/// What the user has made for himself, in order of address. Looks at all aliases of his domain.
Result<std::vector<AliasRecord>> own_aliases_of(const Snapshot& snapshot, const UserRecord& user);

}  // namespace posthus::store
