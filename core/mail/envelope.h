// ENVELOPE (RFC 9051 §7.5.2, RFC 3501 §7.4.2) from the header of a message. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace posthus::mail {

/// "(date subject from sender reply-to to cc bcc in-reply-to message-id)", ready to send: strings quoted or as literals.
/// Sender and Reply-To default to From. To, Cc and Bcc that occur several times are joined (RFC 5322 §4.5.3); of any other
/// field the first occurrence counts.
void append_envelope(std::string& out, std::string_view header);
std::string make_envelope(std::string_view header);

}  // namespace posthus::mail
