// Header fields of a message (RFC 5322 §2.2, §3.6), found without copying.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"

namespace posthus::mail {

/// One field as it stands: `raw` with folds and the final CRLF; `name` without the colon; `value` after the colon, folded.
struct HeaderField {
  std::string_view raw, name, value;
};

/// Visits the fields of `header` (with or without the blank line at its end) until the visitor answers false. A line
/// that is no field and no continuation is passed over. Linear.
void for_each_field(std::string_view header, FunctionRef<bool(const HeaderField&)> visit);

/// The first field of that name (any case), or nothing.
std::optional<HeaderField> find_field(std::string_view header, std::string_view name);
std::size_t count_fields(std::string_view header, std::string_view name);
/// Value without folds (RFC 5322 §2.2.3): CRLF before white space removed, outer white space trimmed.
std::string unfold(std::string_view value);
/// Value on one line for people and IMAP answers: each fold with the white space around it becomes one space.
std::string unfold_to_spaces(std::string_view value);
/// Offset just past the blank line that ends the header; nothing when `message` has none yet.
std::optional<std::size_t> header_end(std::string_view message);

}  // namespace posthus::mail
