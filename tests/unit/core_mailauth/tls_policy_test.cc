// MTA-STS records and policies, DANE decisions. RFC 8461 §3.1, §3.2, §4.1 and its examples; RFC 7672 §2.2, §3 and its.
#include "core/mailauth/tls_policy.h"

#include <gtest/gtest.h>

namespace posthus::mailauth {
namespace {

using Texts = std::vector<std::string>;

TEST(StsRecordTest, TheExampleOfTheRfcHasItsId) { EXPECT_EQ(find_sts_id({"v=STSv1; id=20160831085700Z;"}), "20160831085700Z"); }

TEST(StsRecordTest, OtherFieldsAndOrderDoNotMatter) {
  EXPECT_EQ(find_sts_id({"v=STSv1;id=a1"}), "a1");
  EXPECT_EQ(find_sts_id({"v=STSv1 ;\text-1=x:y ; id=a1 ; "}), "a1");
  EXPECT_EQ(find_sts_id({"v=STSv1; id=first; id=second"}), "first");
  EXPECT_EQ(find_sts_id({"v=spf1 -all", "v=STSv1; id=a1;", "v=STSv10; id=x"}), "a1") << "other records are discarded";
}

TEST(StsRecordTest, NoneOrMoreThanOneOrABrokenOneIsNone) {
  const std::string long_id(33, 'a');
  for (const Texts& texts : {Texts{}, Texts{"v=STSv1"}, Texts{"v=STSv1;"}, Texts{"v=STSv1; id="}, Texts{"v=STSv1; id=a b"},
                             Texts{"v=STSv1; id=a-b"}, Texts{"v=STSv1; ID=a"}, Texts{"v=stsv1; id=a"}, Texts{" v=STSv1; id=a"},
                             Texts{"id=a; v=STSv1"}, Texts{"v=STSv1; id=" + long_id}, Texts{"v=STSv1; nonsense; id=a"},
                             Texts{"v=STSv1;; id=a"}, Texts{"v=STSv1; id=a", "v=STSv1; id=a"}, Texts{"v=STSv1; id=\xc3\xa5"}}) {
    EXPECT_FALSE(find_sts_id(texts)) << ::testing::PrintToString(texts);
  }
}

TEST(StsPolicyTest, TheExampleOfTheRfcIsRead) {
  const auto policy = parse_sts_policy(
      "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: "
      "604800\r\n");
  ASSERT_TRUE(policy) << policy.error().context;
  EXPECT_EQ(policy->mode, StsMode::kEnforce);
  EXPECT_EQ(policy->max_age.count(), 604'800);
  EXPECT_EQ(policy->mx, (Texts{"mail.example.com", "*.example.net", "backupmx.example.com"}));
}

TEST(StsPolicyTest, LineEndsBlanksOrderAndUnknownFieldsDoNotMatter) {
  const auto policy = parse_sts_policy(
      "max_age:86400  \nx-new: something \xc3\xa5\nmx: \tMX.Example.COM\n\nmode: testing\nmode: enforce\nversion:STSv1");
  ASSERT_TRUE(policy) << policy.error().context;
  EXPECT_EQ(policy->mode, StsMode::kTesting) << "the first of a repeated field counts";
  EXPECT_EQ(policy->mx, Texts{"mx.example.com"});
  const auto none = parse_sts_policy("version: STSv1\nmode: none\nmax_age: 99999999999\n");
  EXPECT_FALSE(none) << "more digits than the grammar has";
  const auto old = parse_sts_policy("version: STSv1\nmode: none\nmax_age: 9999999999\n");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->max_age, kMaxStsAge) << "a year at most";
}

TEST(StsPolicyTest, WhatIsNoPolicyIsRefused) {
  const std::string good = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n";
  ASSERT_TRUE(parse_sts_policy(good));
  for (const char* bad :
       {"", "version: STSv1\nmode: enforce\nmax_age: 1\n", "version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n",
        "mode: enforce\nmx: a.example\nmax_age: 1\n", "version: STSv1\nmx: a.example\nmax_age: 1\n",
        "version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", "version: STSv1\nmode: enforce\nmx: a.example\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1d\n",
        "version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 1\n", "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.*.example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: [192.0.2.1]\nmax_age: 1\n", "version: STSv1\nmode: enforce\nmx:\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\nnonsense\n",
        "<html>\nversion: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n",
        " version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n"}) {
    EXPECT_FALSE(parse_sts_policy(bad)) << bad;
  }
  EXPECT_FALSE(parse_sts_policy(good + std::string(kMaxStsPolicy, '\n')));
  std::string many = good;
  for (std::size_t i = 0; i < kMaxStsPatterns; ++i) many += "mx: b.example\n";
  EXPECT_FALSE(parse_sts_policy(many));
}

TEST(StsPolicyTest, AWildcardStandsForOneLabel) {
  const StsPolicy policy{.mode = StsMode::kEnforce, .mx = {"mail.example.com", "*.example.net"}};
  EXPECT_TRUE(sts_allows(policy, "mail.example.com"));
  EXPECT_TRUE(sts_allows(policy, "a.example.net"));
  EXPECT_FALSE(sts_allows(policy, "a.b.example.net"));
  EXPECT_FALSE(sts_allows(policy, "example.net"));
  EXPECT_FALSE(sts_allows(policy, ".example.net"));
  EXPECT_FALSE(sts_allows(policy, "mail.example.com.evil.test"));
  EXPECT_FALSE(sts_allows(policy, "xmail.example.com"));
  EXPECT_FALSE(sts_allows(policy, ""));
}

dns::Answer found_addresses(std::string canonical_name, bool is_secure) {
  return {.status = dns::Status::kFound,
          .is_secure = is_secure,
          .canonical_name = std::move(canonical_name),
          .addresses = {IpAddress{}}};
}

// The zone of RFC 7672 §3.2.2.
const DaneHost kMx10{"mx10.example.com", "exchange.example.org", "example.com", true, true};

TEST(DaneTest, AHostWithSecureAddressesIsItsOwnBaseDomain) {
  EXPECT_EQ(tlsa_base_domains(kMx10, found_addresses("mx10.example.com", true), nullptr), Texts{"mx10.example.com"});
  EXPECT_EQ(tlsa_name("mx10.example.com", 25), "_25._tcp.mx10.example.com");
}

TEST(DaneTest, InsecureAddressesEndTheSearch) {
  EXPECT_TRUE(tlsa_base_domains(kMx10, found_addresses("mx10.example.com", false), nullptr).empty());
  EXPECT_FALSE(needs_alias(kMx10, found_addresses("mx10.example.com", false)));
  EXPECT_TRUE(tlsa_base_domains(kMx10, {.status = dns::Status::kNoData, .is_secure = true}, nullptr).empty());
}

TEST(DaneTest, ASecureAliasIsTriedExpandedFirst) {
  const DaneHost mx20{"mx20.example.com", "exchange.example.org", "example.com", true, true};
  EXPECT_EQ(tlsa_base_domains(mx20, found_addresses("mxbackup.example.net", true), nullptr),
            (Texts{"mxbackup.example.net", "mx20.example.com"}));
}

TEST(DaneTest, AnAliasInASecureZoneToInsecureAddressesIsTriedUnexpanded) {
  const DaneHost mx15{"mx15.example.com", "exchange.example.org", "example.com", true, true};
  const dns::Answer addresses = found_addresses("mxbackup.example.com", false);
  EXPECT_TRUE(needs_alias(mx15, addresses));
  const dns::Answer secure{.status = dns::Status::kFound, .is_secure = true, .names = {"mxbackup.example.com"}};
  const dns::Answer insecure{.status = dns::Status::kFound, .is_secure = false, .names = {"mxbackup.example.com"}};
  EXPECT_EQ(tlsa_base_domains(mx15, addresses, &secure), Texts{"mx15.example.com"});
  EXPECT_TRUE(tlsa_base_domains(mx15, addresses, &insecure).empty());
  EXPECT_TRUE(tlsa_base_domains(mx15, addresses, nullptr).empty());
}

dns::Answer tlsa_answer(std::vector<dns::TlsaRecord> records, bool is_secure = true) {
  return {.status = dns::Status::kFound, .is_secure = is_secure, .tlsa = std::move(records)};
}

const dns::TlsaRecord kEndEntity{3, 1, 1, std::string(32, 'a')}, kTrustAnchor{2, 0, 2, std::string(64, 'b')};
const dns::TlsaRecord kPkixTa{0, 0, 1, std::string(32, 'c')};

TEST(DaneTest, UsableRecordsDemandAMatchingCertificate) {
  const auto policy = dane_policy(kMx10, "mx10.example.com", tlsa_answer({kPkixTa, kEndEntity, kTrustAnchor}));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->requirement, TlsRequirement::kDane);
  EXPECT_EQ(policy->tlsa.size(), 2u);
  EXPECT_EQ(policy->names, (Texts{"mx10.example.com", "exchange.example.org", "example.com"}));
}

TEST(DaneTest, UnusableRecordsDemandTls) {
  const auto policy = dane_policy(kMx10, "mx10.example.com", tlsa_answer({kPkixTa}));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->requirement, TlsRequirement::kEncrypted);
  EXPECT_TRUE(policy->tlsa.empty());
}

TEST(DaneTest, InsecureOrAbsentRecordsDemandNothing) {
  for (const dns::Answer& answer :
       {tlsa_answer({kEndEntity}, false), dns::Answer{.status = dns::Status::kNoName, .is_secure = true},
        dns::Answer{.status = dns::Status::kNoData, .is_secure = false}}) {
    const auto policy = dane_policy(kMx10, "mx10.example.com", answer);
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->requirement, TlsRequirement::kOpportunistic);
    EXPECT_TRUE(policy->names.empty());
  }
}

TEST(DaneTest, AFailedLookupForbidsTheHost) {
  EXPECT_FALSE(dane_policy(kMx10, "mx10.example.com", {.status = dns::Status::kTemporary, .reason = "SERVFAIL"}));
  EXPECT_FALSE(dane_policy(kMx10, "mx10.example.com", {.status = dns::Status::kBogus}));
}

TEST(DaneTest, WithAnInsecureMxAnswerOnlyTheHostIsProven) {
  DaneHost host = kMx10;
  host.is_mx_secure = false;
  const auto policy = dane_policy(host, "mx10.example.com", tlsa_answer({kTrustAnchor}));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->names, Texts{"mx10.example.com"});
}

TEST(DaneTest, OnlyRecordsOfSmtpWithWholeDigestsAreUsable) {
  EXPECT_TRUE(is_usable(kEndEntity));
  EXPECT_TRUE(is_usable(kTrustAnchor));
  EXPECT_TRUE(is_usable({3, 0, 0, "whole certificate"}));
  EXPECT_FALSE(is_usable(kPkixTa)) << "RFC 7672 §3.1.3";
  EXPECT_FALSE(is_usable({1, 1, 1, std::string(32, 'a')}));
  EXPECT_FALSE(is_usable({3, 1, 1, std::string(31, 'a')}));
  EXPECT_FALSE(is_usable({3, 1, 2, std::string(32, 'a')}));
  EXPECT_FALSE(is_usable({3, 2, 1, std::string(32, 'a')}));
  EXPECT_FALSE(is_usable({3, 1, 3, std::string(32, 'a')}));
  EXPECT_FALSE(is_usable({4, 1, 1, std::string(32, 'a')}));
  EXPECT_FALSE(is_usable({3, 0, 0, ""}));
  std::vector<dns::TlsaRecord> many(200, kEndEntity);
  EXPECT_EQ(dane_policy(kMx10, "mx10.example.com", tlsa_answer(many))->tlsa.size(), kMaxUsableTlsa);
}

}  // namespace
}  // namespace posthus::mailauth
