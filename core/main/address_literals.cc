// Addresses of interfaces. See address_literals.h.
#include "core/main/address_literals.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>

#include "core/base/ip_address.h"

namespace posthus::main {
namespace {

/// The address as text without a scope; empty for what is no IP address.
std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address == nullptr) return {};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (bytes == nullptr || inet_ntop(address->sa_family, bytes, text, sizeof text) == nullptr) return {};
  return text;
}

void add_literal(std::vector<std::string>& literals, const std::string& text) {
  const auto address = parse_ip_address(text);
  if (!address) return;
  std::string literal = "[" + to_address_literal(*address) + "]";
  if (std::ranges::find(literals, literal) == literals.end()) literals.push_back(std::move(literal));
}

}  // namespace

std::vector<std::string> address_literals(const std::vector<std::string>& listen) {
  std::vector<std::string> literals;
  for (const std::string& text : listen) {
    if (text != "*") {
      add_literal(literals, text);
      continue;
    }
    ifaddrs* interfaces = nullptr;
    if (getifaddrs(&interfaces) != 0) continue;
    for (const ifaddrs* interface = interfaces; interface != nullptr; interface = interface->ifa_next) {
      add_literal(literals, text_of(interface->ifa_addr));
    }
    freeifaddrs(interfaces);
  }
  return literals;
}

}  // namespace posthus::main
