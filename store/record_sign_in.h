// Encoding and keys of sign-ins, and reading them all. See sign_in_records.h. Thread rule: as the snapshot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/sign_in_records.h"

namespace posthus::store {

/// Longer texts are cut.
std::string encode_sign_in(const SignInRecord& record);
Result<SignInRecord> decode_sign_in(std::string_view bytes);
std::string sign_in_key(const SignInRecord& record);

/// In no order; what cannot be read is passed over (check tells of it).
Result<std::vector<SignInRecord>> read_sign_ins(const Snapshot& snapshot);

}  // namespace posthus::store
