// UidMap: the sequence numbers of a selected mailbox, kept as runs of consecutive uids: 100 000 messages with few gaps
// cost a few hundred bytes. Look-ups are O(log runs), removals linear in the runs. Thread rule: none, a value.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "store/records.h"

namespace posthus::imap {

class UidMap {
 public:
  UidMap() = default;
  explicit UidMap(const store::UidSet& uids) { append(uids); }

  std::uint32_t size() const { return runs_.empty() ? 0 : runs_.back().sequence + (runs_.back().last - runs_.back().first); }
  /// The greatest uid; 0 when empty.
  Uid largest() const { return Uid{runs_.empty() ? 0 : runs_.back().last}; }
  std::optional<std::uint32_t> sequence_of(Uid uid) const;
  /// Sequence numbers to uids; numbers that do not exist are passed over. REQUIRES: ascending, disjoint.
  store::UidSet uids_of(const store::UidSet& sequence_numbers) const;
  store::UidSet uids() const;
  /// REQUIRES: ascending, all greater than largest().
  void append(const store::UidSet& uids);
  /// REQUIRES: ascending, disjoint.
  void remove(const store::UidSet& uids);
  /// Bytes held, for the memory budget of idle sessions.
  std::size_t bytes() const { return runs_.capacity() * sizeof(Run); }

 private:
  struct Run {
    std::uint32_t first, last;  // uids, inclusive
    std::uint32_t sequence;     // of first
  };
  void push(std::uint32_t first, std::uint32_t last);
  std::vector<Run> runs_;
};

/// a without b. Both ascending and disjoint. Linear.
store::UidSet difference(const store::UidSet& a, const store::UidSet& b);

}  // namespace posthus::imap
