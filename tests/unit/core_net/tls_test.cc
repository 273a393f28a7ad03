// TLS: implicit and by STARTTLS, what is refused, channel bindings, replacing the certificate.
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "core/base/hash.h"
#include "tests/unit/core_net/echo.h"

namespace posthus::net {
namespace {

class TlsTest : public testing::Test {
 protected:
  std::uint16_t listen(TlsMode mode, const std::string& alpn = "") {
    ListenerOptions options;
    options.name = "test";
    options.tls = mode;
    if (mode != TlsMode::kNone) options.tls_context = tls_;
    options.alpn = alpn;
    options.make_session = echo_sessions(observer_);
    const std::uint16_t port = network_.add_listener(std::move(options)).value();
    return port;
  }

  EchoObserver observer_;
  std::shared_ptr<TlsContext> tls_ = test_tls();
  Network network_{{.io_threads = 1, .workers = 1}};
};

TEST_F(TlsTest, ImplicitTlsGreetsInsideTls) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("x"), "echo x");
  EXPECT_EQ(client.ask("RUN"), "ran");
  EXPECT_EQ(client.ask("QUIT"), "bye");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST_F(TlsTest, StartTlsUpgradesInPlace) {
  Client client(listen(TlsMode::kStartTls));
  network_.start();
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("STARTTLS"), "go");
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.ask("x"), "echo x");
}

TEST_F(TlsTest, PlaintextGluedAfterStartTlsIsDiscarded) {
  Client client(listen(TlsMode::kStartTls));
  network_.start();
  EXPECT_EQ(client.line(), "hello");
  client.send("STARTTLS\r\ninjected\r\nhalf a line");
  EXPECT_EQ(client.line(), "go");
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.ask("x"), "echo x");
  EXPECT_EQ(client.ask("y"), "echo y");
}

TEST_F(TlsTest, StartTlsWithoutCertificateOrTwiceCloses) {
  Client plain(listen(TlsMode::kNone));
  Client twice(listen(TlsMode::kImplicit));
  network_.start();
  plain.send("STARTTLS\r\n");
  plain.rest();
  ASSERT_TRUE(twice.start_tls());
  twice.send("STARTTLS\r\n");
  EXPECT_EQ(twice.rest().substr(0, 7), "hello\r\n");
  plain.send("x");
  EXPECT_EQ(observer_.opened.load(), 2);
}

TEST_F(TlsTest, LargeOutputAndSmallRecordsArriveWhole) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.line(), "hello");
  client.send("BIG 100\r\n");
  EXPECT_EQ(client.exactly(100 * 64 * 1024), std::string(100 * 64 * 1024, 'x'));
  EXPECT_EQ(client.line(), "big done");
  for (const char c : std::string_view("slow\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.line(), "echo slow");
}

TEST_F(TlsTest, OneRecordOfManyCommandsIsAnsweredWithoutFurtherInput) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  ASSERT_TRUE(client.start_tls());
  std::string commands;
  std::string expected = "hello\r\n";
  for (int i = 0; i < 5000; ++i) {
    commands += "c" + std::to_string(i) + "\r\n";
    expected += "echo c" + std::to_string(i) + "\r\n";
  }
  client.send(commands + "QUIT\r\n");
  EXPECT_EQ(client.rest(), expected + "bye\r\n");
}

TEST_F(TlsTest, GarbageInsteadOfAHandshakeCloses) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  client.send("EHLO example.org\r\n");
  client.rest();
  EXPECT_EQ(observer_.opened.load(), 0);
  network_.stop(std::chrono::seconds(20));
  EXPECT_EQ(observer_.destroyed.load(), 1);
}

TEST_F(TlsTest, StopDoesNotWaitForAHandshakeThatNeverComes) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  while (network_.open_connections() == 0) std::this_thread::yield();
  network_.stop(std::chrono::hours(1));
  EXPECT_EQ(observer_.opened.load(), 0);
  EXPECT_EQ(client.line(), "<closed>");
}

TEST_F(TlsTest, Tls13FactsCarryTheExporterOfRfc9266AndTheEndPointOfRfc5929) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.line(), "hello");
  network_.stop(std::chrono::seconds(20));
  EXPECT_EQ(observer_.tls.version, "TLSv1.3");
  EXPECT_EQ(observer_.tls.server_name, "mail.example.org");
  EXPECT_FALSE(observer_.tls.cipher.empty());
  unsigned char exported[32];
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  ASSERT_EQ(SSL_export_keying_material(client.ssl(), exported, 32, kLabel.data(), kLabel.size(), nullptr, 0, 1), 1);
  EXPECT_EQ(observer_.tls.tls_exporter, std::string(reinterpret_cast<char*>(exported), 32));
  EXPECT_EQ(observer_.tls.tls_unique, "");
  unsigned char* der = nullptr;
  const int size = i2d_X509(SSL_get0_peer_certificate(client.ssl()), &der);
  const Sha256Digest digest = sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  EXPECT_EQ(observer_.tls.tls_server_end_point, as_view(digest));
}

TEST_F(TlsTest, Tls12FactsCarryTheClientsFinishedAsTlsUnique) {
  Client client(listen(TlsMode::kImplicit));
  network_.start();
  ASSERT_TRUE(client.start_tls(TLS1_2_VERSION));
  EXPECT_EQ(client.line(), "hello");
  network_.stop(std::chrono::seconds(20));
  EXPECT_EQ(observer_.tls.version, "TLSv1.2");
  char finished[64];
  const std::size_t size = SSL_get_finished(client.ssl(), finished, sizeof finished);
  EXPECT_EQ(observer_.tls.tls_unique, std::string(finished, size));
  EXPECT_EQ(observer_.tls.tls_exporter, "");
}

TEST_F(TlsTest, OlderProtocolsAreRefused) {
  const std::uint16_t port = listen(TlsMode::kImplicit);
  network_.start();
  Client client(port);
  EXPECT_FALSE(client.start_tls(TLS1_1_VERSION));
}

TEST_F(TlsTest, AlpnSelectsItsProtocolAndRefusesOthers) {
  const std::uint16_t port = listen(TlsMode::kImplicit, "http/1.1");
  const std::uint16_t without = listen(TlsMode::kImplicit);
  network_.start();
  Client matching(port);
  ASSERT_TRUE(matching.start_tls(0, "http/1.1"));
  EXPECT_EQ(matching.selected_alpn(), "http/1.1");
  Client other(port);
  EXPECT_FALSE(other.start_tls(0, "h2"));
  Client silent(port);
  EXPECT_TRUE(silent.start_tls());
  Client ignored(without);
  ASSERT_TRUE(ignored.start_tls(0, "imap"));
  EXPECT_EQ(ignored.selected_alpn(), "");
}

std::string common_name(const Client& client) {
  char text[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl())), NID_commonName, text, sizeof text);
  return text;
}

TEST_F(TlsTest, ReplacedCertificateServesNewHandshakesAndLeavesOpenConnectionsAlone) {
  const std::uint16_t port = listen(TlsMode::kImplicit);
  network_.start();
  Client before(port);
  ASSERT_TRUE(before.start_tls());
  EXPECT_EQ(before.line(), "hello");
  ASSERT_TRUE(tls_->replace(make_self_signed_certificate("new.example.org", 30).value()));
  Client after(port);
  ASSERT_TRUE(after.start_tls());
  EXPECT_EQ(common_name(before), "mail.example.org");
  EXPECT_EQ(common_name(after), "new.example.org");
  EXPECT_EQ(before.ask("x"), "echo x");
}

TEST(TlsContext, RefusesBrokenOrForeignKeysAndKeepsWhatItHas) {
  const CertificateAndKey& mine = test_certificate();
  const CertificateAndKey other = make_self_signed_certificate("other.example.org", 30).value();
  const CertificateAndKey mixed{mine.certificate_pem, other.private_key_pem.clone()};
  EXPECT_EQ(TlsContext::create_server(mixed).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(TlsContext::create_server({"not PEM", mine.private_key_pem.clone()}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(TlsContext::create_server({mine.certificate_pem, Secret(std::string("not PEM"))}).error().kind, ErrorKind::kInvalid);
  const auto context = test_tls();
  EXPECT_FALSE(context->replace(mixed));
}

TEST(Certificate, NamesTheHostAndThisMachine) {
  const CertificateAndKey pair = make_self_signed_certificate("mail.example.org", 30).value();
  BIO* bio = BIO_new_mem_buf(pair.certificate_pem.data(), static_cast<int>(pair.certificate_pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  for (const char* name : {"mail.example.org", "localhost"})
    EXPECT_EQ(X509_check_host(certificate, name, 0, 0, nullptr), 1) << name;
  for (const char* address : {"127.0.0.1", "::1"}) EXPECT_EQ(X509_check_ip_asc(certificate, address, 0), 1) << address;
  EXPECT_NE(X509_check_host(certificate, "example.org", 0, 0, nullptr), 1);
  X509_free(certificate);
  BIO_free(bio);
}

TEST(Certificate, NotAfterIsTheDaysAskedFor) {
  const std::int64_t now = std::time(nullptr);
  const std::int64_t until = certificate_not_after(test_certificate().certificate_pem).value();
  EXPECT_NEAR(static_cast<double>(until - now), 30.0 * 86400, 600.0);
  EXPECT_FALSE(certificate_not_after("nonsense"));
}

TEST(Certificate, RefusesNamesThatAreNone) {
  for (const char* name : {"", "a b", "x\ny", "a,DNS:evil.example", "\xc3\xa5.example"}) {
    EXPECT_FALSE(make_self_signed_certificate(name, 1)) << name;
  }
  EXPECT_TRUE(make_self_signed_certificate("192.0.2.1", 1));
  EXPECT_TRUE(make_self_signed_certificate(std::string(70, 'a') + ".example", 1));
}

}  // namespace
}  // namespace posthus::net
