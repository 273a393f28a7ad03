// Host names of requests.
#include "web-admin/host_name.h"

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"

namespace posthus::web_admin {

std::optional<std::string> host_name(std::string_view field) {
  const std::size_t colon = field.find(':');
  if (colon != std::string_view::npos) {
    if (!ascii::parse_decimal<std::uint16_t>(field.substr(colon + 1))) return std::nullopt;
    field = field.substr(0, colon);
  }
  const auto name = mail::normalise_domain(field);
  if (!name || mail::is_domain_literal(field) || parse_ip_address(*name)) return std::nullopt;
  return *name;
}

std::optional<std::string> domain_below(std::string_view host, std::string_view label) {
  if (!host.starts_with(label) || host.size() <= label.size() + 1 || host[label.size()] != '.') return std::nullopt;
  return std::string(host.substr(label.size() + 1));
}

}  // namespace posthus::web_admin
