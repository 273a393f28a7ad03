// Small operations on UidSet (store/records.h): ascending, disjoint, not adjacent ranges. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "store/records.h"

namespace posthus::store {

/// Adds a uid that is greater than every uid of `set`.
inline void append_uid(UidSet& set, Uid uid) {
  if (!set.empty() && set.back().last.value + 1 == uid.value) {
    set.back().last = uid;
    return;
  }
  set.push_back({uid, uid});
}

/// Adds a range that begins after every uid of `set`.
inline void append_range(UidSet& set, UidRange range) {
  if (!set.empty() && set.back().last.value + 1 == range.first.value) {
    set.back().last = range.last;
    return;
  }
  set.push_back(range);
}

/// Puts ranges that may overlap or come in any order into the form UidSet promises; empty ranges vanish.
inline void normalise(UidSet& set) {
  std::erase_if(set, [](const UidRange& r) { return r.first > r.last; });
  std::sort(set.begin(), set.end(), [](const UidRange& a, const UidRange& b) { return a.first < b.first; });
  UidSet merged;
  for (const UidRange& range : set) {
    if (merged.empty() || std::uint64_t{merged.back().last.value} + 1 < range.first.value) {
      merged.push_back(range);
    } else {
      merged.back().last = std::max(merged.back().last, range.last);
    }
  }
  set = std::move(merged);
}

inline bool contains(const UidSet& set, Uid uid) {
  const auto after = std::upper_bound(set.begin(), set.end(), uid, [](Uid u, const UidRange& r) { return u < r.first; });
  return after != set.begin() && uid <= std::prev(after)->last;
}

inline std::uint64_t count_uids(const UidSet& set) {
  std::uint64_t count = 0;
  for (const UidRange& range : set) count += std::uint64_t{range.last.value} - range.first.value + 1;
  return count;
}

}  // namespace posthus::store
