// Listeners, limits, Unix sockets, outbound connections and the order of stopping.
#include "core/net/network.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "core/base/metrics.h"
#include "core/net/socket_address.h"
#include "tests/unit/core_net/echo.h"

namespace posthus::net {
namespace {

using namespace std::chrono_literals;

class NetworkTest : public testing::Test {
 protected:
  ListenerOptions options() {
    ListenerOptions out;
    out.name = "test";
    out.make_session = echo_sessions(observer_);
    return out;
  }

  EchoObserver observer_;
  Network network_{{.io_threads = 2, .workers = 2}};
};

TEST_F(NetworkTest, StopTellsSessionsAndClosesListeners) {
  const std::uint16_t port = network_.add_listener(options()).value();
  network_.start();
  Client reading(port);
  Client idling(port);
  EXPECT_EQ(reading.line(), "hello");
  EXPECT_EQ(idling.line(), "hello");
  EXPECT_EQ(idling.ask("IDLE"), "idling");
  network_.stop(20s);
  EXPECT_EQ(reading.rest(), "bye shutdown\r\n");
  EXPECT_EQ(idling.rest(), "bye shutdown\r\n");
  EXPECT_EQ(observer_.destroyed.load(), 2);
  EXPECT_FALSE(Client(port).is_connected());
}

TEST_F(NetworkTest, StopCutsClientsThatDoNotRead) {
  const std::uint16_t port = network_.add_listener(options()).value();
  network_.start();
  Client client(port);
  EXPECT_EQ(client.line(), "hello");
  client.send("BIG 400\r\n");
  while (observer_.chunks.load() == 0) std::this_thread::yield();
  network_.stop(10ms);
  EXPECT_EQ(observer_.destroyed.load(), 1);
}

TEST_F(NetworkTest, StopLetsARunFinish) {
  std::promise<void> is_running;
  std::promise<void> may_end;
  observer_.on_run = [&] {
    is_running.set_value();
    may_end.get_future().wait();
  };
  const std::uint16_t port = network_.add_listener(options()).value();
  network_.start();
  Client client(port);
  client.send("RUN\r\n");
  is_running.get_future().wait();
  std::thread stopper([&] { network_.stop(0ms); });
  may_end.set_value();
  stopper.join();
  EXPECT_EQ(observer_.runs.load(), 1);
  EXPECT_EQ(observer_.destroyed.load(), 1);
}

TEST_F(NetworkTest, ANetworkThatNeverStartedGivesItsPortBack) {
  ListenerOptions again = options();
  again.port = network_.add_listener(options()).value();
  network_.stop(0ms);
  network_.stop(0ms);
  Network other({.io_threads = 1, .workers = 1});
  EXPECT_TRUE(other.add_listener(std::move(again)));
}

TEST_F(NetworkTest, ListenersMayBeAddedWhileRunning) {
  network_.start();
  const std::uint16_t port = network_.add_listener(options()).value();
  EXPECT_EQ(Client(port).line(), "hello");
}

TEST_F(NetworkTest, RefusesBeyondTheLimitWithAFarewellAndForgetsThoseWhoLeft) {
  ListenerOptions limited = options();
  limited.max_per_network = 2;
  limited.farewell = "421 too many\r\n";
  const std::uint16_t port = network_.add_listener(std::move(limited)).value();
  network_.start();
  Client first(port);
  EXPECT_EQ(first.line(), "hello");
  {
    Client second(port);
    EXPECT_EQ(second.line(), "hello");
    Client third(port);
    EXPECT_EQ(third.rest(), "421 too many\r\n");
    second.ask("QUIT");
    second.rest();
  }
  while (network_.open_connections() > 1) std::this_thread::yield();
  Client fourth(port);
  EXPECT_EQ(fourth.line(), "hello");
}

TEST_F(NetworkTest, ASessionFactoryMayRefuse) {
  ListenerOptions refusing = options();
  refusing.make_session = [](const session::ConnectionFacts&, const session::Waker&) { return nullptr; };
  refusing.farewell = "421 go away\r\n";
  const std::uint16_t port = network_.add_listener(std::move(refusing)).value();
  network_.start();
  EXPECT_EQ(Client(port).rest(), "421 go away\r\n");
}

TEST_F(NetworkTest, SessionsLearnBothAddresses) {
  session::ConnectionFacts facts;
  ListenerOptions listening = options();
  listening.make_session = [&](const session::ConnectionFacts& f, session::Waker waker) {
    facts = f;
    return std::make_unique<EchoSession>(observer_, std::move(waker));
  };
  listening.address = "*";
  const std::uint16_t port = network_.add_listener(std::move(listening)).value();
  network_.start();
  Client client(port);
  EXPECT_EQ(client.line(), "hello");
  const std::uint16_t client_port = local_endpoint(client.fd())->port;
  network_.stop(20s);
  EXPECT_EQ(facts.remote_address, "127.0.0.1");
  EXPECT_EQ(facts.remote_port, client_port);
  EXPECT_EQ(facts.local_address, "127.0.0.1");
  EXPECT_EQ(facts.local_port, port);
  EXPECT_FALSE(facts.is_unix_socket);
}

TEST_F(NetworkTest, APortInUseIsAnErrorAlsoWhenItsOwnerSharesIt) {
  Network other({.io_threads = 1, .workers = 1});
  ListenerOptions taken = options();
  taken.port = other.add_listener(options()).value();
  EXPECT_EQ(network_.add_listener(std::move(taken)).error().kind, ErrorKind::kExists);
}

TEST_F(NetworkTest, BadListenersAreErrors) {
  ListenerOptions bad_address = options();
  bad_address.address = "localhost";
  EXPECT_EQ(network_.add_listener(std::move(bad_address)).error().kind, ErrorKind::kInvalid);
  ListenerOptions no_certificate = options();
  no_certificate.tls = TlsMode::kImplicit;
  EXPECT_EQ(network_.add_listener(std::move(no_certificate)).error().kind, ErrorKind::kInvalid);
}

class UnixSocketTest : public NetworkTest {
 protected:
  UnixSocketTest() {
    std::string pattern = "/tmp/posthus-net-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(directory_); }
  ListenerOptions unix_options() {
    ListenerOptions out = options();
    out.unix_path = directory_ + "/socket";
    return out;
  }
  std::string directory_;
};

TEST_F(UnixSocketTest, IsClosedToOthersAndSaysWhatItIs) {
  std::atomic<bool> is_unix{false};
  ListenerOptions listening = unix_options();
  listening.make_session = [&](const session::ConnectionFacts& facts, session::Waker waker) {
    is_unix = facts.is_unix_socket && facts.remote_address.empty();
    return std::make_unique<EchoSession>(observer_, std::move(waker));
  };
  ASSERT_EQ(network_.add_listener(std::move(listening)).value(), 0);
  network_.start();
  struct stat info{};
  ASSERT_EQ(::stat((directory_ + "/socket").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  Client client(directory_ + "/socket");
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("RUN"), "ran");
  EXPECT_TRUE(is_unix.load());
}

TEST_F(UnixSocketTest, ReplacesADeadSocketButNotALivingOneNorAFile) {
  {
    ASSERT_TRUE(listen_on_unix(directory_ + "/socket"));
  }
  ASSERT_TRUE(network_.add_listener(unix_options()));
  Network other({.io_threads = 1, .workers = 1});
  EXPECT_EQ(other.add_listener(unix_options()).error().kind, ErrorKind::kExists);
  ListenerOptions at_file = unix_options();
  at_file.unix_path = directory_ + "/file";
  ASSERT_TRUE(write_file_durably(at_file.unix_path, "precious"));
  EXPECT_EQ(other.add_listener(at_file).error().kind, ErrorKind::kExists);
  EXPECT_EQ(read_file(directory_ + "/file", 100).value(), "precious");
  ListenerOptions too_long = unix_options();
  too_long.unix_path = directory_ + "/" + std::string(200, 'x');
  EXPECT_EQ(other.add_listener(too_long).error().kind, ErrorKind::kInvalid);
}

/// Speaks to EchoSession: reads the greeting, upgrades to TLS if asked to, says one line, quits.
class AskingSession final : public session::Session {
 public:
  AskingSession(std::promise<std::string>& heard, bool wants_tls) : heard_(heard), wants_tls_(wants_tls) {}
  session::Step opened(session::Output&) override { return session::Step::kRead; }
  session::Step received(session::Input& input, session::Output& output) override {
    const std::size_t end = input.bytes().find("\r\n");
    if (end == std::string_view::npos) return session::Step::kRead;
    const std::string line(input.bytes().substr(0, end));
    input.consume(end + 2);
    if (line == "hello") {
      output += wants_tls_ ? "STARTTLS\r\n" : "question\r\n";
      return session::Step::kRead;
    }
    if (line == "go") return session::Step::kStartTls;
    heard_.set_value(line);
    return session::Step::kClose;
  }
  session::Step tls_started(const session::TlsFacts&, session::Output& output) override {
    output += "question over TLS\r\n";
    return session::Step::kRead;
  }
  session::Step resumed(session::Output&) override { return session::Step::kClose; }
  std::chrono::seconds deadline() const override { return std::chrono::seconds(20); }
  void timed_out(session::Output&) override {}
  void shutting_down(session::Output&) override {}

 private:
  std::promise<std::string>& heard_;
  const bool wants_tls_;
};

class OutboundTest : public NetworkTest {
 protected:
  Result<> ask(OutboundOptions to, std::promise<std::string>& heard) {
    std::promise<Result<>> ended;
    const bool wants_tls = to.tls == TlsMode::kStartTls;
    network_.connect(
        std::move(to),
        [&heard, wants_tls](const session::ConnectionFacts&, const session::Waker&) {
          return std::make_unique<AskingSession>(heard, wants_tls);
        },
        [&ended](Result<> outcome) { ended.set_value(std::move(outcome)); });
    return ended.get_future().get();
  }
};

TEST_F(OutboundTest, RunsASessionAgainstAServer) {
  const std::uint16_t port = network_.add_listener(options()).value();
  network_.start();
  std::promise<std::string> heard;
  EXPECT_TRUE(ask({.address = "127.0.0.1", .port = port, .bind_address = "127.0.0.1", .tls = TlsMode::kNone}, heard));
  EXPECT_EQ(heard.get_future().get(), "echo question");
}

TEST_F(OutboundTest, StartsTlsAsClient) {
  ListenerOptions secure = options();
  secure.tls = TlsMode::kStartTls;
  secure.tls_context = test_tls();
  const std::uint16_t port = network_.add_listener(std::move(secure)).value();
  network_.start();
  std::promise<std::string> heard;
  EXPECT_TRUE(ask({.address = "127.0.0.1",
                   .port = port,
                   .tls_context = TlsContext::create_client().value(),
                   .server_name = "mail.example.org"},
                  heard));
  EXPECT_EQ(heard.get_future().get(), "echo question over TLS");
}

TEST_F(OutboundTest, SaysWhyThereIsNoConnection) {
  network_.start();
  std::uint16_t closed_port = 0;
  {
    const UniqueFd fd = listen_on_tcp("127.0.0.1", 0, PortSharing::kExclusive).value();
    closed_port = local_endpoint(fd.get())->port;
  }
  std::promise<std::string> heard;
  EXPECT_EQ(ask({.address = "127.0.0.1", .port = closed_port, .tls = TlsMode::kNone}, heard).error().kind,
            ErrorKind::kUnavailable);
  EXPECT_EQ(ask({.address = "mx.example.org", .tls = TlsMode::kNone}, heard).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(ask({.address = "127.0.0.1", .bind_address = "::1", .tls = TlsMode::kNone}, heard).error().kind, ErrorKind::kInvalid);
}

TEST_F(OutboundTest, ConnectingThatTakesTooLongOrOutlivesTheServerEnds) {
  // A listener whose backlog is full does not answer: further connects stay in progress.
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any = to_socket_address(*parse_ip_address("127.0.0.1"), 0);
  ASSERT_EQ(::bind(listener.get(), any.get(), any.size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  const std::uint16_t port = local_endpoint(listener.get())->port;
  const SocketAddress to = to_socket_address(*parse_ip_address("127.0.0.1"), port);
  std::vector<UniqueFd> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    static_cast<void>(::connect(fillers.back().get(), to.get(), to.size));
  }
  network_.start();
  std::promise<std::string> heard;
  EXPECT_EQ(ask({.address = "127.0.0.1", .port = port, .connect_deadline = 1s, .tls = TlsMode::kNone}, heard).error().kind,
            ErrorKind::kTimeout);
  std::promise<Result<>> ended;
  network_.connect(
      {.address = "127.0.0.1", .port = port, .tls = TlsMode::kNone},
      [](const session::ConnectionFacts&, const session::Waker&) { return nullptr; },
      [&ended](Result<> outcome) { ended.set_value(std::move(outcome)); });
  network_.stop(20s);
  EXPECT_EQ(ended.get_future().get().error().kind, ErrorKind::kUnavailable);
}

TEST_F(NetworkTest, CountsInTheMetrics) {
  constexpr const char* kLabel = "listener=\"counted\"";
  metrics::Counter& accepted = metrics::counter("posthus_connections_accepted_total", "Connections accepted.", kLabel);
  metrics::Counter& received = metrics::counter("posthus_network_received_bytes_total", "", kLabel);
  metrics::Counter& sent = metrics::counter("posthus_network_sent_bytes_total", "", kLabel);
  const metrics::Gauge& open = metrics::gauge("posthus_connections_open", "Connections open now.", kLabel);
  const std::uint64_t before[] = {accepted.value(), received.value(), sent.value()};
  ListenerOptions counted = options();
  counted.name = "counted";
  const std::uint16_t port = network_.add_listener(std::move(counted)).value();
  network_.start();
  Client client(port);
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("abc"), "echo abc");
  EXPECT_EQ(open.value(), 1);
  network_.stop(20s);
  EXPECT_EQ(accepted.value() - before[0], 1U);
  EXPECT_EQ(received.value() - before[1], 5U);
  EXPECT_EQ(sent.value() - before[2], 31U);
  EXPECT_EQ(open.value(), 0);
}

}  // namespace
}  // namespace posthus::net
