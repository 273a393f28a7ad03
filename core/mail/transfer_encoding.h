// Encoding text for a 7-bit way: quoted-printable (RFC 2045 §6.7) and encoded-words (RFC 2047). Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// `text` in quoted-printable: CRLF stays a line end, a CR or LF alone is encoded, no line is longer than 76 characters.
std::string encode_quoted_printable(std::string_view text);

/// A value of unstructured text for a header field: `text` itself when it is printable ASCII of one short line, else
/// encoded-words in UTF-8, folded ("\r\n " between them). `used`: characters on the line before it ("Subject: " is 9).
/// REQUIRES: valid UTF-8.
std::string encode_header_text(std::string_view text, std::size_t used);

/// May `text` go out as "7bit": ASCII without NUL and other control characters than TAB, CR and LF only as CRLF, lines of at
/// most 998 characters (RFC 2045 §2.7)?
bool is_7bit(std::string_view text);
/// The same for "8bit" (RFC 2045 §2.8).
bool is_8bit(std::string_view text);

}  // namespace posthus::mail
