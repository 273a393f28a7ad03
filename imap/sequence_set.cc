// sequence-set and uid set arithmetic. See sequence_set.h.
#include "imap/sequence_set.h"

#include <algorithm>

#include "imap/limits.h"

namespace posthus::imap {
namespace {

// seq-number = nz-number / "*"
Result<std::uint32_t> seq_number(Scanner& scanner) {
  if (scanner.take('*')) return SequenceSet::kLargest;
  return scanner.nz_number();
}

}  // namespace

// sequence-set = (seq-number / seq-range) ["," sequence-set] ; sequence-set =/ seq-last-command ; seq-last-command = "$"
Result<SequenceSet> sequence_set(Scanner& scanner) {
  SequenceSet set;
  if (scanner.take('$')) {
    set.is_saved_result = true;
    return set;
  }
  do {
    if (set.ranges.size() == kMaxSetItems) return syntax_error("Too many items in the message set");
    const std::uint32_t first = POSTHUS_TRY(seq_number(scanner));
    const std::uint32_t last = scanner.take(':') ? POSTHUS_TRY(seq_number(scanner)) : first;
    set.ranges.push_back({first, last});
  } while (scanner.take(','));
  return set;
}

store::UidSet normalise(const SequenceSet& set, std::uint32_t largest) {
  const auto number = [largest](std::uint32_t n) { return n == SequenceSet::kLargest ? largest : n; };
  store::UidSet ranges;
  ranges.reserve(set.ranges.size());
  for (const auto& range : set.ranges) {
    const auto [low, high] = std::minmax({number(range.first), number(range.last)});  // braces: by value, not references
    if (high != 0) ranges.push_back({Uid{std::max(low, 1u)}, Uid{high}});
  }
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  store::UidSet merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first.value <= std::uint64_t{merged.back().last.value} + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::uint32_t greatest(const SequenceSet& set, std::uint32_t largest) {
  std::uint32_t found = 0;
  for (const auto& range : set.ranges) {
    for (const std::uint32_t n : {range.first, range.last}) found = std::max(found, n == SequenceSet::kLargest ? largest : n);
  }
  return found;
}

store::UidSet intersection(const store::UidSet& a, const store::UidSet& b) {
  store::UidSet common;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    const Uid first = std::max(left->first, right->first);
    const Uid last = std::min(left->last, right->last);
    if (first <= last) common.push_back({first, last});
    (left->last < right->last) ? ++left : ++right;
  }
  return common;
}

bool contains(const store::UidSet& set, Uid uid) {
  const auto range = std::lower_bound(set.begin(), set.end(), uid, [](const auto& r, Uid u) { return r.last < u; });
  return range != set.end() && range->first <= uid;
}

void append_uid(store::UidSet& set, Uid uid) {
  if (!set.empty() && set.back().last.value + 1 == uid.value) {
    set.back().last = uid;
  } else {
    set.push_back({uid, uid});
  }
}

std::uint64_t count(const store::UidSet& set) {
  std::uint64_t total = 0;
  for (const auto& range : set) total += std::uint64_t{range.last.value} - range.first.value + 1;
  return total;
}

}  // namespace posthus::imap
