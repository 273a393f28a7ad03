// Words of strangers (replies, addresses, subjects) made fit for a delivery report. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// At most this much of any one text of others goes into a report, in bytes: a reply line of RFC 5321 §4.5.3.1.5 has 512.
inline constexpr std::size_t kMaxWords = 500;

/// Valid UTF-8 on one line: control characters (C1 and those that turn the direction of text too) and runs of white space become
/// one space each, the ends are trimmed, at most kMaxWords bytes.
std::string clean_words(std::string_view text);
/// The same with everything outside ASCII as '?'.
std::string clean_ascii_words(std::string_view text);
/// Only what a domain name or address literal may hold; the rest is '?'. "" stays "".
std::string clean_host(std::string_view text);

/// The utf-8-addr-xtext form (RFC 6533 §3) of an address in valid UTF-8.
std::string utf8_address_in_ascii(std::string_view address);

/// Appends `text` in lines of at most 72 characters where words allow, each behind `indent`, with CRLF.
void append_wrapped(std::string& out, std::string_view text, std::string_view indent);

}  // namespace posthus::mail
