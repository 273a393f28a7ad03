// Addresses and networks: text forms, mapped addresses, prefixes.
#include "core/base/ip_address.h"

#include <gtest/gtest.h>

namespace posthus {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = parse_ip_address(text);
  return address ? to_string(*address) : "refused";
}

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(round_trip("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(round_trip("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(round_trip("::"), "::");
}

TEST(IpAddress, MappedAddressIsItsIpv4Address) {
  EXPECT_EQ(round_trip("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(parse_ip_address("::ffff:192.0.2.7"), parse_ip_address("192.0.2.7"));
}

TEST(IpAddress, RefusesOtherText) {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "1.2.3.4.5", ":::", "2001:db8::1%eth0", "[::1]",
                           "localhost", "00000000000000000000000000000000000000000000000000000000::1"}) {
    EXPECT_EQ(round_trip(text), "refused") << text;
  }
  EXPECT_EQ(round_trip(std::string_view("1.2.3.4\0x", 9)), "refused");
}

TEST(IpAddress, AddressLiteralNamesIpv6) {
  EXPECT_EQ(to_address_literal(*parse_ip_address("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(to_address_literal(*parse_ip_address("2001:db8::1")), "IPv6:2001:db8::1");
}

TEST(IpAddress, KnowsLoopback) {
  EXPECT_TRUE(is_loopback(*parse_ip_address("127.8.9.1")));
  EXPECT_TRUE(is_loopback(*parse_ip_address("::1")));
  EXPECT_FALSE(is_loopback(*parse_ip_address("128.0.0.1")));
  EXPECT_FALSE(is_loopback(*parse_ip_address("1::1")));
}

bool contains(std::string_view network, std::string_view address) {
  return parse_ip_network(network).value().contains(parse_ip_address(address).value());
}

TEST(IpNetwork, ContainsByPrefix) {
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("10.0.0.0/9", "10.127.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/9", "10.128.0.1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::ffff:192.0.2.0/120", "192.0.2.200"));
}

TEST(IpNetwork, DropsHostBitsAndPrintsThePrefix) {
  EXPECT_EQ(to_string(*parse_ip_network("192.0.2.77/24")), "192.0.2.0/24");
  EXPECT_EQ(to_string(client_network(*parse_ip_address("2001:db8:1:2:3:4:5:6"))), "2001:db8:1:2::/64");
  EXPECT_EQ(to_string(client_network(*parse_ip_address("192.0.2.1"))), "192.0.2.1/32");
}

TEST(IpNetwork, RefusesOtherText) {
  for (const char* text : {"", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/08", "192.0.2.0/8/8", "::/129",
                           "::ffff:1.2.3.4/24"}) {
    EXPECT_FALSE(parse_ip_network(text)) << text;
  }
}

TEST(IpAddress, GlobalAddressesAreThoseOfTheInternet) {
  for (const char* text : {"8.8.8.8", "172.32.0.1", "193.0.0.1", "2a00::1", "2001:db9::1"}) {
    EXPECT_TRUE(is_global(*parse_ip_address(text))) << text;
  }
  for (const char* text :
       {"127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.1.1", "172.16.0.1", "192.168.1.1", "192.0.2.1", "203.0.113.1",
        "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "fe80::1", "fd00::1", "2001:db8::1", "ff02::1"}) {
    EXPECT_FALSE(is_global(*parse_ip_address(text))) << text;
  }
}

}  // namespace
}  // namespace posthus
