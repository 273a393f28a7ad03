// UidMap. See uid_map.h.
#include "imap/uid_map.h"

#include <algorithm>

namespace posthus::imap {

void UidMap::push(std::uint32_t first, std::uint32_t last) {
  if (!runs_.empty() && runs_.back().last + 1 == first) {
    runs_.back().last = last;
  } else {
    runs_.push_back({first, last, size() + 1});
  }
}

std::optional<std::uint32_t> UidMap::sequence_of(Uid uid) const {
  const auto run =
      std::lower_bound(runs_.begin(), runs_.end(), uid.value, [](const Run& r, std::uint32_t u) { return r.last < u; });
  if (run == runs_.end() || run->first > uid.value) return std::nullopt;
  return run->sequence + (uid.value - run->first);
}

store::UidSet UidMap::uids_of(const store::UidSet& sequence_numbers) const {
  store::UidSet uids;
  auto run = runs_.begin();
  for (const auto& range : sequence_numbers) {
    std::uint32_t from = range.first.value;
    run = std::upper_bound(run, runs_.end(), from, [](std::uint32_t n, const Run& r) { return n < r.sequence; });
    if (run != runs_.begin()) --run;
    for (; run != runs_.end() && run->sequence <= range.last.value; ++run) {
      const std::uint32_t last_number = run->sequence + (run->last - run->first);
      if (last_number < from) continue;
      const std::uint32_t to = std::min(last_number, range.last.value);
      uids.push_back({Uid{run->first + (std::max(from, run->sequence) - run->sequence)}, Uid{run->first + (to - run->sequence)}});
      if (to == range.last.value) break;  // the next range may begin in this run
      from = to + 1;
    }
  }
  return uids;
}

store::UidSet UidMap::uids() const {
  store::UidSet uids;
  uids.reserve(runs_.size());
  for (const auto& run : runs_) uids.push_back({Uid{run.first}, Uid{run.last}});
  return uids;
}

void UidMap::append(const store::UidSet& uids) {
  if (runs_.empty()) runs_.reserve(uids.size());
  for (const auto& range : uids) push(range.first.value, range.last.value);
}

void UidMap::remove(const store::UidSet& removed) {
  if (removed.empty()) return;
  const auto left = difference(uids(), removed);
  std::vector<Run>().swap(runs_);
  append(left);
}

store::UidSet difference(const store::UidSet& a, const store::UidSet& b) {
  store::UidSet left;
  auto gap = b.begin();
  for (const auto& range : a) {
    std::uint64_t from = range.first.value;
    while (gap != b.end() && gap->last < range.first) ++gap;
    auto cut = gap;
    for (; cut != b.end() && cut->first <= range.last; ++cut) {
      if (cut->first.value > from) left.push_back({Uid{static_cast<std::uint32_t>(from)}, Uid{cut->first.value - 1}});
      from = std::max<std::uint64_t>(from, std::uint64_t{cut->last.value} + 1);
      if (cut->last >= range.last) break;
    }
    if (from <= range.last.value) left.push_back({Uid{static_cast<std::uint32_t>(from)}, range.last});
    gap = cut;
  }
  return left;
}

}  // namespace posthus::imap
