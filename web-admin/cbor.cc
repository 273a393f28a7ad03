// Reading CBOR. RFC 8949 §3.
#include "web-admin/cbor.h"

#include "core/base/bytes.h"

namespace posthus::web_admin {
namespace {

enum MajorType : std::uint8_t {
  kMajorUnsigned,
  kMajorNegative,
  kMajorBytes,
  kMajorText,
  kMajorArray,
  kMajorMap,
  kMajorTag,
  kMajorSimple
};

}  // namespace

// initial byte = major type (3 bits), additional information (5 bits) [argument of 1, 2, 4 or 8 bytes]
std::optional<CborReader::Head> CborReader::head() {
  constexpr std::uint8_t kFirstLong = 24, kLastLong = 27;
  if (bytes_.empty()) return std::nullopt;
  const auto initial = static_cast<std::uint8_t>(bytes_.front());
  const std::uint8_t info = initial & 0x1F;
  Head head{.major = static_cast<std::uint8_t>(initial >> 5), .argument = info};
  if (info > kLastLong) return std::nullopt;  // indefinite lengths, and what is reserved
  ByteReader reader(bytes_.substr(1));
  if (info >= kFirstLong) head.argument = reader.big_endian(1 << (info - kFirstLong));
  if (!reader.ok()) return std::nullopt;
  bytes_ = reader.rest();
  return head;
}

std::optional<std::int64_t> CborReader::integer() {
  const auto item = head();
  if (!item || item->major > kMajorNegative || item->argument > INT64_MAX) return std::nullopt;
  const auto value = static_cast<std::int64_t>(item->argument);
  return item->major == kMajorNegative ? -1 - value : value;
}

std::optional<std::string_view> CborReader::string_of(std::uint8_t major) {
  const auto item = head();
  if (!item || item->major != major || item->argument > bytes_.size()) return std::nullopt;
  const std::string_view text = bytes_.substr(0, item->argument);
  bytes_.remove_prefix(text.size());
  return text;
}

std::optional<std::string_view> CborReader::byte_string() { return string_of(kMajorBytes); }
std::optional<std::string_view> CborReader::text_string() { return string_of(kMajorText); }

std::optional<std::uint64_t> CborReader::map() {
  const auto item = head();
  if (!item || item->major != kMajorMap) return std::nullopt;
  return item->argument;
}

bool CborReader::skip() {
  // WHY a count and no stack: with definite lengths it is known how many items are to come. Each has a byte at least, so that a
  // number above what is left is a lie, and the loop is linear.
  std::uint64_t left = 1;
  while (left > 0) {
    const auto item = head();
    if (!item) return false;
    --left;
    const bool is_string = item->major == kMajorBytes || item->major == kMajorText;
    const bool is_list = item->major == kMajorArray || item->major == kMajorMap;
    if ((is_string || is_list) && item->argument > bytes_.size()) return false;
    if (is_string) bytes_.remove_prefix(item->argument);
    if (is_list) left += item->major == kMajorMap ? 2 * item->argument : item->argument;
    if (item->major == kMajorTag) ++left;
    if (left > bytes_.size()) return false;
  }
  return true;
}

}  // namespace posthus::web_admin
