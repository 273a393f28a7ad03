// Encoding and keys of login blocks, and reading them all. See login_block_records.h. Thread rule: as the snapshot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/login_block_records.h"

namespace posthus::store {

bool is_login_block(const LoginBlockRecord& record);
/// REQUIRES: is_login_block.
std::string encode_login_block(const LoginBlockRecord& record);
Result<LoginBlockRecord> decode_login_block(std::string_view bytes);
std::string login_block_key(std::uint16_t place);
/// Is that the key of a place below kMaxLoginBlocks?
bool is_login_block_key(std::string_view key);

/// In the order they were put; what cannot be read is passed over (check tells of it).
Result<std::vector<LoginBlockRecord>> read_login_blocks(const Snapshot& snapshot);

}  // namespace posthus::store
