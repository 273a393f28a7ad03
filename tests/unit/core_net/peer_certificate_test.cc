// What a server's certificate must prove: PKIX, DANE (RFC 7672), nothing; each over a real handshake on loopback.
#include "core/net/peer_certificate.h"

#include <unistd.h>

#include <future>
#include <optional>

#include "core/base/file.h"
#include "tests/unit/core_net/echo.h"
#include "tests/unit/core_net/made_certificates.h"

namespace posthus::net {
namespace {

using session::PeerVerification;
using Kind = PeerVerification::Kind;

/// What a handshake came to.
struct Outcome {
  std::optional<session::TlsFacts> facts;
  std::string failure;  // of Session::tls_failed
};

/// Upgrades to TLS and leaves.
class Upgrading final : public session::Session {
 public:
  Upgrading(Outcome& outcome, bool is_implicit) : outcome_(outcome), is_implicit_(is_implicit) {}
  session::Step opened(session::Output&) override { return is_implicit_ ? session::Step::kClose : session::Step::kRead; }
  session::Step received(session::Input& input, session::Output& output) override {
    if (!input.bytes().contains('\n')) return session::Step::kRead;
    const bool is_greeting = input.bytes().starts_with("hello");
    input.consume(input.size());
    if (!is_greeting) return session::Step::kStartTls;
    output += "STARTTLS\r\n";
    return session::Step::kRead;
  }
  session::Step tls_started(const session::TlsFacts& facts, session::Output&) override {
    outcome_.facts = facts;
    return session::Step::kClose;
  }
  void tls_failed(std::string_view reason) override { outcome_.failure = reason; }
  session::Step resumed(session::Output&) override { return session::Step::kClose; }
  std::chrono::seconds deadline() const override { return std::chrono::seconds(20); }
  void timed_out(session::Output&) override {}
  void shutting_down(session::Output&) override {}

 private:
  Outcome& outcome_;
  const bool is_implicit_;
};

class PeerCertificateTest : public testing::Test {
 protected:
  PeerCertificateTest() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    EXPECT_TRUE(write_file_durably(roots_path(), authority_.pem()));
    client_ = TlsContext::create_client({.file = roots_path(), .directory = {}}).value();
    network_.start();
  }
  ~PeerCertificateTest() override {
    network_.stop(std::chrono::seconds(20));
    ::unlink(roots_path().c_str());
    ::rmdir(directory_.c_str());
  }
  std::string roots_path() const { return directory_ + "/roots.pem"; }

  /// Connects to a server with that certificate.
  Outcome meet(const CertificateAndKey& pair, PeerVerification verification, TlsMode mode = TlsMode::kStartTls) {
    ListenerOptions listener{.name = "test", .tls = mode, .tls_context = TlsContext::create_server(pair).value()};
    listener.make_session = echo_sessions(observer_);
    const std::uint16_t port = network_.add_listener(std::move(listener)).value();
    Outcome outcome;
    std::promise<void> ended;
    network_.connect(
        {.address = "127.0.0.1",
         .port = port,
         .tls = mode,
         .tls_context = client_,
         .server_name = "mx.example.org",
         .verification = std::move(verification)},
        [&](const session::ConnectionFacts&, const session::Waker&) {
          return std::make_unique<Upgrading>(outcome, mode == TlsMode::kImplicit);
        },
        [&](Result<>) { ended.set_value(); });
    ended.get_future().get();
    return outcome;
  }

  static PeerVerification names(Kind kind, std::vector<std::string> names = {"mx.example.org"}) {
    return {kind, std::move(names), {}};
  }
  static PeerVerification dane(std::uint8_t usage, std::uint8_t selector, std::uint8_t matching_type, std::string data,
                               std::vector<std::string> names = {"mx.example.org"}) {
    return {Kind::kDane, std::move(names), {{usage, selector, matching_type, std::move(data)}}};
  }
  void expect_verified(const Outcome& outcome) {
    EXPECT_EQ(outcome.failure, "");
    ASSERT_TRUE(outcome.facts.has_value());
    EXPECT_TRUE(outcome.facts->is_peer_verified) << outcome.facts->peer_error;
    EXPECT_EQ(outcome.facts->peer_error, "");
  }
  void expect_failed(const Outcome& outcome, const std::string& why) {
    EXPECT_FALSE(outcome.facts.has_value());
    EXPECT_EQ(outcome.failure, why);
  }
  void expect_unverified(const Outcome& outcome, const std::string& why) {
    EXPECT_EQ(outcome.failure, "");
    ASSERT_TRUE(outcome.facts.has_value());
    EXPECT_FALSE(outcome.facts->is_peer_verified);
    EXPECT_EQ(outcome.facts->peer_error, why);
  }

  const MadeCertificate authority_ = make_certificate("Authority", MadeAs::kAuthority);
  const MadeCertificate stranger_ = make_certificate("Stranger", MadeAs::kAuthority);
  const MadeCertificate good_ = make_certificate("mx.example.org", MadeAs::kServer, &authority_);
  const MadeCertificate other_name_ = make_certificate("mx.example.net", MadeAs::kServer, &authority_);
  const MadeCertificate expired_ = make_certificate("mx.example.org", MadeAs::kServer, &authority_, -20, -1);
  const MadeCertificate unknown_ = make_certificate("mx.example.org", MadeAs::kServer, &stranger_);
  std::string directory_ = "/tmp/posthus-peer-XXXXXX";
  EchoObserver observer_;
  std::shared_ptr<TlsContext> client_;
  Network network_{{.io_threads = 1, .workers = 1}};
};

TEST_F(PeerCertificateTest, PkixTakesAChainToTheRootsAndTheName) {
  expect_verified(meet(good_.pair(), names(Kind::kPkix)));
  expect_verified(meet(good_.pair(), names(Kind::kPkix, {"mail.example.com", "mx.example.org"})));
  expect_verified(meet(good_.pair(), names(Kind::kPkix), TlsMode::kImplicit));
}

TEST_F(PeerCertificateTest, PkixRefusesAnythingElse) {
  expect_failed(meet(other_name_.pair(), names(Kind::kPkix)), "hostname mismatch");
  expect_failed(meet(expired_.pair(), names(Kind::kPkix)), "certificate has expired");
  expect_failed(meet(unknown_.pair(), names(Kind::kPkix)), "unable to get local issuer certificate");
  expect_failed(meet(stranger_.pair(), names(Kind::kPkix, {"Stranger"})), "self-signed certificate");
  expect_failed(meet(good_.pair(), names(Kind::kPkix, {})), "no name to verify");
  expect_failed(meet(expired_.pair(), names(Kind::kPkix), TlsMode::kImplicit), "certificate has expired");
}

TEST_F(PeerCertificateTest, PkixAsksForAnAddressWhenThatIsTheName) {
  const MadeCertificate address = make_certificate("127.0.0.1", MadeAs::kServer, &authority_);
  expect_verified(meet(address.pair(), names(Kind::kPkix, {"127.0.0.1"})));
  expect_failed(meet(good_.pair(), names(Kind::kPkix, {"127.0.0.1"})), "IP address mismatch");
}

// RFC 9525 §6.3, RFC 8461 §4.1; RFC 7672 §3.2.3 for DANE-TA.
TEST_F(PeerCertificateTest, ACommonNameIsNoNameButForDaneTrustAnchors) {
  const MadeCertificate common = make_certificate("mx.example.org", MadeAs::kServerByCommonName, &authority_);
  expect_failed(meet(common.pair(), names(Kind::kPkix)), "hostname mismatch");
  expect_unverified(meet(common.pair(), names(Kind::kNone)), "hostname mismatch");
  expect_verified(meet(common.pair(&authority_), dane(2, 1, 1, authority_.key_digest())));
}

TEST_F(PeerCertificateTest, NothingAskedNothingRefusedButTold) {
  expect_verified(meet(good_.pair(), names(Kind::kNone)));
  expect_unverified(meet(other_name_.pair(), names(Kind::kNone)), "hostname mismatch");
  expect_unverified(meet(expired_.pair(), names(Kind::kNone)), "certificate has expired");
  expect_unverified(meet(stranger_.pair(), names(Kind::kNone, {})), "no name to verify");
}

TEST_F(PeerCertificateTest, WhatTheCertificateSaysIsTold) {
  std::optional<session::CertificateFacts> seen;
  PeerVerification verification = names(Kind::kNone);
  verification.certificate_seen = [&seen](const session::CertificateFacts& facts) { seen = facts; };
  meet(expired_.pair(), verification);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->names, std::vector<std::string>{"mx.example.org"});
  EXPECT_NE(seen->subject.find("mx.example.org"), std::string::npos) << seen->subject;
  EXPECT_NE(seen->issuer.find("Authority"), std::string::npos) << seen->issuer;
  EXPECT_NEAR(static_cast<double>(seen->not_after - seen->not_before), 19.0 * 86'400, 60);
  seen.reset();
  verification.kind = Kind::kPkix;
  meet(expired_.pair(), verification);
  EXPECT_FALSE(seen) << "no handshake came about";
}

TEST_F(PeerCertificateTest, DaneEndEntityIgnoresNameExpiryAndRoots) {
  expect_verified(meet(good_.pair(), dane(3, 1, 1, good_.key_digest())));
  expect_verified(meet(other_name_.pair(), dane(3, 1, 1, other_name_.key_digest())));
  expect_verified(meet(expired_.pair(), dane(3, 1, 1, expired_.key_digest())));
  expect_verified(meet(unknown_.pair(), dane(3, 0, 0, unknown_.der())));
  expect_verified(meet(unknown_.pair(), dane(3, 0, 1, std::string(as_view(sha256(unknown_.der()))), {})));
}

TEST_F(PeerCertificateTest, DaneRefusesAnotherKeyThoughTheRootsHold) {
  expect_failed(meet(good_.pair(), dane(3, 1, 1, other_name_.key_digest())), "no matching DANE TLSA records");
  PeerVerification rollover = dane(3, 1, 1, other_name_.key_digest());
  rollover.tlsa.push_back({3, 1, 1, good_.key_digest()});
  expect_verified(meet(good_.pair(), rollover));
}

TEST_F(PeerCertificateTest, DaneTrustAnchorWantsTheNameAndTheDate) {
  const PeerVerification anchor = dane(2, 1, 1, stranger_.key_digest());
  expect_verified(meet(unknown_.pair(&stranger_), anchor));
  const MadeCertificate other = make_certificate("mx.example.net", MadeAs::kServer, &stranger_);
  expect_failed(meet(other.pair(&stranger_), anchor), "hostname mismatch");
  expect_verified(meet(other.pair(&stranger_), dane(2, 1, 1, stranger_.key_digest(), {"mx.example.org", "mx.example.net"})));
  const MadeCertificate old = make_certificate("mx.example.org", MadeAs::kServer, &stranger_, -20, -1);
  expect_failed(meet(old.pair(&stranger_), anchor), "certificate has expired");
  // RFC 7672 §3.1.2: the anchor must be in the chain that the server sends.
  EXPECT_NE(meet(unknown_.pair(), anchor).failure, "");
}

TEST_F(PeerCertificateTest, DaneWithoutUsableRecordsEncryptsAndProvesNothing) {
  expect_unverified(meet(good_.pair(), dane(1, 1, 1, good_.key_digest())), "no usable TLSA record");
  expect_unverified(meet(good_.pair(), dane(0, 1, 1, authority_.key_digest())), "no usable TLSA record");
  expect_unverified(meet(good_.pair(), dane(3, 1, 9, good_.key_digest())), "no usable TLSA record");
  // An unusable one beside one that does not match changes nothing.
  PeerVerification mixed = dane(1, 1, 1, good_.key_digest());
  mixed.tlsa.push_back({3, 1, 1, other_name_.key_digest()});
  expect_failed(meet(good_.pair(), mixed), "no matching DANE TLSA records");
}

TEST_F(PeerCertificateTest, RootsThatCannotBeReadAreAnError) {
  EXPECT_EQ(TlsContext::create_client({.file = directory_ + "/none", .directory = {}}).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(TlsContext::create_client().has_value());
}

}  // namespace
}  // namespace posthus::net
