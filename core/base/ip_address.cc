// IP addresses and networks as values (RFC 4291 §2.2 text forms, RFC 5952 output, RFC 4632 §3.1 prefixes). Any thread.
#include "core/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "core/base/ascii.h"

namespace posthus {
namespace {

constexpr std::size_t kLongestAddress = INET6_ADDRSTRLEN - 1;
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};  // RFC 4291 §2.5.5.2

int address_bits(const IpAddress& address) { return address.is_v6 ? 128 : 32; }

void clear_after(IpAddress& address, int prefix_length) {
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(prefix_length - i * 8, 0, 8);
    address.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (text.empty() || text.size() > kLongestAddress || text.contains('\0')) return std::nullopt;
  char terminated[kLongestAddress + 1] = {};
  std::memcpy(terminated, text.data(), text.size());
  IpAddress address;
  if (inet_pton(AF_INET, terminated, address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET6, terminated, address.bytes.data()) != 1) return std::nullopt;
  address.is_v6 = true;
  if (!std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin())) return address;
  IpAddress mapped;
  std::copy_n(address.bytes.begin() + 12, 4, mapped.bytes.begin());
  return mapped;
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string to_address_literal(const IpAddress& address) {
  return address.is_v6 ? "IPv6:" + to_string(address) : to_string(address);
}

bool is_loopback(const IpAddress& address) {
  if (!address.is_v6) return address.bytes[0] == 127;
  return address.bytes[15] == 1 && std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto b) { return b == 0; });
}

bool is_global(const IpAddress& address) {
  static constexpr std::string_view kSpecial[] = {
      "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",     "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
      "192.0.2.0/24",   "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/8",
      "64:ff9b:1::/48", "100::/64",       "2001:db8::/32", "fc00::/7",        "fe80::/10",      "ff00::/8"};
  return std::ranges::none_of(kSpecial, [&](std::string_view text) { return parse_ip_network(text)->contains(address); });
}

bool IpNetwork::contains(const IpAddress& a) const {
  if (a.is_v6 != address.is_v6) return false;
  IpAddress masked = a;
  clear_after(masked, prefix_length);
  IpAddress network = address;
  clear_after(network, prefix_length);
  return masked == network;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const std::optional<IpAddress> address = parse_ip_address(address_text);
  if (!address) return std::nullopt;
  const int bits = address_bits(*address);
  if (slash == std::string_view::npos) return IpNetwork{*address, bits};
  const std::string_view digits = text.substr(slash + 1);
  const std::optional<std::uint8_t> length = ascii::parse_decimal<std::uint8_t>(digits);
  if (!length || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  // A mapped address was written with its IPv6 prefix length, which counts the 96 bits in front.
  const int mapped_bits = !address->is_v6 && address_text.contains(':') ? 96 : 0;
  const int prefix = *length - mapped_bits;
  if (prefix < 0 || prefix > bits) return std::nullopt;
  IpNetwork network{*address, prefix};
  clear_after(network.address, prefix);
  return network;
}

IpNetwork client_network(const IpAddress& address) {
  IpNetwork network{address, address.is_v6 ? 64 : 32};
  clear_after(network.address, network.prefix_length);
  return network;
}

std::string to_string(const IpNetwork& network) {
  return to_string(network.address) + "/" + std::to_string(network.prefix_length);
}

}  // namespace posthus
