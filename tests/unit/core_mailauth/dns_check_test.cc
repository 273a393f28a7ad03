// The live check: each record ok, missing, wrong or unknown, judged by what it means.
#include "core/mailauth/dns_check.h"

#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"

namespace posthus::mailauth {
namespace {

constexpr std::string_view kPolicy = "version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 604800\r\n";

dns::PublicationFacts facts() {
  return {.domain = "example.org",
          .hostname = "mail.example.org",
          .addresses = {*parse_ip_address("203.0.113.7")},
          .keys = {{"r1", "v=DKIM1; k=rsa; p=QUJD", dns::OfferedKey::State::kActive}},
          .services = {{"_imaps", 993}, {"_imap", 0}},
          .report_address = "postmaster@example.org",
          .sts_id = "id7",
          .key_digest = "00ff",
          .authorities = {"letsencrypt.org"}};
}

constexpr std::string_view kGood = R"(
example.org MX 10 mail.example.org
mail.example.org A 203.0.113.7
7.113.0.203.in-addr.arpa PTR mail.example.org
example.org TXT "v=spf1 mx ~all"
example.org TXT "some-verification=1"
mail.example.org TXT "v=spf1 a -all"
r1._domainkey.example.org TXT "v=DKIM1; k=rsa; " "p=QUJD"
_dmarc.example.org TXT "v=DMARC1; p=reject"
_mta-sts.example.org TXT "v=STSv1; id=id7"
mta-sts.example.org CNAME mail.example.org
_smtp._tls.example.org TXT "v=TLSRPTv1; rua=mailto:a@b.test"
_imaps._tcp.example.org SRV 5 9 993 mail.example.org
_imap._tcp.example.org SRV 0 0 0 .
autoconfig.example.org A 203.0.113.7
autodiscover.example.org CNAME mail.example.org
_25._tcp.mail.example.org TLSA 3 1 1 00ff !secure
example.org CAA 0 issue "letsencrypt.org; validationmethods=dns-01"
)";

class DnsCheckTest : public ::testing::Test {
 protected:
  std::vector<RecordFinding> check(std::string_view zone, std::optional<Result<std::string>> policy = std::string(kPolicy)) {
    dns::MemoryResolver resolver;
    EXPECT_TRUE(resolver.add_zone(zone));
    const auto all = facts_;
    const CheckInput input{all, policy_, std::move(policy)};
    std::vector<RecordFinding> findings;
    dns::Answers answers;
    dns::ask_until_complete(resolver, answers, std::chrono::steady_clock::now() + std::chrono::seconds(10), {},
                            [&](dns::Answers& known) { findings = check_publication(input, known); });
    return findings;
  }
  /// The zone of above with the lines that begin with `name` and type exchanged for `lines`.
  static std::string with(std::string_view name_and_type, std::string_view lines) {
    std::string out;
    for (std::string_view left = kGood; !left.empty();) {
      const std::size_t end = std::min(left.find('\n'), left.size() - 1);
      if (!left.substr(0, end).starts_with(name_and_type)) out += left.substr(0, end + 1);
      left.remove_prefix(end + 1);
    }
    return out + std::string(lines) + "\n";
  }
  RecordFinding find(const std::vector<RecordFinding>& findings, dns::Purpose purpose) {
    for (const RecordFinding& finding : findings) {
      if (finding.record.purpose == purpose) return finding;
    }
    ADD_FAILURE();
    return {};
  }
  /// "wrong: meaning" of a record, with the zone changed as in with().
  std::string verdict(dns::Purpose purpose, std::string_view name_and_type, std::string_view lines) {
    const RecordFinding finding = find(check(with(name_and_type, lines)), purpose);
    const bool is_bad = finding.state == RecordState::kMissing || finding.state == RecordState::kWrong;
    EXPECT_EQ(finding.paste.empty(), !is_bad || !finding.is_about_name) << finding.meaning;
    return std::string(to_string(finding.state)) + ": " + finding.meaning;
  }
  void expect(dns::Purpose purpose, std::string_view name_and_type, std::string_view lines, std::string_view begins) {
    const std::string found = verdict(purpose, name_and_type, lines);
    EXPECT_TRUE(found.starts_with(begins)) << found;
  }

  std::string policy_{kPolicy};
  dns::PublicationFacts facts_ = facts();
};

using dns::Purpose;

TEST_F(DnsCheckTest, AGoodZoneIsGoodInEveryRecord) {
  const auto findings = check(kGood);
  EXPECT_EQ(findings.size(), dns::publication(facts()).size());
  for (const RecordFinding& finding : findings) {
    EXPECT_EQ(finding.state, RecordState::kOk) << finding.record.name << ": " << finding.meaning;
    EXPECT_TRUE(finding.meaning.ends_with(".")) << finding.meaning;
    EXPECT_FALSE(finding.found.empty()) << finding.record.name;
  }
}

TEST_F(DnsCheckTest, AnEmptyZoneLacksEverythingAndSaysWhatToPaste) {
  for (const RecordFinding& finding : check("")) {
    EXPECT_EQ(finding.state, RecordState::kMissing) << finding.record.name << ": " << finding.meaning;
    EXPECT_EQ(finding.paste, dns::zone_line(finding.record));
  }
}

TEST_F(DnsCheckTest, WhatCannotBeAskedIsUnknownAndNeverMissing) {
  for (const char* mark : {"!temporary", "!bogus"}) {
    const std::string zone = "org " + std::string(mark) + "\nexample.org " + mark + "\narpa " + mark;
    for (const RecordFinding& finding : check(zone)) {
      EXPECT_EQ(finding.state, RecordState::kUnknown) << finding.record.name << ": " << finding.meaning;
      EXPECT_EQ(finding.paste, "");
    }
  }
}

TEST_F(DnsCheckTest, Exchangers) {
  expect(Purpose::kMailExchanger, "example.org MX", "example.org MX 10 mx.other.test",
         "wrong: Mail for the domain goes to another");
  expect(Purpose::kMailExchanger, "example.org MX", "example.org MX 0 .", "wrong: The domain says that it takes no mail");
  expect(Purpose::kMailExchanger, "example.org MX", "example.org MX 10 m2.test\nm2.test A 203.0.113.7",
         "wrong: Mail comes to this server, but by");
  expect(Purpose::kMailExchanger, "example.org MX", "example.org MX 5 x.test\nexample.org MX 10 mail.example.org",
         "ok: Mail comes here only when");
  expect(Purpose::kMailExchanger, "mail.example.org", "mail.example.org CNAME real.test\nreal.test A 203.0.113.7",
         "wrong: mail.example.org is an alias");
  const auto alias = check(with("mail.example.org", "mail.example.org CNAME real.test\nreal.test A 203.0.113.7"));
  EXPECT_EQ(find(alias, Purpose::kMailExchanger).paste, "") << "the MX record is as it should be";
}

TEST_F(DnsCheckTest, HostAndReverse) {
  expect(Purpose::kHostAddress, "mail.example.org A", "mail.example.org A 203.0.113.8",
         "wrong: The name of this server leads elsewhere");
  expect(Purpose::kReverse, "7.113", "7.113.0.203.in-addr.arpa PTR host7.provider.test", "wrong: The address has another name");
  expect(Purpose::kReverse, "mail.example.org A", "mail.example.org A 203.0.113.8", "wrong: The address has the right name, but");
  const auto one_way = check(with("mail.example.org A", "mail.example.org A 203.0.113.8"));
  EXPECT_EQ(find(one_way, Purpose::kReverse).paste, "") << "the PTR record is as it should be";
  EXPECT_EQ(find(one_way, Purpose::kHostAddress).paste, "mail.example.org. 3600 IN A 203.0.113.7\n");
}

TEST_F(DnsCheckTest, SpfIsJudgedByMeaning) {
  const auto spf = [&](const std::string& records, std::string_view begins) {
    expect(Purpose::kSpf, "example.org TXT", records, begins);
  };
  spf(R"(example.org TXT "v=spf1 ip4:203.0.113.0/24 -all")", "ok: Mail from this server passes; the record takes 0 of");
  spf(R"(example.org TXT "V=SPF1 a:mail.example.org ?all")", "ok:");
  spf("example.org TXT \"v=spf1 include:p.test -all\"\np.test TXT \"v=spf1 ip4:203.0.113.7 -all\"",
      "ok: Mail from this server passes; the record takes 1 of");
  spf("example.org TXT \"v=spf1 include:p.test -all\"\np.test TXT \"v=spf1 ip4:203.0.113.8 -all\"",
      "wrong: Mail from this server does not pass (203.0.113.7)");
  spf("example.org TXT \"v=spf1 mx -all\"\nexample.org TXT \"v=spf1 a -all\"", "wrong: There are 2 SPF records");
  spf(R"(example.org TXT "v=spf1 +all")", "wrong: The record lets everybody");
  spf(R"(example.org TXT "v=spf1 mx include:nowhere.test -all")", "ok:");
  std::string many = "example.org TXT \"v=spf1 mx";
  for (int i = 0; i < 10; ++i) many += " a:mail.example.org";
  spf(many + " -all\"", "wrong: The record costs 11 lookups");
  spf("example.org TXT \"v=spf1 a:late.test -all\"\nlate.test !temporary", "unknown:");
}

TEST_F(DnsCheckTest, AnSpfRecordIsMendedNotThrownAway) {
  const auto paste = [&](const std::string& records) {
    return find(check(with("example.org TXT", records)), Purpose::kSpf).paste;
  };
  EXPECT_EQ(paste(R"(example.org TXT "v=spf1 include:p.test -all")"),
            "example.org. 3600 IN TXT \"v=spf1 mx include:p.test -all\"\n");
  EXPECT_EQ(paste("example.org TXT \"v=spf1 mx a -all\"\nexample.org TXT \"v=spf1 include:p.test mx ?all\""),
            "example.org. 3600 IN TXT \"v=spf1 mx a include:p.test ~all\"\n");
}

TEST_F(DnsCheckTest, Keys) {
  const auto key = [&](const std::string& text, std::string_view begins) {
    expect(Purpose::kDkim, "r1._domainkey", text, begins);
  };
  key(R"(r1._domainkey.example.org TXT "p=QU JD")", "ok: The published key is the one");
  key(R"(r1._domainkey.example.org TXT "v=DKIM1; p=QUJE")", "wrong: Another key is published");
  key(R"(r1._domainkey.example.org TXT "v=DKIM1; k=ed25519; p=QUJD")", "wrong: Another key is published");
  key(R"(r1._domainkey.example.org TXT "v=DKIM1; p=")", "wrong: The record says that the key was withdrawn");
  key(R"(r1._domainkey.example.org TXT "v=DKIM1; t=y; p=QUJD")", "wrong: The key is right, but marked as a test");
  key(R"(r1._domainkey.example.org TXT "hello")", "wrong: This is no key record");
  key("r1._domainkey.example.org TXT \"p=QUJD\"\nr1._domainkey.example.org TXT \"p=x\"", "wrong: There is more than one");
}

TEST_F(DnsCheckTest, Dmarc) {
  const auto dmarc = [&](const std::string& text, std::string_view begins) { expect(Purpose::kDmarc, "_dmarc", text, begins); };
  dmarc(R"(_dmarc.example.org TXT "v=DMARC1; p=none")", "ok: Others are asked to report only");
  dmarc(R"(_dmarc.example.org TXT "v=DMARC1;p=Quarantine")", "ok: Mail that pretends to be yours is put aside");
  dmarc(R"(_dmarc.example.org TXT "v=DMARC1; rua=mailto:a@b.test")", "wrong: The record has no valid policy");
  dmarc("_dmarc.example.org TXT \"v=DMARC1; p=none\"\n_dmarc.example.org TXT \"v=DMARC1; p=reject\"",
        "wrong: There is more than one");
  facts_.domain = "mail.branch.example.org";
  EXPECT_EQ(find(check(with("_dmarc", "_dmarc.example.org TXT \"v=DMARC1; p=none; sp=reject\"")), Purpose::kDmarc).meaning,
            "The record of example.org counts. Mail that pretends to be yours is refused.");
}

TEST_F(DnsCheckTest, StsRecordAndPolicy) {
  expect(Purpose::kStsRecord, "_mta-sts", R"(_mta-sts.example.org TXT "v=STSv1; id=old")", "wrong: The policy has changed since");
  expect(Purpose::kStsRecord, "_mta-sts", R"(_mta-sts.example.org TXT "v=STSv1")", "wrong: This is no valid record");
  expect(Purpose::kStsHost, "mta-sts", "mta-sts.example.org A 198.51.100.1", "ok:");  // what is fetched there counts
  const auto fetched = [&](Result<std::string> policy) {
    const RecordFinding finding = find(check(kGood, std::move(policy)), Purpose::kStsHost);
    EXPECT_EQ(finding.paste, "");
    return std::string(to_string(finding.state)) + ": " + finding.meaning;
  };
  EXPECT_TRUE(fetched("version: STSv1\nmode: none\nmax_age: 1\n").starts_with("wrong: What is served there")) << fetched("");
  EXPECT_TRUE(fetched(fail(ErrorKind::kDenied, "self-signed")).starts_with("wrong: The certificate does not hold"));
  EXPECT_TRUE(fetched(fail(ErrorKind::kTimeout, "late")).starts_with("wrong: The policy cannot be fetched"));
  EXPECT_EQ(find(check(kGood, std::nullopt), Purpose::kStsHost).state, RecordState::kUnknown);
}

TEST_F(DnsCheckTest, EveryMailExchangerMustBeInThePolicy) {
  const auto judged = [&](const std::string& mode, const std::string& hosts) {
    policy_ = "version: STSv1\nmode: " + mode + "\n" + hosts + "max_age: 86400\n";
    const RecordFinding finding = find(
        check(std::string(kGood) + "example.org MX 20 backup.other.test\n", Result<std::string>(policy_)), Purpose::kStsHost);
    return std::string(to_string(finding.state)) + ": " + finding.meaning;
  };
  const std::string ours = "mx: mail.example.org\n";
  EXPECT_TRUE(judged("enforce", ours).starts_with("wrong: The policy does not name backup.other.test"))
      << judged("enforce", ours);
  EXPECT_TRUE(judged("testing", ours).starts_with("ok: The policy does not name backup.other.test"));
  EXPECT_NE(judged("enforce", ours).find("mta_sts.mx@example.org"), std::string::npos);
  EXPECT_TRUE(judged("enforce", ours + "mx: backup.other.test\n").starts_with("ok: The policy can be fetched"));
  EXPECT_TRUE(judged("none", ours).starts_with("ok: The policy can be fetched"));
}

TEST_F(DnsCheckTest, ServicesNamesAndCertificates) {
  expect(Purpose::kTlsReports, "_smtp._tls", R"(_smtp._tls.example.org TXT "v=TLSRPTv1")", "wrong:");
  expect(Purpose::kService, "_imaps", "_imaps._tcp.example.org SRV 0 0 993 imap.other.test",
         "wrong: Mail programs are sent elsewhere");
  expect(Purpose::kAutoconfig, "autoconfig", "autoconfig.example.org A 198.51.100.1", "wrong: The name leads to another server");
  expect(Purpose::kTlsa, "_25._tcp", "_25._tcp.mail.example.org TLSA 3 1 1 aabb !secure",
         "wrong: The key of this server is another one");
  expect(Purpose::kCaa, "example.org CAA", "mail.example.org CAA 0 issue \"other.test\"",
         "wrong: The authority named here may not");
}

TEST_F(DnsCheckTest, AServiceThatIsOffMustNotBeOffered) {
  const auto findings = check(with("_imap._tcp", "_imap._tcp.example.org SRV 0 0 143 mail.example.org"));
  int wrong = 0;
  for (const RecordFinding& finding : findings) {
    if (finding.state != RecordState::kWrong) continue;
    ++wrong;
    EXPECT_EQ(finding.record.name, "_imap._tcp.example.org");
  }
  EXPECT_EQ(wrong, 1);
}

}  // namespace
}  // namespace posthus::mailauth
