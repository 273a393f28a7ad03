// Macros of SPF: %{i}, %{d2r}, … into text. RFC 7208 §7. Pure functions, bounded output.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ip_address.h"

namespace posthus::mailauth {

struct SpfMacroValues {
  IpAddress address;
  std::string sender, helo, domain;
};
/// domain-spec with its macros replaced, cut from the left to 253 octets (§7.3). Nothing when it is malformed.
std::optional<std::string> expand_spf_macros(std::string_view text, const SpfMacroValues& values);

}  // namespace posthus::mailauth
