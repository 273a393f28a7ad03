// Connections from proxies: the header comes before everything else, and what it says is who the client is.
#include <sys/socket.h>

#include "core/base/metrics.h"
#include "tests/unit/core_net/echo.h"

namespace posthus::net {
namespace {

using namespace std::chrono_literals;

const std::string kLine = "PROXY TCP4 203.0.113.9 198.51.100.2 4711 25\r\n";

class IntroductionTest : public testing::Test {
 protected:
  ListenerOptions options() {
    ListenerOptions out;
    out.name = "test";
    out.address = "*";
    out.farewell = "421 too many\r\n";
    out.proxies = {*parse_ip_network("127.0.0.1")};
    out.make_session = [this](const session::ConnectionFacts& facts, session::Waker waker) {
      const std::lock_guard lock(mutex_);
      facts_ = facts;
      return std::make_unique<EchoSession>(observer_, std::move(waker));
    };
    return out;
  }
  std::uint16_t start(ListenerOptions listening) {
    const std::uint16_t port = network_.add_listener(std::move(listening)).value();
    network_.start();
    return port;
  }
  session::ConnectionFacts facts() {
    const std::lock_guard lock(mutex_);
    return facts_;
  }

  std::mutex mutex_;
  session::ConnectionFacts facts_;
  EchoObserver observer_;
  Network network_{{.io_threads = 2, .workers = 2}};
};

TEST_F(IntroductionTest, TheClientIsWhoTheHeaderNames) {
  Client client(start(options()));
  client.send(kLine + "first\r\n");
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.line(), "echo first");
  EXPECT_EQ(facts().remote_address, "203.0.113.9");
  EXPECT_EQ(facts().remote_port, 4711);
  EXPECT_EQ(facts().local_address, "198.51.100.2");
  EXPECT_EQ(facts().local_port, 25);
  EXPECT_EQ(client.ask("second"), "echo second");
}

TEST_F(IntroductionTest, NothingIsSaidBeforeTheHeaderHasCome) {
  const std::uint16_t port = start(options());
  Client client(port);
  for (const char c : kLine) {
    char nothing = 0;
    EXPECT_EQ(::recv(client.fd(), &nothing, 1, MSG_DONTWAIT), -1);
    client.send(std::string_view(&c, 1));
  }
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("x"), "echo x");
  EXPECT_EQ(facts().remote_address, "203.0.113.9");
}

TEST_F(IntroductionTest, TlsFollowsTheHeader) {
  ListenerOptions listening = options();
  listening.tls = TlsMode::kImplicit;
  listening.tls_context = test_tls();
  Client client(start(std::move(listening)));
  client.send(kLine);
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(facts().remote_address, "203.0.113.9");
}

TEST_F(IntroductionTest, LocalAndUnknownAreTheProxyItself) {
  const std::uint16_t port = start(options());
  for (const std::string& header : {std::string("PROXY UNKNOWN\r\n"), std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)}) {
    Client client(port);
    client.send(header);
    EXPECT_EQ(client.line(), "hello");
    EXPECT_EQ(facts().remote_address, "127.0.0.1");
    EXPECT_EQ(facts().local_port, port);
  }
}

TEST_F(IntroductionTest, AProxyWithoutHeaderIsClosedAndCounted) {
  const auto refused = [] {
    return metrics::counter("posthus_proxy_headers_refused_total",
                            "Connections from proxies that did not begin with a PROXY header.", "listener=\"test\"")
        .value();
  };
  const std::uint64_t before = refused();
  const std::uint16_t port = start(options());
  Client client(port);
  client.send("EHLO somebody.example\r\n");
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(observer_.opened.load(), 0);
  EXPECT_EQ(refused(), before + 1);
  Client cut(port);
  cut.send("PROXY TCP4 20");
  cut.shut_down_write();
  EXPECT_EQ(cut.rest(), "");
  EXPECT_EQ(refused(), before + 2);
  Client look(port);
  look.shut_down_write();
  EXPECT_EQ(look.rest(), "");
  EXPECT_EQ(refused(), before + 2) << "a look whether the port is open is nothing bad";
}

TEST_F(IntroductionTest, OthersCannotIntroduceThemselves) {
  ListenerOptions listening = options();
  listening.proxies = {*parse_ip_network("192.0.2.0/24")};
  Client client(start(std::move(listening)));
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("PROXY TCP4 203.0.113.9 198.51.100.2 4711 25"), "echo PROXY TCP4 203.0.113.9 198.51.100.2 4711 25");
  EXPECT_EQ(facts().remote_address, "127.0.0.1");
}

TEST_F(IntroductionTest, TheLimitIsTheClientsNotTheProxys) {
  ListenerOptions listening = options();
  listening.max_per_network = 1;
  const std::uint16_t port = start(std::move(listening));
  Client first(port), second(port), third(port), unknown(port), another(port);
  first.send(kLine);
  EXPECT_EQ(first.line(), "hello");
  second.send("PROXY TCP4 203.0.113.10 198.51.100.2 4711 25\r\n");
  EXPECT_EQ(second.line(), "hello");
  third.send(kLine);
  EXPECT_EQ(third.rest(), "421 too many\r\n");
  for (Client* client : {&unknown, &another}) {
    client->send("PROXY UNKNOWN\r\n");
    EXPECT_EQ(client->line(), "hello");
  }
  first.ask("QUIT");
  first.rest();
  while (network_.open_connections() > 3) std::this_thread::yield();
  Client again(port);
  again.send(kLine);
  EXPECT_EQ(again.line(), "hello");
}

TEST_F(IntroductionTest, ASharedAddressHasNoLimitOfItsOwn) {
  ListenerOptions listening = options();
  listening.proxies = {};
  listening.max_per_network = 1;
  listening.is_shared = [](const IpAddress& address) { return to_string(address) == "127.0.0.1"; };
  const std::uint16_t port = start(std::move(listening));
  Client first(port), second(port);
  EXPECT_EQ(first.line(), "hello");
  EXPECT_EQ(second.line(), "hello");
}

TEST_F(IntroductionTest, StopDoesNotWaitForAHeader) {
  const std::uint16_t port = start(options());
  Client waiting(port);
  waiting.send("PROXY ");
  while (network_.open_connections() == 0) std::this_thread::yield();
  network_.stop(20s);
  EXPECT_EQ(waiting.rest(), "");
  EXPECT_EQ(observer_.opened.load(), 0);
}

}  // namespace
}  // namespace posthus::net
