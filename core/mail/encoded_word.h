// Encoded-words (RFC 2047) and RFC 2231 values to UTF-8, for search and for people; charsets through iconv.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// Decodes all encoded-words in an unfolded header value; what cannot be decoded stays as it is. Always valid UTF-8.
std::string decode_header_text(std::string_view value);
/// Converts body or header bytes from `charset` to UTF-8; unknown charsets and bad bytes become U+FFFD, never an error.
std::string to_utf8(std::string_view bytes, std::string_view charset);
/// Folds for searching: i;unicode-casemap's spirit, simple lower-casing of UTF-8 for ASCII, Latin, Greek, Cyrillic.
std::string fold_for_search(std::string_view utf8);
bool is_valid_utf8(std::string_view text);
/// Decodes base64 or quoted-printable bodies (any other encoding: a copy). Tolerant, linear.
std::string decode_transfer_encoding(std::string_view body, std::string_view encoding);

}  // namespace posthus::mail
