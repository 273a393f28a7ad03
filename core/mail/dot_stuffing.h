// Transparency of SMTP DATA and POP3 multi-line answers (RFC 5321 §4.5.2, RFC 1939 §3).
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// Appends stored bytes with a '.' before every line that begins with one. Fed in pieces: it remembers whether the next
/// byte begins a line. memchr-fast where nothing needs stuffing.
class DotStuffer {
 public:
  void append(std::string& out, std::string_view bytes);
  /// The end: CRLF if the text did not end with one, then ".\r\n".
  void finish(std::string& out);

 private:
  bool at_line_start_ = true;  // after any LF: a '.' there is stuffed even behind a bare LF
  bool ends_with_cr_ = false;
  bool ends_with_crlf_ = true;  // nothing yet counts as a complete line
};

}  // namespace posthus::mail
