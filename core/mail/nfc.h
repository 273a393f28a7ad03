// Unicode normalization form C (RFC 5198 §3), for names that people type on different systems.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// `utf8` in NFC; bytes that are not valid UTF-8 stay as they are. ASCII costs nothing but the copy.
std::string to_nfc(std::string_view utf8);

}  // namespace posthus::mail
