// Framing of commands: finds the end of a command in the client's bytes, literals included (RFC 9051 §4.3, RFC 7888),
// before anything is parsed. Every byte is looked at once, however the input is cut. Thread rule: none, a value.
#pragma once

#include <cstdint>
#include <string_view>

namespace posthus::imap {

enum class Frame : std::uint8_t {
  kIncomplete,  // more bytes are needed
  kLiteral,     // a line ended with a literal's size: the caller accepts it with literal_accepted(), or refuses the command
  kComplete,    // size() bytes are one command
  kTooLong,     // over kMaxCommandLine
};

enum class Synchronizing : bool { kNo, kYes };  // kNo: "{n+}", the bytes follow without being asked for

class CommandFrame {
 public:
  /// `bytes` begins at the command's first byte; what earlier calls saw must still be there.
  Frame scan(std::string_view bytes);

  // After kLiteral: what was announced. size() is then the bytes up to and with the announcement.
  std::uint64_t literal_size() const { return literal_size_; }
  Synchronizing literal_kind() const { return literal_kind_; }
  /// Its bytes are part of the command and are passed over. REQUIRES: literal_size() is within the caller's limit.
  void literal_accepted();
  int literals() const { return literals_; }

  std::size_t size() const { return scanned_; }
  void reset() { *this = CommandFrame(); }

 private:
  std::size_t scanned_ = 0;     // everything before was looked at
  std::size_t line_begin_ = 0;  // of the line being scanned
  std::size_t line_bytes_ = 0;  // of all lines of this command, without literals
  std::uint64_t literal_left_ = 0;
  std::uint64_t literal_size_ = 0;
  Synchronizing literal_kind_ = Synchronizing::kYes;
  int literals_ = 0;
};

}  // namespace posthus::imap
