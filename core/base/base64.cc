// Base64 (RFC 4648 §4) and the URL and file name safe alphabet (§5), table-driven. Any thread.
#include "core/base/base64.h"

#include <array>
#include <cstdint>

namespace posthus {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNotInAlphabet = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotInAlphabet);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

enum class Padding : std::uint8_t { kNone, kFull };

std::string encode(std::string_view bytes, std::string_view alphabet, Padding padding) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  const auto byte_at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byte_at(i) << 16 | byte_at(i + 1) << 8 | byte_at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(alphabet[(group >> shift) & 63]);
  }
  const std::size_t left = bytes.size() - i;
  if (left == 0) return out;
  const std::uint32_t group = byte_at(i) << 16 | (left == 2 ? byte_at(i + 1) << 8 : 0);
  out.push_back(alphabet[group >> 18]);
  out.push_back(alphabet[(group >> 12) & 63]);
  if (left == 2) out.push_back(alphabet[(group >> 6) & 63]);
  if (padding == Padding::kFull) out.append(3 - left, '=');
  return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) { return encode(bytes, kAlphabet, Padding::kFull); }
std::string base64url_encode(std::string_view bytes) { return encode(bytes, kUrlAlphabet, Padding::kNone); }

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<std::uint8_t>(c)];
    if (value == kNotInAlphabet) return std::nullopt;
    group = group << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<char>(group >> bits));
    group &= (1U << bits) - 1;
  }
  // RFC 4648 §3.5: bits after the last byte must be zero, or two texts would mean the same bytes.
  if (group != 0) return std::nullopt;
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1 || text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string usual(text);
  for (char& c : usual) c = c == '-' ? '+' : c == '_' ? '/' : c;
  usual.append((4 - usual.size() % 4) % 4, '=');
  return base64_decode(usual);
}

}  // namespace posthus
