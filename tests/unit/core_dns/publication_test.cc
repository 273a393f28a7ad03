// What a domain is told to publish, as rows and as a zone file.
#include "core/dns/publication.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/dns/record.h"
#include "core/dns/record_text.h"

namespace posthus::dns {
namespace {

PublicationFacts facts() {
  return {.domain = "example.org",
          .hostname = "mail.example.org",
          .addresses = {*parse_ip_address("192.0.2.7"), *parse_ip_address("2001:db8::7")},
          .keys = {{"e1", "v=DKIM1; k=ed25519; p=AAAA", OfferedKey::State::kActive},
                   {"r1", "v=DKIM1; k=rsa; p=" + std::string(400, 'B'), OfferedKey::State::kPending},
                   {"r0", "v=DKIM1; k=rsa; p=C", OfferedKey::State::kRetiring}},
          .services = {{"_submissions", 465}, {"_submission", 587}, {"_imaps", 993}, {"_imap", 0}},
          .report_address = "postmaster@example.org",
          .sts_id = "20261122",
          .key_digest = "00ff",
          .authorities = {"letsencrypt.org"}};
}

const PublishedRecord* find(const std::vector<PublishedRecord>& records, std::string_view name, RecordType type) {
  const auto found = std::ranges::find_if(records, [&](const auto& r) { return r.name == name && r.type == type; });
  return found == records.end() ? nullptr : &*found;
}
std::string value(std::string_view name, RecordType type) {
  const auto records = publication(facts());
  const PublishedRecord* const record = find(records, name, type);
  return record ? record->value : "(none)";
}

TEST(PublicationTest, NamesEveryRecordOfADomain) {
  EXPECT_EQ(value("example.org", RecordType::kMx), "10 mail.example.org.");
  EXPECT_EQ(value("mail.example.org", RecordType::kA), "192.0.2.7");
  EXPECT_EQ(value("mail.example.org", RecordType::kAaaa), "2001:db8::7");
  EXPECT_EQ(value("7.2.0.192.in-addr.arpa", RecordType::kPtr), "mail.example.org.");
  EXPECT_EQ(value("example.org", RecordType::kTxt), "v=spf1 mx ~all");
  EXPECT_EQ(value("mail.example.org", RecordType::kTxt), "v=spf1 a -all");
  EXPECT_EQ(value("e1._domainkey.example.org", RecordType::kTxt), "v=DKIM1; k=ed25519; p=AAAA");
  EXPECT_EQ(value("_dmarc.example.org", RecordType::kTxt), "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org");
  EXPECT_EQ(value("_mta-sts.example.org", RecordType::kTxt), "v=STSv1; id=20261122;");
  EXPECT_EQ(value("mta-sts.example.org", RecordType::kCname), "mail.example.org.");
  EXPECT_EQ(value("_smtp._tls.example.org", RecordType::kTxt), "v=TLSRPTv1; rua=mailto:postmaster@example.org");
  EXPECT_EQ(value("_imaps._tcp.example.org", RecordType::kSrv), "0 1 993 mail.example.org.");
  EXPECT_EQ(value("_imap._tcp.example.org", RecordType::kSrv), "0 0 0 .");
  EXPECT_EQ(value("autoconfig.example.org", RecordType::kCname), "mail.example.org.");
  EXPECT_EQ(value("autodiscover.example.org", RecordType::kCname), "mail.example.org.");
  EXPECT_EQ(value("_25._tcp.mail.example.org", RecordType::kTlsa), "3 1 1 00ff");
  EXPECT_EQ(value("mail.example.org", RecordType::kCaa), "0 issue \"letsencrypt.org\"");
}

TEST(PublicationTest, EveryRowHasAReasonAndEveryValueIsOneOfItsType) {
  for (const PublishedRecord& record : publication(facts())) {
    EXPECT_TRUE(record.why.ends_with(".")) << record.name;
    const auto wire = value_to_wire(record.type, record.value);
    ASSERT_TRUE(wire) << record.name << " " << record.value;
    Answer read;
    EXPECT_TRUE(append_record(record.type, *wire, read)) << record.value;
    EXPECT_TRUE(name_to_wire(record.name)) << record.name;
  }
}

TEST(PublicationTest, WhatMailDoesNotWorkWithoutIsRequired) {
  for (const PublishedRecord& record : publication(facts())) {
    const bool is_needed = record.purpose == Purpose::kMailExchanger || record.purpose == Purpose::kHostAddress ||
                           record.purpose == Purpose::kReverse || record.purpose == Purpose::kSpf ||
                           (record.purpose == Purpose::kDkim && !record.name.starts_with("r0"));
    EXPECT_EQ(record.importance == Importance::kRequired, is_needed) << record.name;
  }
}

TEST(PublicationTest, WithoutPolicyReportsKeyAndAuthorityThereIsNothingOfThem) {
  PublicationFacts less = facts();
  less.sts_id.clear(), less.report_address.clear(), less.key_digest.clear(), less.authorities.clear();
  const auto records = publication(less);
  EXPECT_FALSE(find(records, "_mta-sts.example.org", RecordType::kTxt));
  EXPECT_FALSE(find(records, "mta-sts.example.org", RecordType::kCname));
  EXPECT_FALSE(find(records, "_smtp._tls.example.org", RecordType::kTxt));
  EXPECT_FALSE(find(records, "_25._tcp.mail.example.org", RecordType::kTlsa));
  EXPECT_FALSE(find(records, "mail.example.org", RecordType::kCaa));
  EXPECT_EQ(find(records, "_dmarc.example.org", RecordType::kTxt)->value, "v=DMARC1; p=quarantine");
}

TEST(PublicationTest, ABackupNeedsOnlyItsMxAndItsHost) {
  PublicationFacts backup = facts();
  backup.is_backup = true;
  const auto records = publication(backup);
  EXPECT_EQ(records.size(), 5u);
  EXPECT_EQ(records.front().value, "20 mail.example.org.");
}

TEST(PublicationTest, ADomainThatIsItsOwnHostHasOneSpfRecord) {
  PublicationFacts same = facts();
  same.hostname = "example.org";
  const auto records = publication(same);
  EXPECT_EQ(std::ranges::count_if(records, [](const auto& r) { return r.type == RecordType::kTxt && r.name == "example.org"; }),
            1);
}

TEST(PublicationTest, TheZoneFileSplitsLongTextsAndLeavesOutWhatBelongsElsewhere) {
  PublicationFacts elsewhere = facts();
  elsewhere.hostname = "mx.provider.test";
  const std::string zone = zone_file(elsewhere, publication(elsewhere));
  EXPECT_NE(zone.find("\nexample.org. 3600 IN MX 10 mx.provider.test.\n"), std::string::npos) << zone;
  EXPECT_NE(zone.find("\n; mx.provider.test. 3600 IN A 192.0.2.7\n"), std::string::npos) << zone;
  EXPECT_NE(zone.find("\n; 7.2.0.192.in-addr.arpa. 3600 IN PTR mx.provider.test.\n"), std::string::npos) << zone;
  EXPECT_NE(zone.find("r1._domainkey.example.org. 3600 IN TXT ( \"v=DKIM1; k=rsa; p=B"), std::string::npos) << zone;
  for (std::size_t quote = zone.find('"'); quote != std::string::npos;) {
    const std::size_t end = zone.find('"', quote + 1);
    EXPECT_LE(end - quote - 1, 255u);
    quote = zone.find('"', end + 1);
  }
}

TEST(RecordTextTest, ReverseNames) {
  EXPECT_EQ(reverse_name(*parse_ip_address("192.0.2.7")), "7.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(*parse_ip_address("2001:db8::567:89ab")),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(RecordTextTest, WhatIsNoneOfTheTypeIsRefused) {
  const std::pair<RecordType, std::string> kWrong[] = {{RecordType::kA, "2001:db8::1"},        {RecordType::kAaaa, "192.0.2.1"},
                                                       {RecordType::kMx, "mail.example.org."}, {RecordType::kMx, "70000 a.test."},
                                                       {RecordType::kSrv, "0 1 993"},          {RecordType::kTlsa, "3 1 1 0f0"},
                                                       {RecordType::kTlsa, "3 1 300 0f"},      {RecordType::kCaa, "0 issue"},
                                                       {RecordType::kCname, "a..b"},           {RecordType::kPtr, ""},
                                                       {RecordType::kTlsa, "3 1 1 0g"}};
  for (const auto& [type, text] : kWrong) EXPECT_FALSE(value_to_wire(type, text)) << text;
}

TEST(RecordTextTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(quote_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quote_text(""), "\"\"");
  EXPECT_EQ(quote_text(std::string(256, 'x')), "\"" + std::string(255, 'x') + "\" \"x\"");
}

}  // namespace
}  // namespace posthus::dns
