// The checkpoint: a state of the index that is on disk whole, and from which the journal goes on. File index/checkpoint:
//   "PSTHCKP1", store UUID (16), sequence u64, length u32, LMDB's meta pages, CRC-32C of all before
// LMDB writes a page only where nothing names one, and a pin keeps the checkpoint's pages named: so whatever a power loss
// made of the commits after it, the file with the checkpoint's meta pages put back is the index as it stood then.
// Integers are big-endian. Thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::store {

struct Checkpoint {
  std::string store_uuid;
  std::uint64_t sequence = 0;  // of the last group the index holds
  std::string meta_pages;
};

std::string encode_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> decode_checkpoint(std::string_view bytes);

/// Replaces the one there is, durably.
Result<> write_checkpoint(const std::string& index_directory, const Checkpoint& checkpoint);
/// Nothing when there is none. Errors: kCorrupt, kIo.
Result<std::optional<Checkpoint>> read_checkpoint(const std::string& index_directory);

}  // namespace posthus::store
