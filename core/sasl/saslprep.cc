// SASLprep (RFC 4013): mapping, NFKC, prohibited output, directions; the tables are those of RFC 3454. Plain ASCII
// never reaches them. Normalisation and directions through libunistring, which knows a newer Unicode than 3.2.
#include "core/sasl/saslprep.h"

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

namespace posthus::sasl {
namespace {

struct Range {
  ucs4_t first, last;
};

// RFC 4013 §2.1: non-ASCII spaces (table C.1.2) become a space ...
constexpr Range kSpaces[] = {{0x00A0, 0x00A0}, {0x1680, 0x1680}, {0x2000, 0x200B},
                             {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
// ... and these (table B.1) become nothing.
constexpr Range kNothing[] = {{0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x1806, 0x1806}, {0x180B, 0x180D},
                              {0x200C, 0x200D}, {0x2060, 0x2060}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

// RFC 4013 §2.3: tables C.1.2, C.2.1, C.2.2 and C.3 to C.9, merged and in order. The last two code points of every plane
// (C.4) are tested apart.
constexpr Range kProhibited[] = {
    // clang-format off
    {0x0000, 0x001F},   {0x007F, 0x00A0},   {0x0340, 0x0341},   {0x06DD, 0x06DD},    {0x070F, 0x070F}, {0x1680, 0x1680},
    {0x180E, 0x180E},   {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x2063},    {0x206A, 0x206F}, {0x2FF0, 0x2FFB},
    {0x3000, 0x3000},   {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},    {0xFFF9, 0xFFFF}, {0x1D173, 0x1D17A},
    // clang-format on
    {0xE0001, 0xE0001},
    {0xE0020, 0xE007F},
    {0xF0000, 0xFFFFF},
    {0x100000, 0x10FFFF}};

bool is_in(std::span<const Range> ranges, ucs4_t c) {
  const auto range = std::ranges::lower_bound(ranges, c, {}, &Range::last);
  return range != ranges.end() && range->first <= c;
}

bool is_prohibited(ucs4_t c) { return is_in(kProhibited, c) || (c & 0xFFFE) == 0xFFFE; }

/// Code points that wipe themselves: they hold passwords.
struct CodePoints {
  CodePoints() = default;
  ~CodePoints() {
    volatile ucs4_t* p = text.data();
    for (std::size_t i = 0; i < text.size(); ++i) p[i] = 0;
  }
  CodePoints(const CodePoints&) = delete;
  CodePoints& operator=(const CodePoints&) = delete;
  std::vector<ucs4_t> text;
};

/// RFC 4013 §2.1. Nothing for invalid UTF-8.
bool map(std::string_view utf8, CodePoints& out) {
  out.text.reserve(utf8.size());
  const auto* at = reinterpret_cast<const std::uint8_t*>(utf8.data());
  for (std::size_t left = utf8.size(); left > 0;) {
    ucs4_t c = 0;
    const int length = u8_mbtoucr(&c, at, left);
    if (length <= 0) return false;
    at += length;
    left -= static_cast<std::size_t>(length);
    if (is_in(kSpaces, c)) c = ' ';
    if (!is_in(kNothing, c)) out.text.push_back(c);
  }
  return true;
}

/// RFC 4013 §2.2.
bool normalise(const CodePoints& mapped, CodePoints& out) {
  std::size_t length = 0;
  // One code point becomes at most 18 (U+FDFA).
  out.text.resize(mapped.text.size() * 18 + 1);
  length = out.text.size();
  ucs4_t* const made = u32_normalize(UNINORM_NFKC, mapped.text.data(), mapped.text.size(), out.text.data(), &length);
  if (made == nullptr) return false;
  if (made != out.text.data()) {
    std::copy_n(made, length, out.text.data());
    std::fill_n(static_cast<volatile ucs4_t*>(made), length, 0);
    std::free(made);
  }
  out.text.resize(length);
  return true;
}

bool is_right_to_left(ucs4_t c) {
  const int direction = uc_bidi_category(c);
  return direction == UC_BIDI_R || direction == UC_BIDI_AL;
}

/// RFC 3454 §6: right-to-left text holds nothing left-to-right, and begins and ends so.
bool has_one_direction(std::span<const ucs4_t> text) {
  if (std::ranges::none_of(text, is_right_to_left)) return true;
  return is_right_to_left(text.front()) && is_right_to_left(text.back()) &&
         std::ranges::none_of(text, [](ucs4_t c) { return uc_bidi_category(c) == UC_BIDI_L; });
}

std::optional<std::string> saslprep_unicode(std::string_view utf8) {
  CodePoints mapped, prepared;
  if (!map(utf8, mapped) || !normalise(mapped, prepared)) return std::nullopt;
  if (std::ranges::any_of(prepared.text, is_prohibited) || !has_one_direction(prepared.text)) return std::nullopt;
  std::string out;
  out.reserve(prepared.text.size() * 4);
  for (const ucs4_t c : prepared.text) {
    std::uint8_t bytes[6];
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(u8_uctomb(bytes, c, sizeof bytes)));
  }
  return out;
}

}  // namespace

std::optional<std::string> saslprep(std::string_view utf8) {
  if (utf8.size() > kMaxPreparedText) return std::nullopt;
  bool is_ascii = true;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;  // RFC 3454 table C.2.1
    if (byte >= 0x80) is_ascii = false;
  }
  if (is_ascii) return std::string(utf8);
  return saslprep_unicode(utf8);
}

std::string prepare_password(std::string_view password) {
  auto prepared = saslprep(password);
  return prepared ? *std::move(prepared) : std::string(password);
}

}  // namespace posthus::sasl
