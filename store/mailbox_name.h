// Names of mailboxes as stored: UTF-8 with '/' between components (RFC 9051 §5.1). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/key.h"

namespace posthus::store {

inline constexpr std::string_view kInbox = "INBOX";

/// The stored form: INBOX in any case becomes "INBOX", also as the first component. Changes nothing else.
std::string normalise_inbox(std::string_view name);

/// The stored form of a name that may be made: valid UTF-8, no control characters (C0, DEL, C1, line and paragraph
/// separator, RFC 5198 §2), no empty component, 1..kMaxMailboxName bytes. Errors: kInvalid.
Result<std::string> checked_mailbox_name(std::string_view name);

/// The name of the immediate superior; empty when there is none.
inline std::string_view superior_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
}

}  // namespace posthus::store
