// Segments: where message texts lie. The Writer places the texts of a group, writes them durably with few large writes
// and one sync per file, and only then commits the index rows that make them live.
// Engines: files (the default), memory (tests).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "store/apply.h"

namespace posthus::store {

/// A spooled text up to this size is copied into the current segment; a longer one becomes a segment by rename.
inline constexpr std::uint64_t kMaxCopiedText = 1024 * 1024;

/// One text to be stored. The views must live until write_group() has returned.
struct SegmentEntry {
  BlobId blob;
  Timestamp internal_date;
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;
  std::string_view text;   // when it is in memory
  std::string spool_path;  // when it is in a file (text at kFirstTextOffset); else empty
  std::string origin;      // encode_origin()
};

/// A change to a row of kSegments that goes with the group.
struct SegmentChange {
  std::uint32_t segment = 0;
  std::uint64_t written = 0;     // new value
  std::uint64_t added_live = 0;  // text bytes added
  bool is_sealed = false;
};

enum class GroupEnd : bool { kRefused, kCommitted };

/// Thread rule: read() from any thread, everything else from the Writer's thread.
class Segments {
 public:
  virtual ~Segments() = default;

  /// Forgets what the group before it placed and did not write: a group that is run again begins with this.
  virtual void begin_group() = 0;
  /// Gives the text its place; nothing is written yet.
  virtual BlobPlacement place(SegmentEntry entry) = 0;
  /// Takes back the last place() (its request was refused).
  virtual void unplace() = 0;
  /// Writes and syncs what was placed. Errors: kUnavailable (no room, or a write failed: nothing is damaged, the group is
  /// refused), kIo (a sync failed: what is on disk is unknown, the process must stop).
  virtual Result<> write_group() = 0;
  /// What the index must say about the segments of this group.
  virtual std::vector<SegmentChange> changes() const = 0;
  /// Tells whether the index rows were committed. When not, the room is used again.
  virtual void end_group(GroupEnd end) = 0;

  /// Appends bytes to `out`. Errors: kNotFound (no such segment), kCorrupt (the segment is shorter), kIo.
  virtual Result<> read(std::uint32_t segment, std::uint64_t offset, std::uint64_t length, std::string& out) = 0;
};

}  // namespace posthus::store
