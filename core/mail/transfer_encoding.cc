// Quoted-printable (RFC 2045 §6.7), encoded-words (RFC 2047 §2, §4.2), and what may go without (RFC 2045 §2.7).
#include "core/mail/transfer_encoding.h"

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxEncodedLine = 76;  // RFC 2045 §6.7 (5), and of a header line with encoded-words (RFC 2047 §2)
constexpr std::size_t kMaxEncodedWord = 75;  // RFC 2047 §2
constexpr std::size_t kMaxTextLine = 998;    // RFC 5322 §2.1.1
constexpr std::string_view kWordBegin = "=?UTF-8?Q?", kWordEnd = "?=";

void append_hex(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += {'=', kDigits[byte >> 4], kDigits[byte & 15]};
}

/// Bytes of the character `text` begins with. REQUIRES: valid UTF-8, not empty.
std::size_t character_length(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) ++length;
  return length;
}

// RFC 2047 §4.2 (3), with the characters §5 (3) leaves for a phrase.
bool stands_for_itself(char c) {
  return ascii::is_alpha(c) || ascii::is_digit(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

enum class Bits : bool { k7, k8 };

bool is_identity(std::string_view text, Bits bits) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') return false;
      ++i;
      line = 0;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const bool is_control = (byte < ' ' && c != '\t') || byte == 0x7F;
    if (is_control || (byte >= 0x80 && bits == Bits::k7) || ++line > kMaxTextLine) return false;
  }
  return true;
}

}  // namespace

std::string encode_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t line = 0;  // characters on the current line
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i, 2) == "\r\n") {
      out += "\r\n";
      line = 0;
      ++i;
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    const bool ends_line = rest.empty() || rest.starts_with("\r\n");
    const bool is_literal = (c > ' ' && c <= '~' && c != '=') || (ascii::is_space_or_tab(c) && !ends_line);
    const std::size_t width = is_literal ? 1 : 3;
    if (line + width + (ends_line ? 0 : 1) > kMaxEncodedLine) {
      out += "=\r\n";
      line = 0;
    }
    line += width;
    if (is_literal) {
      out.push_back(c);
    } else {
      append_hex(out, c);
    }
  }
  return out;
}

// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
std::string encode_header_text(std::string_view text, std::size_t used) {
  bool is_plain = text.size() + used <= kMaxEncodedLine && !text.contains("=?") && !text.starts_with(' ') && !text.ends_with(' ');
  for (const char c : text) is_plain = is_plain && c >= ' ' && c <= '~';
  if (is_plain) return std::string(text);
  std::string out, word(kWordBegin);
  std::size_t room = used < 40 ? kMaxEncodedWord - used : 0;
  if (room == 0) {
    out = "\r\n ";
    room = kMaxEncodedWord;
  }
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_length(text));
    text.remove_prefix(character.size());
    std::string encoded;
    for (const char c : character) {
      if (c == ' ') {
        encoded.push_back('_');
      } else if (stands_for_itself(c)) {
        encoded.push_back(c);
      } else {
        append_hex(encoded, c);
      }
    }
    if (word.size() + encoded.size() + kWordEnd.size() > room) {
      out.append(word).append(kWordEnd).append("\r\n ");
      word = kWordBegin;
      room = kMaxEncodedWord;
    }
    word += encoded;
  }
  return out.append(word).append(kWordEnd);
}

bool is_7bit(std::string_view text) { return is_identity(text, Bits::k7); }
bool is_8bit(std::string_view text) { return is_identity(text, Bits::k8); }

}  // namespace posthus::mail
