// The host a request is for, from its Host field, which anybody may write as he likes: only a domain name of ours counts.
// RFC 9110 §7.2. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthus::web_admin {

/// uri-host [ ":" port ] without the port, normalised. Nothing for addresses and what is no name.
std::optional<std::string> host_name(std::string_view field);
/// "example.org" of "autoconfig.example.org" when `label` is "autoconfig". Nothing without it.
std::optional<std::string> domain_below(std::string_view host, std::string_view label);

}  // namespace posthus::web_admin
