// The two forms of an address in the directory: the canonical text people see and log in with, and the lookup key.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// Addresses mail is sent on to: each parsed, written in one way and once. Errors: kInvalid.
Result<std::vector<std::string>> normalised_targets(const std::vector<std::string>& targets);

}  // namespace posthus::store
