// Every step of a session over real loopback sockets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <semaphore>
#include <vector>

#include "tests/unit/core_net/echo.h"

namespace posthus::net {
namespace {

using namespace std::chrono_literals;

class DriverTest : public testing::Test {
 protected:
  std::uint16_t listen(TlsMode tls = TlsMode::kStartTls) {
    ListenerOptions options;
    options.name = "test";
    options.tls = tls;
    if (tls != TlsMode::kNone) options.tls_context = test_tls();
    options.make_session = echo_sessions(observer_);
    options.max_per_network = 0;
    const std::uint16_t port = network_.add_listener(std::move(options)).value();
    network_.start();
    return port;
  }

  EchoObserver observer_;
  Network network_{{.io_threads = 2, .workers = 2}};
};

TEST_F(DriverTest, GreetsEchoesAndCloses) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("one"), "echo one");
  EXPECT_EQ(client.ask("QUIT"), "bye");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST_F(DriverTest, PipelinedCommandsAreAnsweredInOrderWhateverTheStep) {
  Client client(listen());
  client.send("a\r\nRUN\r\nb\r\nBRIEF\r\nWAIT\r\nc\r\nIDLE\r\nDONE\r\nQUIT\r\nignored\r\n");
  EXPECT_EQ(client.rest(), "hello\r\necho a\r\nran\r\necho b\r\nran\r\nwaited\r\necho c\r\nidling\r\ndone\r\nbye\r\n");
}

TEST_F(DriverTest, CommandsMayArriveByteByByte) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  for (const char c : std::string_view("slow line\r\nRUN\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.line(), "echo slow line");
  EXPECT_EQ(client.line(), "ran");
}

TEST_F(DriverTest, AnswersWhatCameBeforeTheClientsEndOfStream) {
  Client client(listen());
  client.send("a\r\nRUN\r\nWAIT\r\nb\r\n");
  client.shut_down_write();
  EXPECT_EQ(client.rest(), "hello\r\necho a\r\nran\r\nwaited\r\necho b\r\n");
}

TEST_F(DriverTest, RunsOnAnotherThread) {
  std::atomic<std::thread::id> ran_on;
  std::atomic<std::thread::id> opened_on;
  observer_.on_run = [&] { ran_on = std::this_thread::get_id(); };
  observer_.on_open = [&] { opened_on = std::this_thread::get_id(); };
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("RUN"), "ran");
  EXPECT_NE(ran_on.load(), opened_on.load());
  EXPECT_EQ(client.ask("BRIEF"), "ran");
  EXPECT_EQ(ran_on.load(), opened_on.load());
}

TEST_F(DriverTest, ManyBriefRunsInARowAllHappen) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  std::string commands;
  for (int i = 0; i < 1000; ++i) commands += "BRIEF\r\n";
  client.send(commands + "QUIT\r\n");
  client.rest();
  EXPECT_EQ(observer_.runs.load(), 1000);
}

TEST_F(DriverTest, WaitIsResumedFromAnotherThread) {
  std::promise<session::Resume> handed_over;
  observer_.on_wait = [&](session::Resume resume) { handed_over.set_value(std::move(resume)); };
  std::thread other([&] { handed_over.get_future().get()(); });
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("WAIT"), "waited");
  other.join();
}

TEST_F(DriverTest, DroppedResumeClosesTheConnection) {
  observer_.on_wait = [](session::Resume resume) { static_cast<void>(resume); };
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("WAIT"), "<closed>");
}

TEST_F(DriverTest, IdleSessionIsWokenFromAnotherThreadAndStillHearsItsClient) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("IDLE"), "idling");
  for (int i = 0; i < 50; ++i) {
    observer_.waker().wake();
    EXPECT_EQ(client.line(), "woken");
  }
  EXPECT_EQ(client.ask("DONE"), "done");
  EXPECT_EQ(client.ask("x"), "echo x");
}

TEST_F(DriverTest, WakeInAnotherStepIsDeliveredAtTheNextIdle) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  const session::Waker waker = observer_.waker();
  EXPECT_EQ(client.ask("x"), "echo x");
  for (int i = 0; i < 100; ++i) waker.wake();
  EXPECT_EQ(client.ask("y"), "echo y");
  EXPECT_EQ(client.ask("IDLE"), "idling");
  EXPECT_EQ(client.line(), "woken");
}

TEST_F(DriverTest, ConcurrentWakesCoalesceAndNoneIsLost) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  const session::Waker waker = observer_.waker();
  EXPECT_EQ(client.ask("IDLE"), "idling");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) waker.wake();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(client.line(), "woken");
  EXPECT_LE(observer_.woken.load(), 4000);
}

TEST_F(DriverTest, WakerOutlivesSessionAndNetwork) {
  session::Waker waker;
  {
    EchoObserver observer;
    Network network({.io_threads = 1, .workers = 1});
    ListenerOptions options;
    options.name = "test";
    options.make_session = echo_sessions(observer);
    const std::uint16_t port = network.add_listener(std::move(options)).value();
    network.start();
    Client client(port);
    EXPECT_EQ(client.line(), "hello");
    waker = observer.waker();
    client.ask("QUIT");
    client.rest();
    waker.wake();
  }
  waker.wake();
}

TEST_F(DriverTest, DeadlineBringsTheFarewell) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("DEADLINE"), "echo DEADLINE");
  EXPECT_EQ(client.rest(), "bye timeout\r\n");
}

TEST_F(DriverTest, ClientThatVanishesDuringAWaitDoesNotTakeTheSessionWithIt) {
  std::binary_semaphore is_waiting(0);
  session::Resume kept;
  observer_.on_wait = [&](session::Resume resume) {
    kept = std::move(resume);
    is_waiting.release();
  };
  {
    Client client(listen());
    client.send("WAIT\r\n");
    is_waiting.acquire();
    client.reset();
  }
  EXPECT_EQ(observer_.destroyed.load(), 0);
  kept();
  kept = nullptr;
  network_.stop(20s);
  EXPECT_EQ(observer_.destroyed.load(), 1);
}

TEST_F(DriverTest, ClientThatVanishesDuringARunDoesNotTakeTheSessionWithIt) {
  std::binary_semaphore is_running(0);
  std::binary_semaphore may_end(0);
  std::atomic<int> destroyed_in_run{-1};
  observer_.on_run = [&] {
    is_running.release();
    may_end.acquire();
    destroyed_in_run = observer_.destroyed.load();
  };
  {
    Client client(listen());
    client.send("RUN\r\n");
    is_running.acquire();
    client.reset();
  }
  may_end.release();
  network_.stop(20s);
  EXPECT_EQ(destroyed_in_run.load(), 0);
  EXPECT_EQ(observer_.destroyed.load(), 1);
}

TEST_F(DriverTest, SlowReaderHoldsBackTheSessionAndGetsEverything) {
  const std::uint16_t port = listen();
  Client client(port);
  EXPECT_EQ(client.line(), "hello");
  client.send("BIG 400\r\n");  // 25 MiB: more than loopback's buffers hold
  Client other(port);
  EXPECT_EQ(other.line(), "hello");
  EXPECT_EQ(other.ask("x"), "echo x");
  EXPECT_LT(observer_.chunks.load(), 400U);
  EXPECT_EQ(client.exactly(400 * 64 * 1024), std::string(400 * 64 * 1024, 'x'));
  EXPECT_EQ(client.line(), "big done");
}

TEST_F(DriverTest, ReaderThatStopsReadingIsCutAtItsDeadline) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  EXPECT_EQ(client.ask("DEADLINE"), "echo DEADLINE");
  client.send("BIG 400\r\n");
  while (observer_.destroyed.load() == 0) std::this_thread::yield();
  EXPECT_LT(observer_.chunks.load(), 400U);
}

TEST_F(DriverTest, ALineWithoutEndIsCutAtTheLimitOfWhatTheDriverKeeps) {
  Client client(listen());
  EXPECT_EQ(client.line(), "hello");
  client.send(std::string(session::kMaxLeftover + 1, 'x'));
  EXPECT_EQ(client.line(), "<closed>");
}

TEST_F(DriverTest, LongPipelineIsAnsweredCompletely) {
  Client client(listen());
  std::string commands;
  std::string expected = "hello\r\n";
  for (int i = 0; i < 20'000; ++i) {
    commands += std::to_string(i) + "\r\n";
    expected += "echo " + std::to_string(i) + "\r\n";
  }
  std::thread writer([&] { client.send(commands + "QUIT\r\n"); });
  EXPECT_EQ(client.rest(), expected + "bye\r\n");
  writer.join();
}

TEST_F(DriverTest, ThousandsOfConnectionsAtOnce) {
  constexpr int kConnections = 2000;
  const std::uint16_t port = listen();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    ASSERT_TRUE(clients.back()->is_connected()) << i;
  }
  for (const auto& client : clients) ASSERT_EQ(client->line(), "hello");
  for (const auto& client : clients) client->send("x\r\n");
  for (const auto& client : clients) ASSERT_EQ(client->line(), "echo x");
  EXPECT_EQ(network_.open_connections(), static_cast<std::size_t>(kConnections));
  clients.clear();
  network_.stop(20s);
  EXPECT_EQ(observer_.destroyed.load(), kConnections);
}

}  // namespace
}  // namespace posthus::net
