// Certificates and accounts at CAs in the store: put, replaced, listed, removed; what comes late from a CA; broken bytes.
#include <gtest/gtest.h>

#include "store/certificate_reader.h"
#include "store/queue_reader.h"
#include "store/record_certificate.h"
#include "store/store.h"

namespace posthus::store {
namespace {

class CertificateRecordsTest : public ::testing::Test {
 protected:
  ErrorKind refusal(CertificateRecord record, bool is_of_order = false) {
    const auto outcome = store_->apply(PutCertificate{std::move(record), is_of_order});
    EXPECT_FALSE(outcome);
    return outcome ? ErrorKind::kIo : outcome.error().kind;
  }
  void put(CertificateRecord record, bool is_of_order = false) {
    const auto outcome = store_->apply(PutCertificate{std::move(record), is_of_order});
    ASSERT_TRUE(outcome) << outcome.error().context;
  }
  std::optional<CertificateRecord> find(std::string_view name) {
    return CertificateReader(**store_->snapshot()).certificate(name).value();
  }

  ManualClock clock_{Timestamp::from_seconds(1'000'000)};
  std::unique_ptr<Store> store_ = Store::create_in_memory(clock_);
};

CertificateRecord uploaded(std::string hostname) {
  return {.hostname = std::move(hostname),
          .source = CertificateSource::kUpload,
          .chain = std::string(20'000, 'c'),
          .private_key = "k"};
}

TEST_F(CertificateRecordsTest, ACertificateIsKeptUnderItsNormalisedName) {
  put(uploaded("Mail.Example.Org."));
  ASSERT_TRUE(find("mail.example.org"));
  EXPECT_EQ(find("mail.example.org")->chain.size(), 20'000u);
  EXPECT_EQ(find("mail.example.org")->created, clock_.now());
  put(uploaded("*.example.org"));
  EXPECT_TRUE(find("*.example.org"));
  ASSERT_TRUE(store_->apply(RemoveCertificate{"MAIL.example.org"}));
  EXPECT_FALSE(find("mail.example.org"));
  EXPECT_EQ(store_->apply(RemoveCertificate{"mail.example.org"}).error().kind, ErrorKind::kNotFound);
}

TEST_F(CertificateRecordsTest, WhatCannotBeIsRefused) {
  EXPECT_EQ(refusal({.hostname = ""}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal({.hostname = "127.0.0.1 "}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal({.hostname = "*.example.org"}), ErrorKind::kInvalid) << "a wildcard cannot be ordered";
  EXPECT_EQ(refusal({.hostname = "a.test", .chain = "c"}), ErrorKind::kInvalid) << "a certificate without key";
  CertificateRecord large = uploaded("a.test");
  large.chain.assign(kMaxCertificateRecord, 'c');
  EXPECT_EQ(refusal(std::move(large)), ErrorKind::kTooLarge);
}

TEST_F(CertificateRecordsTest, WhatComesLateFromACaNeitherRevivesNorReplaces) {
  EXPECT_EQ(refusal({.hostname = "a.test"}, true), ErrorKind::kNotFound);
  put({.hostname = "a.test"});
  put({.hostname = "a.test", .failures = 3}, true);
  EXPECT_EQ(find("a.test")->failures, 3u);
  put(uploaded("a.test"));
  EXPECT_EQ(refusal({.hostname = "a.test"}, true), ErrorKind::kNotFound);
  EXPECT_EQ(find("a.test")->source, CertificateSource::kUpload);
}

TEST_F(CertificateRecordsTest, AnOrderForADomainThatHasGoneIsRefused) {
  const auto order = [this](const std::string& domain) {
    return store_->apply(PutCertificate{{.hostname = "autoconfig." + domain}, false, domain});
  };
  ASSERT_TRUE(store_->apply(PutDomain{{.name = "bank.test"}}));
  ASSERT_TRUE(order("bank.test"));
  ASSERT_TRUE(store_->apply(RemoveDomain{"bank.test"}));
  const auto late = order("bank.test");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(find("autoconfig.bank.test"));
}

// One request, one transaction: a server that dies can leave neither half behind.
TEST_F(CertificateRecordsTest, ADomainTakesItsOrdersAndSettingsWithItInOneRequest) {
  const auto setting = [this](const std::string& name) { return QueueReader(**store_->snapshot()).setting(name).value(); };
  for (const char* name : {"bank.test", "other.test"}) ASSERT_TRUE(store_->apply(PutDomain{{.name = name}}));
  for (const char* name : {"autoconfig.bank.test", "mta-sts.bank.test", "mail.bank.test", "autoconfig.other.test"})
    put({.hostname = name});
  put(uploaded("autodiscover.bank.test"));
  for (const char* name : {"dns.update_key@bank.test", "mta_sts.mode@bank.test", "queue.expire_seconds@bank.test",
                           "dns.update_key@other.test", "dns.update_key"})
    ASSERT_TRUE(store_->apply(PutSetting{name, "v"}));
  const auto removed = store_->apply(RemoveDomain{"Bank.test"});
  ASSERT_TRUE(removed) << removed.error().context;
  EXPECT_FALSE(find("autoconfig.bank.test"));
  EXPECT_FALSE(find("mta-sts.bank.test"));
  EXPECT_TRUE(find("autodiscover.bank.test")) << "uploaded";
  EXPECT_TRUE(find("mail.bank.test")) << "somebody has asked for it";
  EXPECT_TRUE(find("autoconfig.other.test"));
  EXPECT_FALSE(setting("dns.update_key@bank.test")) << "a domain that comes back must not bring a secret back";
  EXPECT_FALSE(setting("mta_sts.mode@bank.test"));
  EXPECT_TRUE(setting("queue.expire_seconds@bank.test")) << "of a destination, whoever looks after it";
  EXPECT_TRUE(setting("dns.update_key@other.test"));
  EXPECT_TRUE(setting("dns.update_key"));
}

TEST_F(CertificateRecordsTest, ListsHavePages) {
  for (const char* name : {"c.test", "a.test", "b.test"}) put(uploaded(name));
  const auto snapshot = store_->snapshot();
  const CertificateReader reader(**snapshot);
  const auto first = reader.certificates("", 2).value();
  ASSERT_EQ(first.items.size(), 2u);
  EXPECT_EQ(first.items[0].hostname, "a.test");
  EXPECT_EQ(first.next, "b.test");
  const auto second = reader.certificates(first.next, 2).value();
  ASSERT_EQ(second.items.size(), 1u);
  EXPECT_EQ(second.items[0].hostname, "c.test");
  EXPECT_EQ(second.next, "");
}

TEST_F(CertificateRecordsTest, EachCaHasItsAccount) {
  const auto account = [this](std::string_view directory) {
    return CertificateReader(**store_->snapshot()).acme_account(directory).value();
  };
  ASSERT_TRUE(store_->apply(PutAcmeAccount{{.directory = "https://a.test/", .private_key = "k", .url = ""}}));
  ASSERT_TRUE(store_->apply(PutAcmeAccount{{.directory = "https://a.test/", .private_key = "k", .url = "https://a.test/1"}}));
  EXPECT_EQ(account("https://a.test/")->url, "https://a.test/1");
  EXPECT_FALSE(account("https://b.test/"));
  EXPECT_FALSE(store_->apply(PutAcmeAccount{{.directory = "https://a.test/"}})) << "without key";
  EXPECT_FALSE(store_->apply(PutAcmeAccount{{.private_key = "k"}}));
}

TEST_F(CertificateRecordsTest, BrokenBytesAreNoRecord) {
  const std::string whole = encode_certificate(uploaded("a.test")).substr(0);
  ASSERT_TRUE(decode_certificate(whole));
  for (std::size_t size = 0; size < whole.size(); size += 7) EXPECT_FALSE(decode_certificate(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode_certificate(whole + "x"));
  const std::string account = encode_acme_account({.directory = "d", .private_key = "k", .url = "u"});
  for (std::size_t size = 0; size < account.size(); ++size) EXPECT_FALSE(decode_acme_account(account.substr(0, size))) << size;
}

}  // namespace
}  // namespace posthus::store
