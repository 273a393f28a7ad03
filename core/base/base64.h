// Base64 (RFC 4648 §4), and the URL alphabet (§5) for tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthus {

std::string base64_encode(std::string_view bytes);
/// Strict: padding required, no white space, no trailing bits; nothing on anything else.
std::optional<std::string> base64_decode(std::string_view text);
/// URL and file name safe alphabet, no padding.
std::string base64url_encode(std::string_view bytes);
/// Strict: no padding, no trailing bits.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace posthus
