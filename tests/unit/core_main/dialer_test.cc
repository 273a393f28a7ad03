// NetworkDialer: what becomes of dials over real sockets on loopback.
#include "core/main/dialer.h"

#include <gtest/gtest.h>

#include <deque>
#include <future>

#include "core/net/certificate.h"
#include "smtp/client_session.h"
#include "smtp/server_session.h"
#include "tests/support/world.h"

namespace posthus::main {
namespace {

struct Source final : smtp::MessageSource {
  std::deque<smtp::OutgoingMessage> messages;
  std::vector<smtp::MessageResult> results;
  smtp::ConnectionResult connection;

  std::optional<smtp::OutgoingMessage> next() override {
    if (messages.empty()) return std::nullopt;
    smtp::OutgoingMessage message = std::move(messages.front());
    messages.pop_front();
    return message;
  }
  void finished(smtp::MessageResult result) override { results.push_back(std::move(result)); }
  void ended(smtp::ConnectionResult result) override { connection = std::move(result); }
};

class NetworkDialerTest : public ::testing::Test {
 protected:
  NetworkDialerTest() {
    world_.add_user("anna@example.test", "secret");
    net::ListenerOptions listener{.name = "smtp", .tls = net::TlsMode::kStartTls};
    listener.tls_context =
        net::TlsContext::create_server(net::make_self_signed_certificate("mx.example.test", 10).value()).value();
    listener.make_session = [this](const session::ConnectionFacts& facts, session::Waker waker) {
      return smtp::make_server_session(context_, smtp::ListenerRole::kMx, facts, std::move(waker));
    };
    port_ = network_.add_listener(std::move(listener)).value();
    network_.start();
  }
  ~NetworkDialerTest() override { network_.stop(std::chrono::seconds(20)); }

  std::string dial(session::DialOptions options, smtp::MessageSource& source) {
    options.address = "127.0.0.1";
    std::promise<std::string> done;
    dialer_->dial(
        std::move(options),
        [&](const session::ConnectionFacts&, session::Waker) {
          return smtp::make_client_session({.hostname = "mail.example.org"}, source);
        },
        [&](std::string failure) { done.set_value(std::move(failure)); });
    return done.get_future().get();
  }

  testing::World world_;
  smtp::ServerContext context_{*world_.store, *world_.authenticator, world_.clock, "mx.example.test", true};
  net::Network network_{{.io_threads = 1, .workers = 2}};
  std::unique_ptr<NetworkDialer> dialer_ = NetworkDialer::create(network_).value();
  std::uint16_t port_ = 0;
  Source source_;
};

TEST_F(NetworkDialerTest, DeliversAMessageOverTls) {
  const std::string text = "Subject: over sockets\r\n\r\n" + std::string(300'000, 'x').insert(200'000, "\r\n.\r\n") + "\r\n";
  smtp::OutgoingMessage message;
  message.recipients.push_back({1, "anna@example.test", 0, {}});
  message.size = text.size();
  message.read = [&text](std::uint64_t offset, std::uint64_t length, std::string& out) -> Result<> {
    out.append(text, offset, length);
    return {};
  };
  source_.messages.push_back(std::move(message));
  EXPECT_EQ(dial({.address = {}, .port = port_}, source_), "");
  ASSERT_EQ(source_.results.size(), 1U);
  EXPECT_EQ(source_.results[0].recipients.at(0).verdict, smtp::RecipientResult::Verdict::kDelivered);
  EXPECT_TRUE(world_.messages("anna@example.test").at(0).ends_with(text));
  ASSERT_TRUE(source_.connection.tls.has_value());
  EXPECT_EQ(source_.connection.tls->version, "TLSv1.3");
  EXPECT_FALSE(source_.connection.tls->is_peer_verified);
}

TEST_F(NetworkDialerTest, CertificateThatDoesNotHoldIsToldToTheSource) {
  session::DialOptions options{.address = {}, .port = port_};
  options.verification = {session::PeerVerification::Kind::kPkix, {"mx.example.test"}, {}};
  EXPECT_EQ(dial(std::move(options), source_), "");
  EXPECT_TRUE(source_.connection.is_tls_failure);
  EXPECT_EQ(source_.connection.failure.text, "TLS: self-signed certificate");
}

TEST_F(NetworkDialerTest, SaysWhyThereWasNoConnection) {
  EXPECT_NE(dial({.address = {}, .port = 1}, source_), "");
  EXPECT_EQ(source_.connection.stage, "");
}

}  // namespace
}  // namespace posthus::main
