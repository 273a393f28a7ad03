// Strings of IMAP answers (RFC 9051 §4.3), as the summary needs them. Pure functions; append_imap_string is in summary.h.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// NIL for empty text, else a string.
void append_imap_nstring(std::string& out, std::string_view text);

}  // namespace posthus::mail
