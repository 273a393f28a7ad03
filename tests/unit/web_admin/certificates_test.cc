// Certificates over the API: ordered, uploaded, listed, removed; keys never shown; http-01 answered to everybody.
#include <gtest/gtest.h>

#include "core/net/certificate.h"
#include "store/certificate_reader.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/json.h"

namespace posthus::web_admin {
namespace {

class CertificatesApiTest : public ::testing::Test {
 protected:
  CertificatesApiTest()
      : api_({.store = *world_.store,
              .clock = clock_,
              .hostname = "mx.example.test",
              .certificates_changed = [this] { ++changes_; },
              .default_certificate = [] { return DefaultCertificate{"self-signed", ""}; },
              .http_challenge = [](const std::string& token) -> std::optional<std::string> {
                return token == "the-token" ? std::optional<std::string>("the-token.thumbprint") : std::nullopt;
              }}) {}

  Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request{.method = method, .target = target, .content_type = "application/json", .body = body};
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  Response order(const std::string& hostname) {
    return call("POST", "/api/v1/certificates", R"({"hostname":")" + hostname + "\"}");
  }
  Response upload(const std::string& hostname, const std::string& chain, std::string_view key) {
    return call("PUT", "/api/v1/certificates/" + hostname,
                JsonWriter().begin_object().key("chain").text(chain).key("key").text(key).end_object().take());
  }
  std::optional<store::CertificateRecord> stored(const std::string& hostname) {
    return store::CertificateReader(**world_.store->snapshot()).certificate(hostname).value();
  }

  testing::World world_;
  SystemClock clock_;
  int changes_ = 0;
  Api api_;
  const net::CertificateAndKey pair_ = *net::make_self_signed_certificate("mail.example.test", 90);
};

TEST_F(CertificatesApiTest, AnOrderIsARecordWithoutCertificateThatIsDueAtOnce) {
  const Response made = order("MAIL.example.test");
  EXPECT_EQ(made.status, 202) << made.body;
  EXPECT_TRUE(made.body.contains(R"("hostname":"mail.example.test","source":"acme","state":"ordered","names":null)"))
      << made.body;
  EXPECT_EQ(stored("mail.example.test")->next_attempt, Timestamp{});
  EXPECT_EQ(changes_, 1);
}

TEST_F(CertificatesApiTest, NamesNoCaWouldTakeAreRefused) {
  for (const char* name : {"", "*.example.test", "127.0.0.1", "[127.0.0.1]", "a b", "a..b"}) {
    EXPECT_EQ(order(name).status, 400) << name << order(name).body;
  }
  EXPECT_EQ(changes_, 0);
}

TEST_F(CertificatesApiTest, AnUploadIsUsedAndItsKeyNeverShown) {
  const Response made = upload("mail.example.test", pair_.certificate_pem, pair_.private_key_pem.reveal());
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_TRUE(made.body.contains(R"("source":"upload","state":"valid","names":["mail.example.test","localhost")")) << made.body;
  EXPECT_TRUE(made.body.contains(R"("days_left":89)") || made.body.contains(R"("days_left":90)")) << made.body;
  EXPECT_TRUE(made.body.contains(R"("key":"EC 256")")) << made.body;
  EXPECT_EQ(changes_, 1);
  const std::string key(pair_.private_key_pem.reveal().substr(40, 20));
  const std::string shown = made.body + call("GET", "/api/v1/certificates").body + order("mail.example.test").body;
  EXPECT_FALSE(shown.contains("PRIVATE KEY"));
  EXPECT_FALSE(shown.contains(key));
  EXPECT_EQ(stored("mail.example.test")->source, store::CertificateSource::kAcme) << "ordered after all";
  EXPECT_EQ(stored("mail.example.test")->chain, pair_.certificate_pem) << "and in use until another comes";
}

TEST_F(CertificatesApiTest, AnUploadThatClientsWouldRefuseIsRefusedWithTheReason) {
  const auto other = *net::make_self_signed_certificate("other.example.test", 90);
  const auto refusal = [&](const std::string& hostname, const std::string& chain, std::string_view key) {
    const Response response = upload(hostname, chain, key);
    EXPECT_EQ(response.status, 400) << response.body;
    return response.body;
  };
  const std::string_view key = pair_.private_key_pem.reveal();
  EXPECT_TRUE(
      refusal("mail.example.test", pair_.certificate_pem, other.private_key_pem.reveal()).contains("do not belong together"));
  EXPECT_TRUE(
      refusal("other.example.test", pair_.certificate_pem, key).contains("not for other.example.test but for mail.example.test"));
  EXPECT_TRUE(refusal("*.example.test", pair_.certificate_pem, key).contains("not for"));
  EXPECT_TRUE(refusal("mail.example.test", "x", key).contains("not PEM"));
  EXPECT_TRUE(refusal("mail.example.test", pair_.certificate_pem, "x").contains("not PEM"));
  EXPECT_TRUE(
      refusal("mail.example.test", pair_.certificate_pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----").contains("decrypt it first"));
  EXPECT_TRUE(refusal("mail.example.test", pair_.certificate_pem + other.certificate_pem, key).contains("issuer"));
  EXPECT_FALSE(stored("mail.example.test"));
  EXPECT_EQ(changes_, 0);
}

TEST_F(CertificatesApiTest, TheListHasPagesAndTheDefault) {
  for (const char* name : {"b.example.test", "a.example.test", "c.example.test"}) order(name);
  const Response first = call("GET", "/api/v1/certificates?limit=2");
  EXPECT_LT(first.body.find("a.example.test"), first.body.find("b.example.test")) << first.body;
  EXPECT_FALSE(first.body.contains("c.example.test")) << first.body;
  EXPECT_TRUE(first.body.contains(R"("default":{"source":"self-signed")")) << first.body;
  const std::size_t next = first.body.find("\"next\":\"") + 8;
  const Response second =
      call("GET", "/api/v1/certificates?limit=2&after=" + first.body.substr(next, first.body.find('"', next) - next));
  EXPECT_TRUE(second.body.contains("c.example.test") && second.body.contains("\"next\":null")) << second.body;
  EXPECT_FALSE(second.body.contains("a.example.test")) << second.body;
}

TEST_F(CertificatesApiTest, WhatIsRemovedIsGone) {
  order("mail.example.test");
  EXPECT_EQ(call("DELETE", "/api/v1/certificates/mail.example.test").status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/certificates/mail.example.test").status, 404);
  EXPECT_EQ(call("GET", "/api/v1/certificates/mail.example.test").status, 404);
}

TEST_F(CertificatesApiTest, ARemovedDomainTakesItsOrdersWithItAndNothingElse) {
  ASSERT_EQ(call("POST", "/api/v1/domains", R"({"name":"bank.test"})").status, 201);
  for (const char* label : {"autoconfig.", "mta-sts.", "mail."}) ASSERT_EQ(order(std::string(label) + "bank.test").status, 202);
  ASSERT_EQ(order("autoconfig.other.test").status, 202);
  const auto uploaded = *net::make_self_signed_certificate("autodiscover.bank.test", 90);
  ASSERT_EQ(upload("autodiscover.bank.test", uploaded.certificate_pem, uploaded.private_key_pem.reveal()).status, 200);
  const int before = changes_;
  ASSERT_EQ(call("DELETE", "/api/v1/domains/bank.test").status, 204);
  EXPECT_FALSE(stored("autoconfig.bank.test"));
  EXPECT_FALSE(stored("mta-sts.bank.test"));
  EXPECT_TRUE(stored("autodiscover.bank.test")) << "uploaded";
  EXPECT_TRUE(stored("mail.bank.test")) << "somebody has asked for it";
  EXPECT_TRUE(stored("autoconfig.other.test"));
  EXPECT_EQ(changes_, before + 1);
}

TEST_F(CertificatesApiTest, AChangedSettingTriesFailedOrdersAgain) {
  world_.store->apply(store::PutCertificate{{.hostname = "mail.example.test", .next_attempt = {7'000'000}, .failures = 2}})
      .value();
  EXPECT_EQ(call("PUT", "/api/v1/settings/acme.accept_terms", R"({"value":"1"})").status, 200);
  EXPECT_EQ(stored("mail.example.test")->next_attempt, Timestamp{});
  EXPECT_EQ(stored("mail.example.test")->failures, 2u);
}

TEST_F(CertificatesApiTest, SettingsOfTheCaAreCheckedAndTheSecretOneIsNotShown) {
  const auto status = [this](const std::string& name, const std::string& value) {
    return call("PUT", "/api/v1/settings/" + name, R"({"value":")" + value + "\"}").status;
  };
  EXPECT_EQ(status("acme.directory", "https://ca.test/dir"), 200);
  EXPECT_EQ(status("acme.directory", "http://ca.test/dir"), 400);
  EXPECT_EQ(status("acme.directory", "https://ca.test/a b"), 400);
  EXPECT_EQ(status("acme.contact", "postmaster@example.test"), 200);
  EXPECT_EQ(status("acme.contact", "postmaster"), 400);
  EXPECT_EQ(status("acme.challenge", "tls-alpn-01"), 200);
  EXPECT_EQ(status("acme.challenge", "dns-01"), 400);
  EXPECT_EQ(status("acme.eab_key", "c2VjcmV0LW1hYy1rZXk"), 200);
  const std::string shown = call("GET", "/api/v1/settings").body + call("GET", "/api/v1/settings/acme.eab_key").body;
  EXPECT_FALSE(shown.contains("c2VjcmV0LW1hYy1rZXk")) << shown;
  EXPECT_TRUE(shown.contains(R"("name":"acme.eab_key","value":"********")")) << shown;
}

TEST_F(CertificatesApiTest, ChallengesAreAnsweredToEverybody) {
  Request request{.method = "GET", .target = "/.well-known/acme-challenge/the-token"};
  request.origin.remote_address = "198.51.100.7";
  const Response found = api_.handle(request);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, "the-token.thumbprint");
  request.target = "/.well-known/acme-challenge/another";
  EXPECT_EQ(api_.handle(request).status, 404);
}

}  // namespace
}  // namespace posthus::web_admin
