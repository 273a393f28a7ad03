// Names of domains get orders by themselves: only when ACME is on, the DNS leads them here, and nothing is there already.
#include "core/main/domain_certificates.h"

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/dns/memory_resolver.h"
#include "store/certificate_reader.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::main {
namespace {

/// What is made for each look asks the zone of the test.
class SameResolver final : public dns::Resolver {
 public:
  explicit SameResolver(dns::Resolver& zone) : zone_(zone) {}
  void resolve(std::string name, dns::RecordType type, dns::AnswerDone done) override {
    zone_.resolve(std::move(name), type, std::move(done));
  }

 private:
  dns::Resolver& zone_;
};

class DomainCertificatesTest : public ::testing::Test {
 protected:
  DomainCertificatesTest() {
    log::configure(log::Level::kError, log::Format::kText);
    settings_.hostname = "mail.example.test";
    settings_.data = directory_.path();
    settings_.acme_accept_terms = true;
    certificates_ = std::move(*ServerCertificates::load(settings_, store_.get(), clock_));
    names_ = std::make_unique<DomainCertificates>(DomainCertificatesContext{
        .settings = settings_,
        .store = *store_,
        .certificates = *certificates_,
        .make_resolver =
            [this] {
              before_asking_();
              return std::make_unique<SameResolver>(zone_);
            },
        .own_addresses = [this](const store::Snapshot&) { return Result<std::vector<IpAddress>>(own_); },
        .ordered = [this] { ++announced_; }});
    must(store::PutDomain{{.name = "bank.test"}});
    zone(
        "mail.example.test A 192.0.2.1\nautoconfig.bank.test A 192.0.2.1\nautodiscover.bank.test CNAME mail.example.test\n"
        "mta-sts.bank.test A 192.0.2.1\n");
  }
  template <class Request>
  void must(Request request) {
    const auto outcome = store_->apply(std::move(request));
    ASSERT_TRUE(outcome) << outcome.error().context;
  }
  void set(const std::string& name, const std::string& value) { must(store::PutSetting{name, value}); }
  void zone(const std::string& text) { ASSERT_TRUE(zone_.add_zone(text)); }
  void look() {
    const auto looked = names_->look();
    ASSERT_TRUE(looked) << looked.error().context;
  }
  std::vector<std::string> ordered() {
    std::vector<std::string> names;
    const auto snapshot = store_->snapshot();
    for (const auto& record : store::CertificateReader(**snapshot).certificates("", 100).value().items)
      names.push_back(record.hostname);
    return names;
  }
  std::string reason(const std::string& hostname) {
    for (const PassedOver& passed : names_->passed_over()) {
      if (passed.hostname == hostname) return describe(passed);
    }
    return "";
  }

  store::TemporaryDirectory directory_;
  SystemClock clock_;
  Settings settings_;
  std::unique_ptr<store::Store> store_ = store::Store::create_in_memory(clock_);
  dns::MemoryResolver zone_;
  std::unique_ptr<ServerCertificates> certificates_;
  int announced_ = 0;
  std::function<void()> before_asking_ = [] {};
  std::vector<IpAddress> own_;
  std::unique_ptr<DomainCertificates> names_;
};

const std::vector<std::string> kAll{"autoconfig.bank.test", "autodiscover.bank.test", "mta-sts.bank.test"};

TEST_F(DomainCertificatesTest, NamesThatLeadHereAreOrderedOnce) {
  look();
  EXPECT_EQ(ordered(), kAll);
  EXPECT_EQ(announced_, 1);
  EXPECT_TRUE(names_->passed_over().empty());
  look();
  EXPECT_EQ(announced_, 1);
}

TEST_F(DomainCertificatesTest, WithoutAcceptedTermsNothingIsAskedOrOrdered) {
  settings_.acme_accept_terms = false;
  look();
  EXPECT_TRUE(ordered().empty());
  EXPECT_EQ(zone_.questions(), 0u);
}

TEST_F(DomainCertificatesTest, NamesThatLeadElsewhereArePassedOverWithAReason) {
  zone("autoconfig.bank.test A 198.51.100.7\nmta-sts.bank.test !temporary\n");
  zone_.add("autodiscover.bank.test", dns::RecordType::kA, {.status = dns::Status::kNoName});
  zone_.add("autodiscover.bank.test", dns::RecordType::kAaaa, {.status = dns::Status::kNoName});
  look();
  EXPECT_TRUE(ordered().empty());
  EXPECT_EQ(announced_, 0);
  EXPECT_EQ(reason("autoconfig.bank.test"), "The name leads to 192.0.2.1, 198.51.100.7, and this server is at 192.0.2.1.");
  EXPECT_EQ(reason("autodiscover.bank.test"), "The DNS does not have the name yet.");
  EXPECT_EQ(reason("mta-sts.bank.test"), "The DNS did not answer; it is asked again later.");
}

TEST_F(DomainCertificatesTest, OwnAddressesCountBesideThoseOfTheHostname) {
  zone("autoconfig.bank.test AAAA 2001:db8::1\n");
  look();
  EXPECT_NE(reason("autoconfig.bank.test"), "");
  own_ = {*parse_ip_address("2001:db8::1")};
  look();
  EXPECT_EQ(ordered(), kAll);
}

TEST_F(DomainCertificatesTest, WithoutAnyAddressOfOursNothingIsOrdered) {
  zone_.add("mail.example.test", dns::RecordType::kA, {.status = dns::Status::kNoName});
  look();
  EXPECT_TRUE(ordered().empty());
  EXPECT_NE(reason("autoconfig.bank.test").find("public.addresses"), std::string::npos) << reason("autoconfig.bank.test");
}

TEST_F(DomainCertificatesTest, SettingsAndWhatIsThereAreRespected) {
  set("mta_sts.mode@bank.test", "off");
  must(store::PutCertificate{{.hostname = "autoconfig.bank.test", .failures = 3, .last_error = "kept"}});
  must(store::PutDomain{{.name = "relay.test", .kind = store::DomainKind::kRelay}});
  must(store::PutDomain{{.name = "asleep.test", .is_disabled = true}});
  zone("autoconfig.relay.test A 192.0.2.1\nautoconfig.asleep.test A 192.0.2.1\n");
  look();
  EXPECT_EQ(ordered(), (std::vector<std::string>{"autoconfig.bank.test", "autodiscover.bank.test"}));
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(store::CertificateReader(**snapshot).certificate("autoconfig.bank.test").value()->last_error, "kept");
}

TEST_F(DomainCertificatesTest, ADomainMayBeLeftOut) {
  set("acme.domain_names@bank.test", "0");
  look();
  EXPECT_TRUE(ordered().empty());
}

TEST_F(DomainCertificatesTest, ADomainThatIsRemovedWhileTheDnsIsAskedGetsNoOrder) {
  before_asking_ = [this] { must(store::RemoveDomain{"bank.test"}); };
  look();
  EXPECT_TRUE(ordered().empty());
  EXPECT_EQ(announced_, 0);
}

TEST_F(DomainCertificatesTest, AWildcardCertificateIsEnough) {
  auto pair = net::make_self_signed_certificate("mail.example.test", 30);
  must(store::PutCertificate{{.hostname = "*.bank.test",
                              .source = store::CertificateSource::kUpload,
                              .chain = pair->certificate_pem,
                              .private_key = std::string(pair->private_key_pem.reveal())}});
  look();
  EXPECT_EQ(ordered(), std::vector<std::string>{"*.bank.test"});
}

TEST_F(DomainCertificatesTest, ManyDomainsAreOrderedFewAtATime) {
  std::string text;
  for (int i = 100; i < 220; ++i) {
    const std::string name = "d" + std::to_string(i) + ".test";
    must(store::PutDomain{{.name = name}});
    for (const char* label : {"autoconfig.", "autodiscover.", "mta-sts."}) text += label + name + " A 192.0.2.1\n";
  }
  zone(text);
  look();
  EXPECT_EQ(ordered().size(), DomainCertificates::kOrdersAtOnce);
  EXPECT_NE(reason("mta-sts.d219.test").find("Others are ordered first"), std::string::npos);
  look();
  EXPECT_EQ(ordered().size(), 2 * DomainCertificates::kOrdersAtOnce);
}

}  // namespace
}  // namespace posthus::main
