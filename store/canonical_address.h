// The two forms of an address in the directory: the canonical text people see and log in with, and the lookup key.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/mail/address.h"

namespace posthus::store {

struct CanonicalAddress {
  std::string text;    // "anna@example.org"; local part folded, quoted where it must be; "@domain" for a catch-all
  std::string lookup;  // mail::lookup_key; "@domain" for a catch-all
  std::string domain;
  bool is_catch_all = false;
};

enum class CatchAll : bool { kRefuse, kAllow };
/// Errors: kInvalid.
Result<CanonicalAddress> canonical_address(std::string_view text, CatchAll catch_all);

}  // namespace posthus::store
