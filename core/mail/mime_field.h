// Fields of a MIME header (RFC 2045 §5-§8, RFC 2183, RFC 3282, RFC 2557) into a Part; parameters of RFC 2231. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/mail/summary.h"

namespace posthus::mail {

/// What a part is when it does not say: text/plain, or message/rfc822 inside multipart/digest (RFC 2046 §5.1.5).
enum class DefaultType : bool { kText, kMessage };

/// Fills type, parameters, encoding and the other MIME members of `part` from its header. The first field of a name counts.
void read_mime_fields(std::string_view header, DefaultType default_type, Part& part);

/// The parameters behind the first ';' of a field value: names lower case, continuations joined (`name*0`, `name*1` are `name`).
/// A value with charset information is given as `name*`, in UTF-8 (as RFC 9051 §7.5.2 wants them).
std::vector<std::pair<std::string, std::string>> read_parameters(std::string_view value);

}  // namespace posthus::mail
