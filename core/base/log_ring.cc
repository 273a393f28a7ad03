// The last lines of the log. See log_ring.h. A half is records behind each other: length (4 bytes), level (1), the line.
#include "core/base/log_ring.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

namespace posthus::log {
namespace {

constexpr std::size_t kRecordHead = 5;

struct Half {
  std::string bytes;
  std::uint64_t first = 1;  // number of its first line
};

struct Ring {
  std::mutex mutex;
  Half older, newer;
  std::uint64_t last = 0;
};

std::atomic<bool> are_kept{false};

Ring& ring() {
  // WHY: never destroyed, because other threads may log while the process ends.
  static Ring* const instance = new Ring;
  return *instance;
}

/// Visits the lines of a half; false: enough.
bool visit_half(const Half& half, std::uint64_t after, FunctionRef<bool(std::uint64_t, Level, std::string_view)> visit) {
  std::uint64_t number = half.first;
  for (std::string_view left = half.bytes; left.size() >= kRecordHead; ++number) {
    std::uint32_t length = 0;
    std::memcpy(&length, left.data(), sizeof length);
    const auto level = static_cast<Level>(left[4]);
    const std::string_view line = left.substr(kRecordHead, length);
    left.remove_prefix(std::min(left.size(), kRecordHead + length));
    if (number > after && !visit(number, level, line)) return false;
  }
  return true;
}

}  // namespace

void keep_lines() { are_kept = true; }
bool are_lines_kept() { return are_kept.load(std::memory_order_relaxed); }

void keep_line(Level level, std::string_view json) {
  Ring& all = ring();
  const auto length = static_cast<std::uint32_t>(json.size());
  const std::lock_guard lock(all.mutex);
  if (!all.newer.bytes.empty() && all.newer.bytes.size() + kRecordHead + length > kHalf) {
    std::swap(all.older, all.newer);
    all.newer.bytes.clear();  // its memory is used again
    all.newer.first = all.last + 1;
  }
  all.newer.bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  all.newer.bytes.push_back(static_cast<char>(level));
  all.newer.bytes.append(json);
  ++all.last;
}

std::uint64_t kept_lines(std::uint64_t after, FunctionRef<bool(std::uint64_t number, Level level, std::string_view json)> visit) {
  Half older, newer;
  std::uint64_t last = 0;
  {
    Ring& all = ring();
    const std::lock_guard lock(all.mutex);
    last = all.last;
    if (after >= last) return last;  // the usual case of who follows
    if (after + 1 < all.newer.first) older = all.older;
    newer = all.newer;
  }
  if (visit_half(older, after, visit)) visit_half(newer, after, visit);
  return last;
}

}  // namespace posthus::log
