// Record data in wire form into an Answer. RFC 1035 §3.3, RFC 2782 (SRV), RFC 6698 §2.1 (TLSA), RFC 7505 (null MX), RFC 8659
// (CAA). Hostile input: every length is checked, names have at most 255 octets, one pass. Pure functions. Known limit: a name
// with octets other than letters, digits, '-', '_' and '/' makes its record unreadable; mail needs none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/dns/resolver.h"

namespace posthus::dns {

inline constexpr std::size_t kMaxNameText = 253;  // what 255 octets on the wire hold as text, RFC 1035 §2.3.4
inline constexpr std::size_t kMaxLabel = 63;

/// The whole of `wire` as one uncompressed name: lower case, without final dot, "" for the root. Nothing when it is none.
std::optional<std::string> parse_name(std::string_view wire);

/// Is `text` a name that can be asked for: labels of 1 to 63 octets without white space and control characters, kMaxNameText
/// together, no final dot?
bool is_question_name(std::string_view text);

/// Appends the record to the vector of its type, when there are fewer than kMaxRecords; of more MX records the most preferred
/// stay. False when the data is none of `type`.
bool append_record(RecordType type, std::string_view rdata, Answer& into);

}  // namespace posthus::dns
