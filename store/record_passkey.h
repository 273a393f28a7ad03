// Encoding and keys of passkeys. A record begins with a version byte; decoding arbitrary bytes gives a record or kCorrupt.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/passkey_records.h"

namespace posthus::store {

std::string encode_passkey(const PasskeyRecord& record);
Result<PasskeyRecord> decode_passkey(std::string_view bytes);

/// The public name of a credential: 16 hex digits.
std::string passkey_id(std::string_view credential_id);
/// Base of the long value in kPasskeys; begins with the account_key. `id`: as passkey_id() gives it; else no key.
std::string passkey_key(AccountId account, std::string_view id);

}  // namespace posthus::store
