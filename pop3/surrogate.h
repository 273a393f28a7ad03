// Surrogate headers: what a client that has not said UTF8 gets of a message whose header is not ASCII (RFC 6856 §2.1,
// in the manner of RFC 6858). Pure; any thread.
// Known limits: headers of inner parts stay as they are, like 8-bit bodies; LIST shows the size of the original.
#pragma once

#include <string>
#include <string_view>

namespace posthus::pop3 {

inline constexpr std::size_t kMaxSurrogateHeader = 256 * 1024;  // longer non-ASCII headers are refused with [UTF8]

/// Does `bytes` hold anything but ASCII?
bool has_8bit(std::string_view bytes);

/// The header with every byte ASCII: texts and display names as encoded-words (RFC 2047), non-ASCII addresses replaced
/// by one that cannot be answered, everything else non-ASCII by '?'. `header` ends after the blank line. Linear.
std::string make_surrogate_header(std::string_view header);

}  // namespace posthus::pop3
