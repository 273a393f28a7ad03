// Address lists of header fields (RFC 5322 §3.4 with the obsolete forms of §4.4), read leniently: what people wrote, not
// what a server may route by (that is parse_mailbox in address.h). Pure functions.
#pragma once

#include <string_view>

#include "core/base/function_ref.h"

namespace posthus::mail {

enum class ListedKind : unsigned char { kMailbox, kGroupStart, kGroupEnd };

/// One member of an address list, quoting removed. A group is a kGroupStart (its name in `name`), its members, a kGroupEnd.
/// A mailbox that lacks its host has an empty `host`. The texts last as long as the visit.
struct ListedAddress {
  ListedKind kind = ListedKind::kMailbox;
  std::string_view name;     // display-name, or the comment behind a bare addr-spec ("a@b (Anna)")
  std::string_view route;    // obs-route without its colon: "@a.example,@b.example"
  std::string_view mailbox;  // local-part
  std::string_view host;     // domain, as written
};

/// Visits the members of the address list in a (folded) field value, in order. Linear; never fails.
void for_each_listed_address(std::string_view value, FunctionRef<void(const ListedAddress&)> visit);

}  // namespace posthus::mail
