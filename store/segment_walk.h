// Walks the records of a segment file from its first to its end, as they describe themselves. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/segment_format.h"

namespace posthus::store {

struct WalkedRecord {
  RecordHead head;
  std::uint64_t text_offset = 0;
};
using RecordVisitor = FunctionRef<Visit(const WalkedRecord&)>;

/// kStrict ends with kCorrupt at the first byte that is no record; kSearch goes on with the next head it can find (and
/// counts what it passed over). Stops at `end` or the end of the file, and at zeros.
enum class WalkRule : bool { kStrict, kSearch };
struct WalkOutcome {
  std::uint64_t damaged_places = 0;
};
Result<WalkOutcome> walk_segment(const std::string& path, const std::string& store_uuid, std::uint64_t end, WalkRule rule,
                                 RecordVisitor visit);

/// The segment header of a file; kCorrupt when it has none.
Result<SegmentHeader> read_segment_header(const std::string& path);
/// Reads `length` bytes at `offset`; kCorrupt when the file is shorter.
Result<std::string> read_range(const std::string& path, std::uint64_t offset, std::uint64_t length);

}  // namespace posthus::store
