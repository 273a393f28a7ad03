// Segments put aside: files segments/<number>.seg that the index did not name when the store was opened. They are of a
// group that never committed, or reclaimed just before a crash, or newer than an index restored from a backup. Because of
// the last they are kept for kOrphanDays, in segments/orphaned/<number>.seg.<four hex digits of the store><Unix seconds>.
// Thread rule: any one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::store {

/// Long enough to notice that an old index was restored.
inline constexpr std::int64_t kOrphanDays = 30;

std::string orphaned_directory(const std::string& segments_directory);
std::string orphan_name(std::uint32_t segment, std::string_view store_uuid, Timestamp when);
/// When the file was put aside; nothing when the name is not one of ours.
std::optional<Timestamp> orphaned_at(std::string_view name);
/// Removes what was put aside before `before`, and says so in the log. Errors: kIo.
Result<> remove_orphans(const std::string& segments_directory, Timestamp before);

}  // namespace posthus::store
