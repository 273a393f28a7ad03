// Connections we make: the wait that runs on, the shutdown that waits, the last words of a peer, a handshake that fails.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>

#include "core/base/file.h"
#include "core/net/network.h"
#include "core/net/socket_address.h"
#include "core/net/tls_context.h"
#include "tests/unit/core_net/echo.h"

namespace posthus::net {
namespace {

using session::Step;

/// A session of which each test says what it does.
struct Script final : session::Session {
  std::function<Step(session::Output&)> on_opened = [](session::Output&) { return Step::kRead; };
  std::function<Step(session::Input&, session::Output&)> on_received;
  std::function<void()> on_timed_out, on_shutting_down;
  std::function<void(std::string_view)> on_last_words, on_tls_failed;
  std::function<void(session::Output&)> on_run;
  bool keeps = false, may_interrupt = true;
  std::chrono::seconds patience{20};

  Step opened(session::Output& output) override { return on_opened(output); }
  Step received(session::Input& input, session::Output& output) override { return on_received(input, output); }
  Step tls_started(const session::TlsFacts&, session::Output&) override { return Step::kClose; }
  void tls_failed(std::string_view reason) override { on_tls_failed(reason); }
  void last_words(std::string_view bytes) override { on_last_words(bytes); }
  void run(session::Output& output) override { on_run(output); }
  Step resumed(session::Output&) override { return Step::kRun; }
  std::chrono::seconds deadline() const override { return patience; }
  bool keeps_deadline() const override { return keeps; }
  bool is_interruptible() const override { return may_interrupt; }
  void timed_out(session::Output&) override { on_timed_out(); }
  void shutting_down(session::Output&) override { on_shutting_down(); }
};

/// A listening socket without a server.
struct Peer {
  UniqueFd listener = listen_on_tcp("127.0.0.1", 0, PortSharing::kExclusive).value();
  std::uint16_t port = local_endpoint(listener.get())->port;

  // The listener does not block; the client has connected before anybody asks.
  UniqueFd accept() const {
    for (;;) {
      UniqueFd fd(::accept(listener.get(), nullptr, nullptr));
      if (fd) return fd;
      std::this_thread::yield();
    }
  }
};

class OutboundSessionTest : public testing::Test {
 protected:
  std::future<void> connect(std::uint16_t port, std::unique_ptr<Script> script, TlsMode tls = TlsMode::kNone) {
    auto ended = std::make_shared<std::promise<void>>();
    auto held = std::make_shared<std::unique_ptr<Script>>(std::move(script));
    network_.connect(
        {.address = "127.0.0.1", .port = port, .tls = tls, .tls_context = tls_},
        [held](const session::ConnectionFacts&, const session::Waker&) { return std::move(*held); },
        [ended](Result<>) { ended->set_value(); });
    return ended->get_future();
  }

  std::shared_ptr<TlsContext> tls_ = TlsContext::create_client().value();
  Network network_{{.io_threads = 1, .workers = 1}};
};

TEST_F(OutboundSessionTest, DeadlineRunsOnWhileAReplyTrickles) {
  EchoObserver observer;
  ListenerOptions listener{.name = "test"};
  listener.make_session = echo_sessions(observer);
  const std::uint16_t port = network_.add_listener(std::move(listener)).value();
  network_.start();
  std::atomic<bool> has_timed_out{false};
  int rounds = 0;
  auto script = std::make_unique<Script>();
  script->patience = std::chrono::seconds(1);
  script->keeps = true;
  script->on_opened = [&self = *script](session::Output& output) {
    self.keeps = false;
    output += "x\r\n";
    return Step::kRead;
  };
  // Each round is a wait of its own; only a deadline that runs on ends them.
  script->on_received = [&, &self = *script](session::Input& input, session::Output& output) {
    self.keeps = true;
    input.consume(input.size());
    output += "x\r\n";
    return ++rounds < 10'000'000 ? Step::kRead : Step::kClose;
  };
  script->on_timed_out = [&] { has_timed_out = true; };
  connect(port, std::move(script)).get();
  EXPECT_TRUE(has_timed_out.load());
  EXPECT_GT(rounds, 1);
}

TEST_F(OutboundSessionTest, ShutdownWaitsForASessionThatMustNotBeInterrupted) {
  const Peer peer;
  network_.start();
  std::promise<void> told, open;
  std::string order;
  auto waiting = std::make_unique<Script>();
  waiting->may_interrupt = false;
  waiting->on_received = [&, &self = *waiting](session::Input& input, session::Output&) {
    input.consume(input.size());
    self.may_interrupt = true;
    order += "answer ";
    return Step::kRead;
  };
  waiting->on_shutting_down = [&] { order += "shutdown"; };
  std::future<void> ended = connect(peer.port, std::move(waiting));
  const UniqueFd answering = peer.accept();
  auto other = std::make_unique<Script>();
  other->on_opened = [&](session::Output&) {
    open.set_value();
    return Step::kRead;
  };
  other->on_shutting_down = [&] { told.set_value(); };
  std::future<void> other_ended = connect(peer.port, std::move(other));
  const UniqueFd silent = peer.accept();
  // WHY: the peer accepts before our side knows that it is connected; a connection still under way is given up at the stop,
  // and no session is told. Both are on one io thread, so the first is open by then as well.
  open.get_future().get();
  std::thread stopping([this] { network_.stop(std::chrono::hours(1)); });
  told.get_future().get();  // both have been told by then
  ASSERT_EQ(::send(answering.get(), "250\r\n", 5, MSG_NOSIGNAL), 5);
  ended.get();
  stopping.join();
  EXPECT_EQ(order, "answer shutdown");
}

TEST_F(OutboundSessionTest, LastWordsOfAPeerThatTakesNoMoreAreHeard) {
  const Peer peer;
  network_.start();
  std::string heard;
  auto script = std::make_unique<Script>();
  script->on_opened = [](session::Output&) { return Step::kRun; };
  script->on_run = [](session::Output& output) { output.append(256 * 1024, 'x'); };
  script->on_last_words = [&](std::string_view bytes) { heard = bytes; };
  std::future<void> ended = connect(peer.port, std::move(script));
  {
    const UniqueFd fd = peer.accept();
    char byte = 0;
    while (::recv(fd.get(), &byte, 1, 0) != 1) std::this_thread::yield();
    ASSERT_EQ(::send(fd.get(), "552 too big\r\n", 13, MSG_NOSIGNAL), 13);
  }  // closed with input unread: the connection is reset
  ended.get();
  EXPECT_EQ(heard, "552 too big\r\n");
}

TEST_F(OutboundSessionTest, PeerThatTakesOutputInDropsIsTooSlow) {
  Peer peer;
  const int little = 4096;
  ASSERT_EQ(::setsockopt(peer.listener.get(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
  network_.start();
  std::atomic<bool> has_timed_out{false};
  auto script = std::make_unique<Script>();
  script->patience = std::chrono::seconds(2);
  script->on_opened = [](session::Output&) { return Step::kRun; };
  // More than the buffers of both sockets hold; at a few bytes a millisecond it takes hours.
  script->on_run = [](session::Output& output) { output.append(32 * 1024 * 1024, 'x'); };
  script->on_timed_out = [&] { has_timed_out = true; };
  std::future<void> ended = connect(peer.port, std::move(script));
  const UniqueFd fd = peer.accept();
  char bytes[64];
  while (!has_timed_out.load()) {
    static_cast<void>(::recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT));
    ::poll(nullptr, 0, 1);
  }
  ended.get();
}

TEST_F(OutboundSessionTest, SessionIsToldThatNoHandshakeCameAbout) {
  for (const bool answers : {true, false}) {
    const Peer peer;
    if (answers) network_.start();
    std::string why;
    auto script = std::make_unique<Script>();
    script->on_opened = [](session::Output&) { return Step::kStartTls; };
    script->on_tls_failed = [&](std::string_view reason) { why = reason; };
    std::future<void> ended = connect(peer.port, std::move(script), TlsMode::kStartTls);
    {
      const UniqueFd fd = peer.accept();
      char byte = 0;
      while (::recv(fd.get(), &byte, 1, 0) != 1) std::this_thread::yield();
      if (answers) {
        ASSERT_EQ(::send(fd.get(), "454 no\r\n", 8, MSG_NOSIGNAL), 8);
      }
    }
    ended.get();
    EXPECT_FALSE(why.empty());
  }
}

}  // namespace
}  // namespace posthus::net
