// Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3, RFC 9051 Appendix A.1) and UTF-8, the special name INBOX,
// and matching of LIST patterns. Inside the server names are UTF-8 with '/'. Thread rule: none, pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imap/response_writer.h"

namespace posthus::imap {

inline constexpr char kHierarchySeparator = '/';

/// REQUIRES: valid UTF-8 (other bytes are written as U+FFFD).
std::string to_modified_utf7(std::string_view utf8);
/// Strict: nothing for what breaks the rules of the convention (superfluous shifts, printable characters in base64, …).
std::optional<std::string> from_modified_utf7(std::string_view text);

/// From the wire to UTF-8, checked (valid, no control characters, not empty). Nothing when it is no possible name.
std::optional<std::string> decode_mailbox_name(std::string_view wire, NameForm form);
/// The inner form of a decoded name: in NFC (RFC 9051 §5.1: Net-Unicode), a leading "inbox" level in any case "INBOX".
std::string normalise_mailbox_name(std::string_view utf8);
/// Both.
std::optional<std::string> to_mailbox_name(std::string_view wire, NameForm form);

/// Does `name` match `pattern`? '*' matches anything, '%' anything without the separator (RFC 9051 §6.3.9). The level
/// INBOX matches in any case. Time: pattern size times name size.
bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace posthus::imap
