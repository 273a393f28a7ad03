// How a delegate calls the mailboxes of somebody else: "Shared/info@example.org/INBOX", an Other Users' Namespace of RFC 2342 §5.
// An own mailbox "Shared", and those below it whose second level has no '@', stay what they are. Thread rule: pure functions.
// Known limit: owners whose address has a '/' in its local part cannot be named.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::store {

inline constexpr std::string_view kSharedPrefix = "Shared/";

/// `mailbox` empty: the level above the owner's mailboxes.
inline std::string shared_name(std::string_view owner_address, std::string_view mailbox) {
  std::string name(kSharedPrefix);
  name.append(owner_address);
  if (!mailbox.empty()) name.append("/").append(mailbox);
  return name;
}

struct SharedName {
  std::string_view owner_address;
  std::string_view mailbox;  // as the owner calls it; empty: the level above
};

/// Views into `name`; nothing when it is a name of one's own.
inline std::optional<SharedName> parse_shared_name(std::string_view name) {
  if (!name.starts_with(kSharedPrefix)) return std::nullopt;
  const std::string_view rest = name.substr(kSharedPrefix.size());
  const std::string_view owner = rest.substr(0, rest.find('/'));
  if (!owner.contains('@')) return std::nullopt;
  return SharedName{owner, rest.substr(std::min(owner.size() + 1, rest.size()))};
}

}  // namespace posthus::store
