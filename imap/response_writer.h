// Pieces of responses (RFC 9051 §7, §9), appended to the output without temporary strings: these run once per message.
// Thread rule: none, pure functions.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "store/records.h"

namespace posthus::imap {

inline void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

/// quoted. REQUIRES: no CR, LF or NUL in `text`.
void append_quoted(std::string& out, std::string_view text);
/// astring: an atom where it can be one, else quoted, else a literal.
void append_astring(std::string& out, std::string_view text);
/// uid-set / sequence-set: "1:3,7". Nothing for an empty set.
void append_uid_set(std::string& out, const store::UidSet& set);
/// "\Seen \Flagged $Forwarded", separated by spaces, without parentheses. Bits without a name are passed over.
void append_flags(std::string& out, std::uint8_t flags, std::uint64_t keywords, const std::vector<std::string>& keyword_names);
/// date-time with its quotes: "17-Jul-1996 02:44:25 +0000" in quotes, always in UTC.
void append_date_time(std::string& out, Timestamp time);

/// How names and texts travel: modified UTF-7 for rev1, UTF-8 once the client said ENABLE IMAP4rev2 (RFC 9051 §5.1, Appendix
/// A.1).
enum class NameForm : bool { kModifiedUtf7, kUtf8 };
void append_mailbox(std::string& out, std::string_view utf8_name, NameForm form);

/// The RFC 6154 attribute, "\Sent"; empty for kNone.
std::string_view special_use_attribute(store::SpecialUse use);

/// Status and response code for a failure of ours (RFC 5530): "NO [OVERQUOTA] ".
std::string_view refusal_for(ErrorKind kind);

}  // namespace posthus::imap
