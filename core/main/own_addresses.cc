// Addresses of listeners and interfaces. Thread rule: own_addresses.h.
#include "core/main/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/base/ip_address.h"
#include "core/base/shared_addresses.h"

namespace posthus::main {
namespace {

std::optional<IpAddress> address_of(const sockaddr* address) {
  IpAddress result;
  if (address && address->sa_family == AF_INET) {
    std::memcpy(result.bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return result;
  }
  if (address && address->sa_family == AF_INET6) {
    result.is_v6 = true;
    std::memcpy(result.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    return result;
  }
  return std::nullopt;
}

std::set<std::string> interface_addresses() {
  std::set<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (const auto address = address_of(entry->ifa_addr)) addresses.insert(to_string(*address));
  }
  freeifaddrs(list);
  return addresses;
}

}  // namespace

std::vector<IpAddress> hiding_gateways(const Settings& settings) {
  const auto text = [](const char* path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::vector<IpAddress> gateways = parse_ipv4_gateways(text("/proc/net/route"));
  for (const IpAddress& gateway : parse_ipv6_gateways(text("/proc/net/ipv6_route"))) gateways.push_back(gateway);
  if (settings.is_loopback_confidential) return gateways;
  for (const char* loopback : {"127.0.0.1", "::1"}) gateways.push_back(*parse_ip_address(loopback));
  return gateways;
}

OwnAddresses::OwnAddresses(const Settings& settings) {
  ports_.insert(25);
  for (const std::uint64_t port : {settings.smtp_port, settings.submission_port, settings.submissions_port}) {
    if (port != 0) ports_.insert(static_cast<std::uint16_t>(port));
  }
  for (const std::string& text : settings.listen) {
    const auto address = parse_ip_address(text);
    const bool is_any = !address || to_string(*address) == "0.0.0.0" || to_string(*address) == "::";
    is_everywhere_ = is_everywhere_ || is_any;
    if (!is_any) addresses_.insert(to_string(*address));
  }
  if (is_everywhere_) addresses_.merge(interface_addresses());
}

bool OwnAddresses::contains(const std::string& address, std::uint16_t port) const {
  if (!ports_.contains(port)) return false;
  if (addresses_.contains(address)) return true;
  const auto parsed = parse_ip_address(address);
  return is_everywhere_ && parsed && is_loopback(*parsed);
}

std::vector<IpAddress> global_addresses(const Settings& settings) {
  std::set<std::string> texts;
  for (const std::string& text : settings.listen) {
    const auto address = parse_ip_address(text);
    const bool is_any = !address || to_string(*address) == "0.0.0.0" || to_string(*address) == "::";
    if (is_any) texts.merge(interface_addresses());
    if (!is_any) texts.insert(to_string(*address));
  }
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = parse_ip_address(text);
    if (address && is_global(*address)) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace posthus::main
