// IpAddress: IPv4 or IPv6 as a value, without sockets. IPv4-mapped IPv6 (::ffff:a.b.c.d) is stored as IPv4.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthus {

struct IpAddress {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // IPv4 in the first four
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

std::optional<IpAddress> parse_ip_address(std::string_view text);
std::string to_string(const IpAddress& address);
/// RFC 5321 §4.1.3 without the brackets: "192.0.2.1" or "IPv6:2001:db8::1".
std::string to_address_literal(const IpAddress& address);
bool is_loopback(const IpAddress& address);
/// May it be an address of the public Internet: none of the private, shared, link-local, documentation, multicast or reserved
/// blocks (RFC 6890)?
bool is_global(const IpAddress& address);

/// A network in CIDR form, "192.0.2.0/24"; a plain address is a network of one.
struct IpNetwork {
  IpAddress address;
  int prefix_length = 32;
  bool contains(const IpAddress& a) const;
};
std::optional<IpNetwork> parse_ip_network(std::string_view text);
/// The network a client is throttled by: /32 for IPv4, /64 for IPv6.
IpNetwork client_network(const IpAddress& address);
std::string to_string(const IpNetwork& network);

}  // namespace posthus
