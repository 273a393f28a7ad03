// Lexical rules of RFC 9051 §9. See scanner.h.
#include "imap/scanner.h"

#include "core/base/ascii.h"

namespace posthus::imap {

bool Scanner::take(char c) {
  if (at_end() || text_[position_] != c) return false;
  ++position_;
  return true;
}

bool Scanner::take_prefix(std::string_view text) {
  if (text_.size() - position_ < text.size()) return false;
  if (!ascii::equal_ignoring_case(text_.substr(position_, text.size()), text)) return false;
  position_ += text.size();
  return true;
}

bool Scanner::take_word(std::string_view word) {
  const std::size_t before = position_;
  if (!take_prefix(word)) return false;
  if (at_end() || !is_atom_char(text_[position_])) return true;
  position_ = before;
  return false;
}

Result<> Scanner::expect(char c) {
  if (take(c)) return {};
  return c == ' ' ? syntax_error("Missing argument") : fail(ErrorKind::kInvalid, std::string("Expected '") + c + "'");
}

Result<> Scanner::end() {
  // QUIRK(various): spaces before the line end are passed over.
  while (take(' ')) {
  }
  if (at_end()) return {};
  return syntax_error("Unexpected text after the command's arguments");
}

std::string_view Scanner::take_while(bool (*accept)(char)) {
  const std::size_t begin = position_;
  while (position_ < text_.size() && accept(text_[position_])) ++position_;
  return text_.substr(begin, position_ - begin);
}

// tag = 1*<any ASTRING-CHAR except "+">
Result<std::string_view> Scanner::tag() {
  const auto found = take_while([](char c) { return is_astring_char(c) && c != '+'; });
  if (found.empty()) return syntax_error("Missing tag");
  return found;
}

// atom = 1*ATOM-CHAR
Result<std::string_view> Scanner::atom() {
  const auto found = take_while(is_atom_char);
  if (found.empty()) return syntax_error("Expected an atom");
  return found;
}

// astring = 1*ASTRING-CHAR / string
Result<std::string> Scanner::astring() {
  if (peek() == '"' || peek() == '{') return string();
  // QUIRK(various): rev1 clients send raw 8-bit text in atoms; the bytes are kept, whoever uses them checks.
  const auto found = take_while([](char c) { return is_astring_char(c) || static_cast<unsigned char>(c) >= 0x80; });
  if (found.empty()) return syntax_error("Expected a string");
  return std::string(found);
}

// string = quoted / literal
Result<std::string> Scanner::string() {
  if (peek() == '"') return quoted();
  if (peek() == '{') return literal();
  return syntax_error("Expected a string");
}

// list-mailbox = 1*list-char / string ; list-char = ATOM-CHAR / list-wildcards / resp-specials
Result<std::string> Scanner::list_mailbox() {
  if (peek() == '"' || peek() == '{') return string();
  const auto found =
      take_while([](char c) { return is_astring_char(c) || is_list_wildcard(c) || static_cast<unsigned char>(c) >= 0x80; });
  if (found.empty()) return syntax_error("Expected a mailbox pattern");
  return std::string(found);
}

// nstring = string / nil
Result<std::string> Scanner::nstring() {
  if (take_word("NIL")) return std::string();
  return string();
}

// quoted = DQUOTE *QUOTED-CHAR DQUOTE ; QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-…
Result<std::string> Scanner::quoted() {
  POSTHUS_TRY_VOID(expect('"'));
  std::string value;
  while (!at_end()) {
    char c = text_[position_++];
    if (c == '"') return value;
    if (c == '\\') {
      if (at_end()) break;
      // QUIRK(various): "\x" for any x stands for x; the grammar allows only \" and \\ .
      c = text_[position_++];
    }
    if (c == '\r' || c == '\n' || c == '\0') return syntax_error("Line end or NUL in a quoted string");
    value.push_back(c);
  }
  return syntax_error("Unterminated quoted string");
}

// literal = "{" number64 ["+"] "}" CRLF *CHAR8
Result<std::string> Scanner::literal() {
  POSTHUS_TRY_VOID(expect('{'));
  const std::uint64_t size = POSTHUS_TRY(number64());
  take('+');
  POSTHUS_TRY_VOID(expect('}'));
  take('\r');
  // WHY not expect(): its text would carry the line feed into the response.
  if (!take('\n')) return syntax_error("Malformed literal");
  if (size > text_.size() - position_) return syntax_error("Literal is cut short");
  const auto bytes = text_.substr(position_, static_cast<std::size_t>(size));
  if (bytes.find('\0') != std::string_view::npos) return syntax_error("NUL in a literal");
  position_ += bytes.size();
  return std::string(bytes);
}

// number = 1*DIGIT ; Unsigned 32-bit integer
Result<std::uint32_t> Scanner::number() {
  const auto value = ascii::parse_decimal<std::uint32_t>(take_while(ascii::is_digit));
  if (!value) return syntax_error("Expected a number");
  return *value;
}

// nz-number = digit-nz *DIGIT
Result<std::uint32_t> Scanner::nz_number() {
  if (peek() == '0') return syntax_error("Expected a number greater than zero");
  return number();
}

// number64 = 1*DIGIT ; Unsigned 63-bit integer
Result<std::uint64_t> Scanner::number64() {
  const auto value = ascii::parse_decimal<std::uint64_t>(take_while(ascii::is_digit));
  if (!value || *value > 0x7fff'ffff'ffff'ffffull) return syntax_error("Expected a number");
  return *value;
}

}  // namespace posthus::imap
