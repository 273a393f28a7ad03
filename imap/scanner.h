// Scanner: the lexical rules of RFC 9051 §9 over one complete command, literals in place ("{3}\r\nabc"). Each function
// parses the rule above it and moves past it; a failure names what was expected and the command is answered with BAD.
// Incomplete input is the business of command_frame.h. Thread rule: none, a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::imap {

constexpr bool is_ctl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_list_wildcard(char c) { return c == '*' || c == '%'; }
/// ATOM-CHAR = <any CHAR except atom-specials>
constexpr bool is_atom_char(char c) {
  return !is_ctl(c) && static_cast<unsigned char>(c) < 0x80 && c != '(' && c != ')' && c != '{' && c != ' ' &&
         !is_list_wildcard(c) && c != '"' && c != '\\' && c != ']';
}
/// ASTRING-CHAR = ATOM-CHAR / resp-specials
constexpr bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }

class Scanner {
 public:
  /// `text` without the final line end; must outlive the scanner.
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return position_ == text_.size(); }
  std::size_t position() const { return position_; }
  std::string_view rest() const { return text_.substr(position_); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool take(char c);
  /// A word of the protocol in any case, e.g. "RETURN"; only when no further atom character follows.
  bool take_word(std::string_view word);
  /// Text in any case, whatever follows.
  bool take_prefix(std::string_view text);
  /// REQUIRES: `c` is printable: it is named in the response.
  Result<> expect(char c);
  Result<> space() { return expect(' '); }
  /// Nothing may follow.
  Result<> end();

  Result<std::string_view> tag();
  Result<std::string_view> atom();
  Result<std::string> astring();
  Result<std::string> string();
  Result<std::string> list_mailbox();
  /// NIL gives the empty string.
  Result<std::string> nstring();
  Result<std::uint32_t> number();
  Result<std::uint32_t> nz_number();
  Result<std::uint64_t> number64();

 private:
  Result<std::string> quoted();
  Result<std::string> literal();
  std::string_view take_while(bool (*accept)(char));

  std::string_view text_;
  std::size_t position_ = 0;
};

/// A syntax error: what was expected, for the BAD response.
inline std::unexpected<Error> syntax_error(const char* what) { return fail(ErrorKind::kInvalid, what); }

}  // namespace posthus::imap
