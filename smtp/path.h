// Reverse-path and Forward-path of the envelope. RFC 5321 §4.1.2 (source routes are accepted and ignored, Appendix C),
// RFC 6531 §3.3. Thread rule: pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "core/mail/address.h"
#include "smtp/reply.h"

namespace posthus::smtp {

/// A path cut out of a command: what stands between "<" and ">", without a source route, and what follows.
struct PathText {
  std::string_view mailbox;  // empty for "<>"
  std::string_view rest;     // after ">"
};

/// Finds the path at the start of `text`; nothing when there is none. Quoted strings may hold ">".
std::optional<PathText> split_path(std::string_view text);

/// Nothing is the null reverse-path.
using ReversePath = std::optional<mail::Address>;

/// Refusals: 501 5.1.7; 553 5.6.7 for a non-ASCII address with `utf8` kRefuse.
Parsed<ReversePath> parse_reverse_path(std::string_view mailbox, mail::Utf8 utf8);
/// "<postmaster>" without a domain (RFC 5321 §4.1.1.3) gives an empty domain. Refusals: 501 5.1.3; 553 5.6.7.
Parsed<mail::Address> parse_forward_path(std::string_view mailbox, mail::Utf8 utf8);

}  // namespace posthus::smtp
