// MemorySegments: see the header.
#include "store/memory_segments.h"

#include <utility>

namespace posthus::store {
namespace {
constexpr std::uint32_t kOnlySegment = 1;
}

void MemorySegments::begin_group() {
  placed_.clear();
  cursor_ = end_;
}

BlobPlacement MemorySegments::place(SegmentEntry entry) {
  const BlobPlacement placement{entry.blob, kOnlySegment, cursor_, entry.length};
  cursor_ += entry.length + 1;  // every text gets an offset of its own, even an empty one
  placed_.push_back({placement.offset, std::move(entry)});
  return placement;
}

void MemorySegments::unplace() {
  cursor_ = placed_.back().offset;
  placed_.pop_back();
}

// Before the commit, so that whoever sees the index row finds the text.
Result<> MemorySegments::write_group() {
  const std::lock_guard lock(mutex_);
  for (const Placed& placed : placed_) texts_[placed.offset] = std::make_shared<const std::string>(placed.entry.text);
  return {};
}

std::vector<SegmentChange> MemorySegments::changes() const {
  if (placed_.empty()) return {};
  SegmentChange change{.segment = kOnlySegment, .written = cursor_, .added_live = 0, .is_sealed = false};
  for (const Placed& placed : placed_) change.added_live += placed.entry.length;
  return {change};
}

void MemorySegments::end_group(GroupEnd end) {
  if (end == GroupEnd::kCommitted) {
    end_ = cursor_;
  } else {
    const std::lock_guard lock(mutex_);
    for (const Placed& placed : placed_) texts_.erase(placed.offset);
  }
  placed_.clear();
  cursor_ = end_;
}

Result<> MemorySegments::read(std::uint32_t segment, std::uint64_t offset, std::uint64_t length, std::string& out) {
  std::shared_ptr<const std::string> text;
  std::uint64_t begin = 0;
  {
    const std::lock_guard lock(mutex_);
    auto after = texts_.upper_bound(offset);
    if (segment != kOnlySegment || after == texts_.begin()) return fail(ErrorKind::kNotFound, "segment text");
    --after;
    begin = after->first;
    text = after->second;
  }
  if (offset - begin > text->size() || length > text->size() - (offset - begin))
    return fail(ErrorKind::kCorrupt, "text is shorter");
  out.append(*text, offset - begin, length);
  return {};
}

}  // namespace posthus::store
