// The bytes of a message on the wire: DATA with its dots (RFC 5321 §4.5.2) and BDAT chunks (RFC 3030 §2). Only CRLF ends
// a line, and only CRLF "." CRLF ends the message: a CR or LF standing alone is noted and the message refused
// (RFC 5321 §2.3.8), so what follows it can never be taken for commands by one server and for text by another.
// Thread rule: one thread at a time. No allocation; every byte is seen by memchr at most twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/function_ref.h"

namespace posthus::smtp {

using TextSink = FunctionRef<void(std::string_view text)>;

/// Removes transparency dots and finds the end of DATA, fed in any cut.
class DataReader {
 public:
  /// Reads up to the end of the data or of `bytes`, gives the message text to `sink` in pieces as long as possible.
  /// Returns how many bytes were read; those after the end of the data are left. After a bare CR or LF no more text is given.
  std::size_t read(std::string_view bytes, TextSink sink);
  bool is_done() const { return state_ == State::kDone; }
  bool has_bare_line_end() const { return has_bare_line_end_; }

 private:
  enum class State : std::uint8_t {
    kLineStart,
    kText,
    kCr,     // after CR in a line
    kDot,    // after "." at the start of a line
    kDotCr,  // after "." CR at the start of a line
    kDone,
  };
  void step(char c);
  std::size_t read_lines(std::string_view bytes, TextSink sink);
  std::size_t read_text(std::string_view bytes, TextSink sink);

  State state_ = State::kLineStart;
  bool has_bare_line_end_ = false;
};

/// Looks for bare CR and LF in text that is not dot-stuffed, in any cut.
class LineEndCheck {
 public:
  void read(std::string_view text);
  /// REQUIRES: the text has ended.
  bool has_bare_line_end() const { return has_bare_line_end_ || ends_with_cr_; }

 private:
  bool ends_with_cr_ = false;
  bool has_bare_line_end_ = false;
};

}  // namespace posthus::smtp
