// Mail that requires TLS all the way, and mail that does without: RFC 8689 §4.2.1, §4.2.2, §5. Store, DNS and hosts are in
// memory, policies are said by the test.
#include <gtest/gtest.h>

#include <map>

#include "smtp/tls_policy_source.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using session::PeerVerification;
using testing::FakeHost;
using testing::Letter;
using testing::QueueScene;

constexpr const char* kOffers = "250-fake.example\r\n250-STARTTLS\r\n250 REQUIRETLS\r\n";

bool contains_text(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// What the test says of each host; nothing: no policy. Counts what it is told.
struct SaidPolicies final : TlsPolicySource {
  void policy_for(TlsQuestion question, TlsPolicyDone done) override {
    const auto found = said.find(question.host);
    TlsPolicy policy = found == said.end() ? TlsPolicy{} : found->second;
    if (policy.verification.names.empty()) policy.verification.names = {question.host};
    done(std::move(policy));
  }
  void connected(const TlsPolicy&, TlsOutcome outcome) override { told.push_back(outcome.host); }

  std::map<std::string, TlsPolicy> said;
  std::vector<std::string> told;
};

TlsPolicy enforced() {
  TlsPolicy policy{.kind = TlsPolicy::Kind::kMtaSts, .requirement = mailauth::TlsRequirement::kPkix};
  policy.verification.kind = PeerVerification::Kind::kPkix;
  return policy;
}
TlsPolicy testing_mode() {
  TlsPolicy policy{.kind = TlsPolicy::Kind::kMtaSts};
  policy.is_testing = true;
  return policy;
}
TlsPolicy dane(mailauth::TlsRequirement requirement = mailauth::TlsRequirement::kDane) {
  TlsPolicy policy{.kind = TlsPolicy::Kind::kDane, .requirement = requirement};
  if (requirement == mailauth::TlsRequirement::kDane) policy.verification.kind = PeerVerification::Kind::kDane;
  return policy;
}

struct RequireTlsTest : QueueScene {
  RequireTlsTest() {
    // example.org: an unsigned MX answer; secure.example: a signed one; plain.example: none.
    zone(
        "example.org MX 10 a.example.org\nexample.org MX 20 b.example.org\n"
        "a.example.org A 192.0.2.1\nb.example.org A 192.0.2.2\n"
        "secure.example MX 10 mx.secure.example !secure\nsecure.example MX 20 mx2.secure.example !secure\n"
        "mx.secure.example A 192.0.2.3\nmx2.secure.example A 192.0.2.4\n"
        "plain.example A 192.0.2.5\n");
    tls_policies = &policies;
    make_runner();
    for (int i = 1; i <= 5; ++i) host(i).ehlo = kOffers;
  }
  ~RequireTlsTest() override { tls_policies = nullptr; }

  QueueId send(const std::string& to, const std::string& from = "anna@example.test") {
    const QueueId id = queue({.from = from, .to = {to}, .requires_tls = true});
    settle();
    return id;
  }
  void certificate_fails(int last) {
    dialer.set_host("192.0.2." + std::to_string(last), 25, {.make_session = hosts[{last, 25}].factory(), .is_verified = false});
  }
  void expect_returned(QueueId id, std::string_view status) {
    EXPECT_FALSE(is_queued(id));
    ASSERT_EQ(inbox().size(), 1U);
    EXPECT_TRUE(contains_text(inbox()[0], "Status: " + std::string(status))) << inbox()[0];
  }

  SaidPolicies policies;
};

// ---- a name that is proven ----

TEST_F(RequireTlsTest, ASignedExchangerWithACertificateGetsItWithTheParameter) {
  const QueueId id = send("ben@secure.example");
  ASSERT_EQ(host(3).messages.size(), 1U);
  EXPECT_TRUE(contains_text(host(3).messages[0].mail, " REQUIRETLS")) << host(3).messages[0].mail;
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(dialer.dialled()[0].verification.kind, PeerVerification::Kind::kPkix);
  EXPECT_EQ(dialer.dialled()[0].verification.names, std::vector<std::string>{"mx.secure.example"});
}

TEST_F(RequireTlsTest, OurOwnListenerNeedsNoCertificateButTls) {
  host(250, 2525).ehlo = kOffers;
  dialer.set_host("192.0.2.250", 2525, {.make_session = hosts[{250, 2525}].factory(), .is_verified = false});
  const QueueId id = send("anna@example.test");
  ASSERT_EQ(host(250, 2525).messages.size(), 1U);
  EXPECT_TRUE(contains_text(host(250, 2525).messages[0].mail, " REQUIRETLS")) << host(250, 2525).messages[0].mail;
  EXPECT_FALSE(is_queued(id));
}

TEST_F(RequireTlsTest, WithoutTlsNotEvenOurOwnListenerGetsIt) {
  host(250, 2525).ehlo = "250 fake.example\r\n";
  const QueueId id = send("anna@example.test");
  EXPECT_TRUE(host(250, 2525).messages.empty());
  expect_returned(id, "5.7.10");
}

TEST_F(RequireTlsTest, ACertificateForANameFromAnUnsignedAnswerProvesNothing) {
  const QueueId id = send("ben@example.org");
  EXPECT_TRUE(host(1).messages.empty());
  EXPECT_TRUE(host(2).messages.empty());
  expect_returned(id, "5.7.10");
}

TEST_F(RequireTlsTest, NeitherDoesDaneOfAnExchangerNamedByAnUnsignedAnswer) {
  policies.said["a.example.org"] = policies.said["b.example.org"] = dane();
  const QueueId id = send("ben@example.org");
  EXPECT_TRUE(host(1).messages.empty());
  expect_returned(id, "5.7.10");
}

TEST_F(RequireTlsTest, AnEnforcedPolicyProvesTheName) {
  policies.said["a.example.org"] = enforced();
  send("ben@example.org");
  ASSERT_EQ(host(1).messages.size(), 1U);
  EXPECT_TRUE(contains_text(host(1).messages[0].mail, " REQUIRETLS"));
}

TEST_F(RequireTlsTest, APolicyInTestingDoesNot) {
  policies.said["a.example.org"] = policies.said["b.example.org"] = testing_mode();
  const QueueId id = send("ben@example.org");
  EXPECT_TRUE(host(1).messages.empty());
  expect_returned(id, "5.7.10");
}

TEST_F(RequireTlsTest, DaneOfASignedExchangerIsProofInPlaceOfTheRoots) {
  policies.said["mx.secure.example"] = dane();
  send("ben@secure.example");
  EXPECT_EQ(host(3).messages.size(), 1U);
  EXPECT_EQ(dialer.dialled()[0].verification.kind, PeerVerification::Kind::kDane);
}

TEST_F(RequireTlsTest, UnusableDaneRecordsLeaveTheRoots) {
  policies.said["mx.secure.example"] = dane(mailauth::TlsRequirement::kEncrypted);
  send("ben@secure.example");
  EXPECT_EQ(host(3).messages.size(), 1U);
  EXPECT_EQ(dialer.dialled()[0].verification.kind, PeerVerification::Kind::kPkix);
}

TEST_F(RequireTlsTest, WithoutExchangersTheCertificateMustNameTheDomain) {
  send("ben@plain.example");
  EXPECT_EQ(host(5).messages.size(), 1U);
  EXPECT_EQ(dialer.dialled()[0].verification.kind, PeerVerification::Kind::kPkix);
  EXPECT_EQ(dialer.dialled()[0].verification.names, std::vector<std::string>{"plain.example"});
}

// ---- the next host ----

TEST_F(RequireTlsTest, AHostThatDoesNotOfferItIsFollowedByOneThatDoes) {
  host(3).ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  const QueueId id = send("ben@secure.example");
  EXPECT_TRUE(host(3).messages.empty());
  EXPECT_EQ(host(4).messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(RequireTlsTest, AHostWithoutTlsAndOneWithAWrongCertificateAreFollowedByAGoodOne) {
  zone(
      "three.example MX 5 a.example.org !secure\nthree.example MX 10 b.example.org !secure\nthree.example MX 20 "
      "mx.secure.example !secure\n");
  host(1).ehlo = "250-fake.example\r\n250 PIPELINING\r\n";
  certificate_fails(2);
  send("ben@three.example");
  EXPECT_EQ(host(3).messages.size(), 1U);
}

TEST_F(RequireTlsTest, WhenNoneOffersItTheMailComesBackAtOnce) {
  host(3).ehlo = host(4).ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  const QueueId id = send("ben@secure.example");
  expect_returned(id, "5.7.30");
}

TEST_F(RequireTlsTest, WhenNoneHasTlsTheMailComesBackAtOnce) {
  host(3).ehlo = "250 fake.example\r\n";
  certificate_fails(4);
  const QueueId id = send("ben@secure.example");
  EXPECT_TRUE(host(4).messages.empty());
  expect_returned(id, "5.7.10");
}

TEST_F(RequireTlsTest, AHostThatIsDownMayBeTheOneThatOffersIt) {
  host(3).ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  dialer.set_host("192.0.2.4", 25, {.connect_failure = "Connection refused"});
  const QueueId id = send("ben@secure.example");
  ASSERT_TRUE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
  host(4);
  pass(6min);
  EXPECT_EQ(host(4).messages.size(), 1U);
}

TEST_F(RequireTlsTest, AHandshakeThatBreaksIsTriedAgainLater) {
  for (const int last : {3, 4}) {
    dialer.set_host("192.0.2." + std::to_string(last), 25,
                    {.make_session = hosts[{last, 25}].factory(), .tls_failure = "connection reset by peer"});
  }
  const QueueId id = send("ben@secure.example");
  EXPECT_TRUE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
  for (const session::DialOptions& dialled : dialer.dialled()) EXPECT_NE(dialled.tls, session::DialTls::kNone);
}

TEST_F(RequireTlsTest, APolicyThatCannotBeHadIsAskedForAgain) {
  policies.said["a.example.org"].is_policy_unknown = true;
  policies.said["b.example.org"].is_policy_unknown = true;
  const QueueId id = send("ben@example.org");
  EXPECT_TRUE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
}

TEST_F(RequireTlsTest, OtherMailOfTheDestinationGoesAsEver) {
  send("ben@example.org");
  const QueueId usual = queue({.to = {"cleo@example.org"}});
  settle();
  EXPECT_EQ(host(1).messages.size(), 1U);
  EXPECT_FALSE(is_queued(usual));
}

// ---- routes ----

TEST_F(RequireTlsTest, ASmarthostMustProveItsOwnName) {
  ASSERT_TRUE(world.store->apply(
      store::PutRoute{{.name = "*", .hops = {{"a.example.org", 25, store::RouteRecord::Tls::kOpportunistic}}}}));
  send("ben@example.org");
  ASSERT_EQ(host(1).messages.size(), 1U);
  EXPECT_TRUE(contains_text(host(1).messages[0].mail, " REQUIRETLS"));
  EXPECT_EQ(dialer.dialled()[0].verification.kind, PeerVerification::Kind::kPkix);
  EXPECT_EQ(dialer.dialled()[0].verification.names, std::vector<std::string>{"a.example.org"});
}

TEST_F(RequireTlsTest, ARouteWithoutTlsTakesNoneOfIt) {
  ASSERT_TRUE(
      world.store->apply(store::PutRoute{{.name = "*", .hops = {{"a.example.org", 25, store::RouteRecord::Tls::kNever}}}}));
  const QueueId id = send("ben@example.org");
  EXPECT_TRUE(host(1).messages.empty());
  expect_returned(id, "5.7.10");
}

// ---- reports ----

TEST_F(RequireTlsTest, TheReportIsOfTheHeaderOnlyAndRequiresTlsItself) {
  zone("gone.example !noname\n");
  queue({.from = "dan@secure.example",
         .to = {"ben@gone.example"},
         .return_content = store::ReturnContent::kFull,
         .requires_tls = true});
  settle();
  ASSERT_EQ(host(3).messages.size(), 1U);
  EXPECT_TRUE(contains_text(host(3).messages[0].mail, "MAIL FROM:<>"));
  EXPECT_TRUE(contains_text(host(3).messages[0].mail, " REQUIRETLS")) << host(3).messages[0].mail;
  EXPECT_TRUE(contains_text(host(3).messages[0].text, "Subject: hello"));
  EXPECT_FALSE(contains_text(host(3).messages[0].text, "\r\nHello.\r\n"));
}

TEST_F(RequireTlsTest, AReportIsNotLostBecauseTheNextHostDoesNotOfferIt) {
  policies.said["a.example.org"] = enforced();
  host(1).ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  send("dan@example.org", "");
  ASSERT_EQ(host(1).messages.size(), 1U);
  EXPECT_FALSE(contains_text(host(1).messages[0].mail, "REQUIRETLS"));
}

TEST_F(RequireTlsTest, AReportSaysItOnlyToAHostThatIsProven) {
  send("dan@example.org", "");
  ASSERT_EQ(host(1).messages.size(), 1U);
  EXPECT_FALSE(contains_text(host(1).messages[0].mail, "REQUIRETLS"));
}

// ---- TLS-Required: No ----

TEST_F(RequireTlsTest, MailThatAsksForItIgnoresThePolicy) {
  policies.said["a.example.org"] = enforced();
  certificate_fails(1);
  queue({.to = {"ben@example.org"}, .ignores_tls_policy = true});
  settle();
  EXPECT_EQ(host(1).messages.size(), 1U);
  EXPECT_EQ(dialer.dialled()[0].tls, session::DialTls::kStartTls);  // all the same it is tried
  EXPECT_TRUE(policies.told.empty());
}

TEST_F(RequireTlsTest, ItGoesWithoutTlsWhenTheHandshakeFails) {
  policies.said["a.example.org"] = dane();
  dialer.set_host("192.0.2.1", 25, {.make_session = hosts[{1, 25}].factory(), .tls_failure = "handshake failure"});
  queue({.to = {"ben@example.org"}, .ignores_tls_policy = true});
  settle();
  EXPECT_EQ(host(1).messages.size(), 1U);
}

TEST_F(RequireTlsTest, OtherMailDoesNot) {
  policies.said["a.example.org"] = policies.said["b.example.org"] = enforced();
  certificate_fails(1);
  certificate_fails(2);
  queue({.to = {"ben@example.org"}, .ignores_tls_policy = true});
  const QueueId usual = queue({.to = {"cleo@example.org"}});
  settle();
  ASSERT_EQ(host(1).messages.size(), 1U);
  EXPECT_EQ(host(1).messages[0].rcpt[0], "ben@example.org");
  EXPECT_TRUE(is_queued(usual));
}

TEST_F(RequireTlsTest, WhoGivesBothMeansTheParameter) {
  queue({.to = {"ben@example.org"}, .requires_tls = true, .ignores_tls_policy = true});
  settle();
  EXPECT_TRUE(host(1).messages.empty());
}

TEST_F(RequireTlsTest, WhatTheAdminDemandsOfARouteStays) {
  certificate_fails(1);
  ASSERT_TRUE(
      world.store->apply(store::PutRoute{{.name = "*", .hops = {{"a.example.org", 25, store::RouteRecord::Tls::kRequired}}}}));
  const QueueId id = queue({.to = {"ben@example.org"}, .ignores_tls_policy = true});
  settle();
  EXPECT_TRUE(host(1).messages.empty());
  EXPECT_TRUE(is_queued(id));
}

}  // namespace
}  // namespace posthus::smtp
