// sequence-set (RFC 9051 §9): what a client names messages with, and set arithmetic on uid ranges.
// Thread rule: none, values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "imap/scanner.h"
#include "store/records.h"

namespace posthus::imap {

/// Numbers as the client wrote them. `last` may be below `first`; kLargest stands for "*".
struct SequenceSet {
  static constexpr std::uint32_t kLargest = 0;  // no message has the number 0
  struct Range {
    std::uint32_t first, last;
    friend bool operator==(const Range&, const Range&) = default;
  };
  std::vector<Range> ranges;
  bool is_saved_result = false;  // "$", RFC 9051 §6.4.4.1
  friend bool operator==(const SequenceSet&, const SequenceSet&) = default;
};

Result<SequenceSet> sequence_set(Scanner& scanner);

/// Ascending, disjoint, not adjacent ranges of plain numbers with "*" replaced by `largest`. REQUIRES: no "$".
store::UidSet normalise(const SequenceSet& set, std::uint32_t largest);
/// The greatest number named, where "*" counts as `largest`. 0 for an empty set.
std::uint32_t greatest(const SequenceSet& set, std::uint32_t largest);

/// Both ascending and disjoint. Linear.
store::UidSet intersection(const store::UidSet& a, const store::UidSet& b);
bool contains(const store::UidSet& set, Uid uid);
/// Adds a uid greater than all in the set.
void append_uid(store::UidSet& set, Uid uid);
std::uint64_t count(const store::UidSet& set);

}  // namespace posthus::imap
