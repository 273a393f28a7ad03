// Addresses that stand for many clients: what counts as evidence, what does not, and what is told.
#include "core/base/shared_addresses.h"

#include <gtest/gtest.h>

#include "core/base/clock.h"

namespace posthus {
namespace {

using Kind = SharedAddressWarning::Kind;

IpAddress address(const char* text) { return *parse_ip_address(text); }

class SharedAddressesTest : public ::testing::Test {
 protected:
  void log_in(const char* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) shared_.logged_in(from, "user" + std::to_string(i) + "@example.test");
  }
  void bring_mail(const char* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      shared_.brought_mail(from, "mx" + std::to_string(i) + ".domain" + std::to_string(i) + ".example");
  }

  ManualClock clock_{Timestamp::from_seconds(1'800'000'000)};
  SharedAddresses shared_{clock_, {*parse_ip_network("10.9.0.0/24")}};
};

TEST_F(SharedAddressesTest, APrivateAddressIsNotSharedForBeingPrivate) {
  for (const char* text : {"192.168.1.7", "127.0.0.1", "fd00::1", "100.64.0.1", "203.0.113.9"})
    EXPECT_FALSE(shared_.is_shared(text)) << text;
  EXPECT_FALSE(shared_.is_shared(""));
  EXPECT_FALSE(shared_.is_shared("nonsense"));
}

TEST_F(SharedAddressesTest, TheGatewayIsSharedAtOnceAndToldOnlyWhenClientsCome) {
  shared_.set_gateways({address("172.17.0.1"), address("8.8.8.1")});
  EXPECT_TRUE(shared_.is_shared("172.17.0.1"));
  EXPECT_FALSE(shared_.is_shared("172.17.0.2"));
  EXPECT_FALSE(shared_.is_shared("8.8.8.1")) << "the router of a machine on the Internet is a client like others";
  bring_mail("172.17.0.1", 1);
  EXPECT_TRUE(shared_.warnings().empty());
  bring_mail("172.17.0.1", 2);
  ASSERT_EQ(shared_.warnings().size(), 1u);
  EXPECT_EQ(shared_.warnings()[0].kind, Kind::kGateway);
  EXPECT_EQ(shared_.warnings()[0].servers, 2u);
  EXPECT_NE(describe(shared_.warnings()[0]).find("172.17.0.1"), std::string::npos);
  shared_.set_gateways({address("172.18.0.1")});
  EXPECT_TRUE(shared_.is_shared("172.18.0.1"));
}

TEST_F(SharedAddressesTest, ManyAccountsOrServersShareAPrivateAddress) {
  log_in("10.0.2.2", kUnrelatedClients - 1);
  bring_mail("10.0.2.2", kUnrelatedClients - 1);
  EXPECT_FALSE(shared_.is_shared("10.0.2.2"));
  log_in("10.0.2.2", kUnrelatedClients);
  EXPECT_TRUE(shared_.is_shared("10.0.2.2"));
  bring_mail("fd00::1", kUnrelatedClients);
  EXPECT_TRUE(shared_.is_shared("fd00::1"));
  ASSERT_EQ(shared_.warnings().size(), 2u);
  EXPECT_EQ(shared_.warnings()[0].kind, Kind::kManyClients);
  EXPECT_EQ(shared_.warnings()[0].accounts, kUnrelatedClients);
}

TEST_F(SharedAddressesTest, OneClientWithManyNamesIsNotMany) {
  for (int i = 0; i < 50; ++i) {
    shared_.logged_in("192.168.1.7", "anna@example.test");
    shared_.brought_mail("192.168.1.7", "host" + std::to_string(i) + ".office.example");
    shared_.brought_mail("192.168.1.7", "Office.EXAMPLE.");
    shared_.brought_mail("192.168.1.7", "[192.168.1." + std::to_string(i) + "]");
    shared_.brought_mail("192.168.1.7", "10.0.0." + std::to_string(i));
    shared_.brought_mail("192.168.1.7", "laptop" + std::to_string(i));
    shared_.brought_mail("192.168.1.7", "a b" + std::to_string(i) + ".example");
    shared_.brought_mail("192.168.1.7", "." + std::to_string(i));
  }
  EXPECT_FALSE(shared_.is_shared("192.168.1.7"));
}

TEST_F(SharedAddressesTest, PublicAddressesNeverCount) {
  log_in("93.184.216.34", 100);
  bring_mail("2a00::1", 100);
  EXPECT_FALSE(shared_.is_shared("93.184.216.34"));
  EXPECT_FALSE(shared_.is_shared("2a00::1"));
  EXPECT_TRUE(shared_.warnings().empty());
}

TEST_F(SharedAddressesTest, EvidenceIsForgottenAfterADay) {
  log_in("10.0.2.2", kUnrelatedClients - 1);
  clock_.advance(kEvidenceSeconds * 1'000'000);
  shared_.logged_in("10.0.2.2", "late@example.test");
  EXPECT_FALSE(shared_.is_shared("10.0.2.2"));
}

TEST_F(SharedAddressesTest, WhatTheSettingsDeclareIsSharedAndNotToldOf) {
  EXPECT_TRUE(shared_.is_shared("10.9.0.4"));
  log_in("10.9.0.4", 20);
  EXPECT_TRUE(shared_.warnings().empty());
}

TEST_F(SharedAddressesTest, WatchesABoundedNumberOfAddresses) {
  for (std::size_t i = 0; i < kWatchedAddresses; ++i) {
    shared_.logged_in("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250), "anna@example.test");
  }
  log_in("10.2.0.1", kUnrelatedClients);
  EXPECT_FALSE(shared_.is_shared("10.2.0.1"));
  clock_.advance(kEvidenceSeconds * 1'000'000);
  log_in("10.2.0.1", kUnrelatedClients);
  EXPECT_TRUE(shared_.is_shared("10.2.0.1")) << "what is old makes room";
}

TEST_F(SharedAddressesTest, AProxyThatNobodyNamedIsToldOfButNotShared) {
  shared_.sent_proxy_fields("172.18.0.3");
  shared_.sent_proxy_fields("172.18.0.3");
  shared_.sent_proxy_fields("93.184.216.34");
  shared_.sent_proxy_fields("");
  ASSERT_EQ(shared_.warnings().size(), 1u);
  EXPECT_EQ(shared_.warnings()[0].kind, Kind::kUnnamedProxy);
  EXPECT_EQ(to_string(shared_.warnings()[0].kind), "proxy_unnamed");
  EXPECT_FALSE(shared_.is_shared("172.18.0.3"));
  for (int i = 0; i < 100; ++i) shared_.sent_proxy_fields("172.19.0." + std::to_string(i));
  EXPECT_EQ(shared_.warnings().size(), kUnnamedProxies);
}

TEST(Gateways, AreReadFromTheKernelsTables) {
  const auto v4 = parse_ipv4_gateways(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
      "eth1\t00000A0A\t01000A0A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
      "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
      "broken\t00000000\tnonsense\t0003\t0\t0\t0\t00000000\n"
      "short\n");
  ASSERT_EQ(v4.size(), 1u);
  EXPECT_EQ(to_string(v4[0]), "172.17.0.1");
  const auto v6 = parse_ipv6_gateways(
      "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 "
      "00000001 00000000 "
      "00000001     eth0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 "
      "00000003 00000000 "
      "00000003     eth0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff "
      "00000001 00000000 "
      "00200200       lo\n");
  ASSERT_EQ(v6.size(), 1u);
  EXPECT_EQ(to_string(v6[0]), "fd00::1");
  EXPECT_TRUE(parse_ipv4_gateways("").empty());
}

}  // namespace
}  // namespace posthus
