// The certificate a client gets by the hostname it names, tls-alpn-01 challenges, and what certificates say of themselves.
// RFC 6066 §3, RFC 8737 §3, RFC 9773 §4.1.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "core/base/hash.h"
#include "core/net/certificate_facts.h"
#include "core/net/tls_context.h"
#include "tests/unit/core_net/made_certificates.h"

namespace posthus::net {
namespace {

struct Handshake {
  std::string name;      // common name of the server's certificate; empty: the handshake failed
  std::string protocol;  // that ALPN chose
  std::string acme_identifier;
};

constexpr std::string_view kAcme{
    "\x0a"
    "acme-tls/1",
    11};
constexpr std::string_view kHttp{"\x08http/1.1", 9};

/// What a client sees that names `server_name` and offers `alpn` (as on the wire) to a listener of protocol `served`.
Handshake shake_hands(const TlsContext& tls, const std::string& server_name, const std::string& alpn = "",
                      const std::string& served = "") {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::thread server([&] {
    const SslPointer ssl = tls.accept_on(ends[1], served);
    SSL_accept(ssl.get());
    close(ends[1]);
  });
  Handshake seen;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, ends[0]);
  if (!server_name.empty()) SSL_set_tlsext_host_name(ssl, server_name.c_str());
  if (!alpn.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size()));
  }
  if (SSL_connect(ssl) == 1) {
    X509* certificate = SSL_get0_peer_certificate(ssl);
    char text[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    seen.name = text;
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &size);
    seen.protocol.assign(reinterpret_cast<const char*>(chosen), size);
    ASN1_OBJECT* oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    const int index = X509_get_ext_by_OBJ(certificate, oid, -1);
    ASN1_OBJECT_free(oid);
    X509_EXTENSION* extension = index < 0 ? nullptr : X509_get_ext(certificate, index);
    if (extension != nullptr && X509_EXTENSION_get_critical(extension) == 1) {
      const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
      seen.acme_identifier.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                  static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(ends[0]);
  server.join();
  return seen;
}

CertificateAndKey pair_for(const std::string& name) { return make_self_signed_certificate(name, 30).value(); }

std::vector<NamedCertificate> named(std::initializer_list<const char*> names) {
  std::vector<NamedCertificate> out;
  for (const char* name : names) out.push_back({name, pair_for(std::string(name).starts_with("*.") ? "wild.test" : name)});
  return out;
}

TEST(ServerNameTest, TheClientGetsTheCertificateOfTheNameItAsksFor) {
  const auto tls = TlsContext::create_server(pair_for("default.test")).value();
  EXPECT_EQ(shake_hands(*tls, "a.test").name, "default.test");
  ASSERT_TRUE(tls->replace(pair_for("default.test"), named({"a.test", "b.test", "*.c.test", "x.c.test"})));
  EXPECT_EQ(shake_hands(*tls, "a.test").name, "a.test");
  EXPECT_EQ(shake_hands(*tls, "B.Test").name, "b.test") << "case does not count";
  EXPECT_EQ(shake_hands(*tls, "y.c.test").name, "wild.test");
  EXPECT_EQ(shake_hands(*tls, "x.c.test").name, "x.c.test") << "the exact name is better";
  EXPECT_EQ(shake_hands(*tls, "z.y.c.test").name, "default.test") << "a wildcard is one label";
  EXPECT_EQ(shake_hands(*tls, "c.test").name, "default.test");
  EXPECT_EQ(shake_hands(*tls, "").name, "default.test");
  EXPECT_EQ(shake_hands(*tls, "a.test", std::string(kHttp), "http/1.1").protocol, "http/1.1");
  ASSERT_TRUE(tls->replace(pair_for("other.test")));
  EXPECT_EQ(shake_hands(*tls, "a.test").name, "other.test") << "all are replaced at once";
}

TEST(ServerNameTest, OneBrokenCertificateDoesNotHarmTheOthers) {
  const auto tls = TlsContext::create_server(pair_for("default.test")).value();
  std::vector<NamedCertificate> some = named({"a.test"});
  some.push_back({"broken.test", {"not PEM", Secret(std::string("no key"))}});
  ASSERT_TRUE(tls->replace(pair_for("default.test"), some));
  EXPECT_EQ(shake_hands(*tls, "a.test").name, "a.test");
  EXPECT_EQ(shake_hands(*tls, "broken.test").name, "default.test");
}

TEST(ServerNameTest, AChallengeIsAnsweredToWhoAsksForItAndToNobodyElse) {
  const auto tls = TlsContext::create_server(pair_for("default.test")).value();
  ASSERT_TRUE(tls->replace(pair_for("default.test"), named({"a.test"})));
  const std::string acme(kAcme), http(kHttp);
  for (const std::string served : {"", "http/1.1"}) {
    const Sha256Digest digest = sha256("token.thumbprint");
    ASSERT_TRUE(tls->serve_challenge("a.test", make_challenge_certificate("a.test", as_view(digest)).value()));
    const Handshake seen = shake_hands(*tls, "a.test", acme, served);
    EXPECT_EQ(seen.protocol, "acme-tls/1") << served;
    EXPECT_EQ(seen.acme_identifier, std::string("\x04\x20") + std::string(as_view(digest)));
    EXPECT_EQ(shake_hands(*tls, "b.test", acme, served).name, "") << "no challenge of that name";
    EXPECT_EQ(shake_hands(*tls, "", acme, served).name, "");
    EXPECT_EQ(shake_hands(*tls, "a.test", http, served).acme_identifier, "");
    EXPECT_EQ(shake_hands(*tls, "a.test", "", served).name, "a.test") << "others are served as ever";
    EXPECT_EQ(shake_hands(*tls, "a.test", acme + http, served).acme_identifier, "") << "acme-tls/1 must be the only offer";
    tls->withdraw_challenge("a.test");
    EXPECT_EQ(shake_hands(*tls, "a.test", acme, served).acme_identifier, "");
  }
  EXPECT_EQ(shake_hands(*tls, "a.test", acme, "http/1.1").name, "") << "no such protocol here now";
  EXPECT_FALSE(make_challenge_certificate("a.test", "short"));
}

TEST(CertificateFactsTest, TellsWhatPeopleAndTheRenewalNeed) {
  const MadeCertificate authority = make_certificate("An Authority", MadeAs::kAuthority);
  const CertificateAndKey pair = make_certificate("a.test", MadeAs::kServer, &authority, -3, 5).pair(&authority);
  const CertificateFacts facts = certificate_facts(pair.certificate_pem).value();
  EXPECT_EQ(facts.names, std::vector<std::string>{"a.test"});
  EXPECT_EQ(facts.issuer, "An Authority");
  EXPECT_EQ(facts.key, "EC 256");
  EXPECT_EQ(facts.not_after - facts.not_before, 8 * 86'400);
  EXPECT_EQ(facts.intermediates, 1u);
  EXPECT_FALSE(facts.is_self_signed);
  EXPECT_EQ(facts.renewal_id, "") << "without authority key identifier";
  EXPECT_TRUE(check_pair(pair));
  EXPECT_TRUE(certificate_facts(pair_for("b.test").certificate_pem)->is_self_signed);
  EXPECT_FALSE(certificate_facts("x"));
}

TEST(CertificateFactsTest, WildcardsCoverOneLabel) {
  CertificateFacts facts;
  facts.names = {"*.a.test", "b.test"};
  EXPECT_TRUE(facts.covers("x.A.test") && facts.covers("B.test"));
  EXPECT_FALSE(facts.covers("a.test") || facts.covers("y.x.a.test") || facts.covers("test") || facts.covers(""));
}

// The example of RFC 9773 §4.1.
TEST(CertificateFactsTest, TheRenewalIdIsThatOfTheRfc) {
  const MadeCertificate made = make_certificate("a.test", MadeAs::kServer);
  const unsigned char key_id[] = {0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3,
                                  0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE, 0x01, 0xC8, 0xD4};
  AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
  id->keyid = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(id->keyid, key_id, sizeof key_id);
  X509_add1_ext_i2d(made.certificate.get(), NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT);
  AUTHORITY_KEYID_free(id);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.certificate.get()), 0x87654321);
  X509_sign(made.certificate.get(), made.key.get(), EVP_sha256());
  EXPECT_EQ(certificate_facts(made.pem())->renewal_id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(CertificateRequestTest, NamesTheHostAndProvesTheKey) {
  const Secret key = make_certificate_key().value();
  const std::string name = std::string(60, 'a') + ".long.example.test";
  const std::string der = make_certificate_request(name, key.reveal()).value();
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  X509_REQ* request = d2i_X509_REQ(nullptr, &bytes, static_cast<long>(der.size()));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 1);
  auto* names = static_cast<GENERAL_NAMES*>(X509V3_EXT_d2i(sk_X509_EXTENSION_value(extensions, 0)));
  ASSERT_EQ(sk_GENERAL_NAME_num(names), 1);
  const ASN1_STRING* value = sk_GENERAL_NAME_value(names, 0)->d.dNSName;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                        static_cast<std::size_t>(ASN1_STRING_length(value))),
            name);
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_free(request);
  EXPECT_FALSE(make_certificate_request("not a name", key.reveal()));
  EXPECT_FALSE(make_certificate_request("a.test", "no key"));
}

}  // namespace
}  // namespace posthus::net
