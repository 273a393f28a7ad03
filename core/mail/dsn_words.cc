// Cleaning of foreign words for delivery reports (RFC 3464 §2.1.1: one line, printable; RFC 6533 §3: addresses).
// WHY: what another server answered is the one part of a report that a stranger writes; it must not write header lines, nor
// show a person something other than it says.
#include "core/mail/dsn_words.h"

#include <unistr.h>

#include "core/base/ascii.h"
#include "core/mail/encoded_word.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kWrapAt = 72;
constexpr std::size_t kMaxWord = 900;  // a longer word is cut in two: no line of ours is longer than 998

/// One character of valid UTF-8 from the front of `text`.
ucs4_t take_character(std::string_view& text) {
  ucs4_t character = 0;
  const int length = u8_mbtouc(&character, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  text.remove_prefix(static_cast<std::size_t>(length));
  return character;
}

bool is_invisible(ucs4_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

std::size_t characters_in(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

std::string clean_words(std::string_view text) {
  const std::string valid = to_utf8(text.substr(0, 4 * kMaxWords), "utf-8");
  std::string_view rest = valid;
  std::string out;
  bool is_space_due = false;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const ucs4_t character = take_character(rest);
    const std::string_view bytes = before.substr(0, before.size() - rest.size());
    if (character == ' ' || is_invisible(character)) {
      is_space_due = !out.empty();
      continue;
    }
    if (out.size() + bytes.size() + 1 > kMaxWords) break;
    if (is_space_due) out.push_back(' ');
    is_space_due = false;
    out += bytes;
  }
  return out;
}

std::string clean_ascii_words(std::string_view text) {
  const std::string words = clean_words(text);
  std::string out;
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out.push_back(c);
    if (byte >= 0xC0) out.push_back('?');
  }
  return out;
}

std::string clean_host(std::string_view text) {
  std::string out(text.substr(0, kMaxHost));
  for (char& c : out) {
    const bool is_allowed = ascii::is_alpha(c) || ascii::is_digit(c) || std::string_view("-._:[]").contains(c);
    if (!is_allowed) c = '?';
  }
  return out;
}

// utf-8-addr-xtext = 1*(QCHAR / EmbeddedUnicodeChar)
std::string utf8_address_in_ascii(std::string_view address) {
  std::string out;
  while (!address.empty()) {
    const ucs4_t character = take_character(address);
    const bool is_quoted_char = character > ' ' && character < 0x7F && character != '\\' && character != '+' && character != '=';
    if (is_quoted_char) {
      out.push_back(static_cast<char>(character));
      continue;
    }
    std::string digits;
    for (ucs4_t rest = character; rest != 0 || digits.size() < 2; rest >>= 4) digits.insert(0, 1, "0123456789ABCDEF"[rest & 15]);
    out.append("\\x{").append(digits).append("}");
  }
  return out;
}

void append_wrapped(std::string& out, std::string_view text, std::string_view indent) {
  std::size_t column = 0;  // characters on the line; 0: none was begun
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    if (word.size() > kMaxWord) word = word.substr(0, kMaxWord);
    text.remove_prefix(std::min(text.size(), word.size() == end ? end + 1 : word.size()));
    if (word.empty()) continue;
    const std::size_t width = characters_in(word);
    if (column > 0 && column + 1 + width > kWrapAt) {
      out += "\r\n";
      column = 0;
    }
    if (column > 0) {
      out.push_back(' ');
      ++column;
    } else {
      out += indent;
      column = indent.size();
    }
    out += word;
    column += width;
  }
  if (column > 0) out += "\r\n";
}

}  // namespace posthus::mail
