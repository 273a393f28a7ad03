// QueueId to text and back. Thirteen digits of five bits hold 64 bits, the first one only 0 to 15.
#include "core/base/queue_id.h"

#include <atomic>

#include "core/base/ascii.h"

namespace posthus {
namespace {

constexpr std::string_view kIdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kLength = 13;

}  // namespace

QueueId next_queue_id(Timestamp now) {
  static std::atomic<std::uint64_t> counter{0};
  return QueueId(static_cast<std::uint64_t>(now.microseconds) << 12 | (counter.fetch_add(1, std::memory_order_relaxed) & 0xFFF));
}

std::string to_text(QueueId id) {
  std::string text(kLength, '0');
  std::uint64_t left = id.value;
  for (std::size_t i = text.size(); i-- > 0; left >>= 5) text[i] = kIdAlphabet[left & 31];
  return text;
}

std::optional<QueueId> parse_queue_id(std::string_view text) {
  if (text.size() != kLength) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const std::size_t digit = kIdAlphabet.find(ascii::to_lower(c));
    if (digit == std::string_view::npos || value >> 59 != 0) return std::nullopt;
    value = value << 5 | digit;
  }
  if (value == 0) return std::nullopt;
  return QueueId(value);
}

}  // namespace posthus
