// SASLprep (RFC 4013): the form in which login names and passwords are compared, whatever keyboard typed them.
// Thread rule: any thread. Known limit: unassigned code points of Unicode 3.2 are let through (query strings, RFC 3454
// §7), for stored passwords as well: people type what is newer than 2002.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthus::sasl {

/// Longest text that is prepared, in bytes; longer ones are refused (bounded work before anybody has logged in).
inline constexpr std::size_t kMaxPreparedText = 1024;

/// The prepared form of `utf8`. Nothing for invalid UTF-8, prohibited characters, mixed directions (RFC 3454 §6) and
/// texts over kMaxPreparedText. The empty text prepares to itself.
std::optional<std::string> saslprep(std::string_view utf8);

/// How a password is hashed and compared: prepared where SASLprep takes it, else its bytes as they are (so that a
/// password with a control character still works, in all mechanisms alike).
std::string prepare_password(std::string_view password);

}  // namespace posthus::sasl
