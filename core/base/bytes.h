// Big-endian integers in byte strings: keys that sort as numbers, and records. All reads are bounds-checked.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthus {

/// Appends the low `width` bytes of `value`, most significant first. REQUIRES: width <= 8.
inline void append_big_endian(std::string& out, std::uint64_t value, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}
inline void append_u8(std::string& out, std::uint8_t v) { out.push_back(static_cast<char>(v)); }
inline void append_u16(std::string& out, std::uint16_t v) { append_big_endian(out, v, 2); }
inline void append_u32(std::string& out, std::uint32_t v) { append_big_endian(out, v, 4); }
inline void append_u64(std::string& out, std::uint64_t v) { append_big_endian(out, v, 8); }
/// A 32-bit length, then the bytes.
inline void append_text(std::string& out, std::string_view text) {
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

/// Reads what the append functions wrote. After the first read past the end ok() is false and every value is zero.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t big_endian(int width) {
    if (bytes_.size() < static_cast<std::size_t>(width)) return broken(), 0;
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i) value = (value << 8) | static_cast<std::uint8_t>(bytes_[static_cast<std::size_t>(i)]);
    bytes_.remove_prefix(static_cast<std::size_t>(width));
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  std::string_view take(std::size_t count) {
    if (bytes_.size() < count) return broken(), std::string_view{};
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view text() { return take(u32()); }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  void broken() {
    ok_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace posthus
