// The SMTP client against our own server, in memory: what the one sends the other takes.
#include "smtp/client_session.h"

#include <gtest/gtest.h>

#include <deque>

#include "smtp/server_session.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"

namespace posthus::smtp {
namespace {

using Verdict = RecipientResult::Verdict;

struct Source final : MessageSource {
  std::deque<OutgoingMessage> messages;
  std::vector<MessageResult> results;
  std::optional<ConnectionResult> connection;
  bool stands_by = false;

  bool may_stand_by() override { return stands_by; }
  std::optional<OutgoingMessage> next() override {
    if (messages.empty()) return std::nullopt;
    OutgoingMessage message = std::move(messages.front());
    messages.pop_front();
    return message;
  }
  void finished(MessageResult result) override { results.push_back(std::move(result)); }
  void ended(ConnectionResult result) override {
    EXPECT_FALSE(connection.has_value());
    connection = std::move(result);
  }
};

OutgoingMessage make_message(std::string text, std::vector<std::string> recipients) {
  OutgoingMessage message;
  message.reverse_path = "sender@example.org";
  for (std::string& address : recipients) {
    message.recipients.push_back({static_cast<std::uint16_t>(message.recipients.size() + 1), std::move(address), 0, {}});
  }
  message.size = text.size();
  message.read = [text = std::move(text)](std::uint64_t offset, std::uint64_t length, std::string& out) -> Result<> {
    out.append(text, offset, length);
    return {};
  };
  return message;
}

class ClientSessionTest : public ::testing::Test {
 protected:
  ClientSessionTest() {
    world.add_user("anna@example.test", "secret");
    world.add_user("berta@example.test", "secret");
  }
  void listen(testing::MemoryHost host = {}) {
    host.make_session = [this](const session::ConnectionFacts& facts, session::Waker waker) {
      return make_server_session(context, ListenerRole::kMx, facts, waker);
    };
    dialer.set_host("192.0.2.1", 25, std::move(host));
  }
  void deliver(ClientOptions options = {.hostname = "mail.example.org"}) {
    session::DialOptions where;
    where.address = "192.0.2.1";
    dialer.dial(
        where, [&](const session::ConnectionFacts&, session::Waker) { return make_client_session(options, source); },
        [&](std::string failure) { done = std::move(failure); });
    dialer.run();
  }

  testing::World world;
  ServerContext context{*world.store, *world.authenticator, world.clock, "mx.example.test", true};
  testing::MemoryDialer dialer;
  Source source;
  std::optional<std::string> done;
};

TEST_F(ClientSessionTest, DeliversOverTlsToOurServer) {
  listen();
  source.messages.push_back(make_message("Subject: one\r\n\r\n.dots\r\n..\r\n", {"anna@example.test", "nobody@example.test"}));
  source.messages.push_back(make_message("Subject: two\r\n\r\nbody\r\n", {"berta@example.test"}));
  deliver();
  ASSERT_EQ(source.results.size(), 2u);
  EXPECT_EQ(source.results[0].recipients[0].verdict, Verdict::kDelivered);
  EXPECT_EQ(source.results[0].recipients[1].verdict, Verdict::kFailed);
  EXPECT_EQ(source.results[0].recipients[1].reply.code, 550);
  EXPECT_EQ(source.results[0].recipients[1].reply.enhanced, "5.1.1");
  EXPECT_EQ(source.results[0].recipients[1].reply.text, "No such user here");
  EXPECT_EQ(source.results[0].recipients[1].stage, "RCPT");
  EXPECT_EQ(source.results[1].recipients[0].verdict, Verdict::kDelivered);
  ASSERT_TRUE(source.connection.has_value());
  EXPECT_TRUE(source.connection->was_ready);
  EXPECT_TRUE(source.connection->tls.has_value());
  EXPECT_EQ(source.connection->greeting_name, "mx.example.test");
  EXPECT_EQ(done, "");
  const auto texts = world.messages("anna@example.test");
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_TRUE(texts[0].ends_with("Subject: one\r\n\r\n.dots\r\n..\r\n"));
  EXPECT_EQ(world.messages("berta@example.test").size(), 1u);
}

/// A connection that stands by after its first message, to a host that takes BDAT.
class StandingSessionTest : public ClientSessionTest {
 protected:
  StandingSessionTest() {
    source.stands_by = true;
    source.messages.push_back(make_message("Subject: one\r\n\r\n", {"anna@example.test"}));
    waker = driver.waker();
    driver.open(make_client_session({.hostname = "mail.example.org", .clock = &world.clock}, source), testing::Tls::kNo);
    driver.send("220 host\r\n");
    driver.take_output();
    driver.send("250-host\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    EXPECT_TRUE(driver.take_output().ends_with("LAST\r\nSubject: one\r\n\r\n"));
    driver.send("250 ok\r\n250 ok\r\n250 taken\r\n");
  }
  void wake_with_another() {
    source.messages.push_back(make_message("Subject: two\r\n\r\n", {"anna@example.test"}));
    waker.wake();
    ASSERT_TRUE(driver.deliver_wake());
  }

  testing::LoopbackDriver driver;
  session::Waker waker;
};

TEST_F(StandingSessionTest, ItSaysNothingUntilItIsWoken) {
  EXPECT_EQ(driver.take_output(), "");
  EXPECT_FALSE(driver.is_closed());
  EXPECT_FALSE(source.connection.has_value());
}

// With the text in the first group nobody could say whether a host that has gone took it.
TEST_F(StandingSessionTest, TheTextIsNotSentBeforeTheHostHasSpoken) {
  wake_with_another();
  EXPECT_EQ(driver.take_output(), "MAIL FROM:<sender@example.org>\r\nRCPT TO:<anna@example.test>\r\n");
  driver.send("250 ok\r\n250 ok\r\n");
  EXPECT_EQ(driver.take_output(), "BDAT 16 LAST\r\nSubject: two\r\n\r\n");
  driver.send("250 taken\r\n");
  ASSERT_EQ(source.results.size(), 2U);
  EXPECT_EQ(source.results[1].recipients[0].verdict, Verdict::kDelivered);
}

TEST_F(StandingSessionTest, WokenForNothingItSaysGoodBye) {
  source.stands_by = false;
  waker.wake();
  ASSERT_TRUE(driver.deliver_wake());
  EXPECT_EQ(driver.take_output(), "QUIT\r\n");
}

TEST_F(StandingSessionTest, NobodyWakesIt) {
  driver.time_out();
  EXPECT_EQ(driver.take_output(), "QUIT\r\n");
  EXPECT_TRUE(source.connection.has_value());
}

TEST_F(StandingSessionTest, AHostThatSpeaksEndsIt) {
  driver.send("421 4.4.2 idle for too long\r\n");
  EXPECT_TRUE(driver.is_closed());
  ASSERT_TRUE(source.connection.has_value());
  EXPECT_EQ(source.connection->failure.code, 421);
}

TEST_F(StandingSessionTest, AHostThatGoesWithTheEnvelopeHasNothing) {
  wake_with_another();
  driver.close_by_peer();
  ASSERT_EQ(source.results.size(), 2U);
  EXPECT_EQ(source.results[1].recipients[0].stage, "MAIL");
  EXPECT_EQ(source.results[1].recipients[0].reply.code, 0);
  EXPECT_TRUE(source.results[1].recipients[0].is_host_fault);
}

TEST_F(StandingSessionTest, AnAnswerToWhatWasNotAskedIsTakenForNothing) {
  driver.send("250 taken\r\n250 taken\r\n250 taken\r\n");
  EXPECT_TRUE(driver.is_closed());
  EXPECT_EQ(source.results.size(), 1U);
}

/// A host that answers everything, each time as late as it is told.
class SlowHostTest : public ClientSessionTest {
 protected:
  void connect() {
    driver.open(make_client_session({.hostname = "mail.example.org", .clock = &world.clock}, source), testing::Tls::kNo);
    driver.send("220 slow\r\n");
    driver.take_output();
    driver.send("250 slow\r\n");
  }
  /// Says `reply` after `wait` seconds, or as late as may be; true when that was too late.
  bool answer(const std::string& reply, int wait) {
    const std::chrono::seconds deadline = driver.session().deadline();
    if (deadline < std::chrono::seconds(wait)) {
      world.clock.advance(std::chrono::microseconds(deadline).count());
      driver.time_out();
      return true;
    }
    world.clock.advance(std::chrono::microseconds(std::chrono::seconds(wait)).count());
    driver.take_output();
    driver.send(reply);
    return false;
  }

  testing::LoopbackDriver driver;
};

TEST_F(SlowHostTest, HalfAnHourIsWhatATransactionMayTake) {
  std::vector<std::string> recipients;
  for (int i = 0; i < 100; ++i) recipients.push_back("u" + std::to_string(i) + "@example.test");
  source.messages.push_back(make_message("Subject: one\r\n\r\n", recipients));
  connect();
  const Timestamp begun = world.clock.now();
  int answers = 0;
  while (!answer("250 ok\r\n", 290)) ASSERT_LT(++answers, 100);
  EXPECT_EQ(answers, 1800 / 290);
  EXPECT_EQ(world.clock.now().seconds() - begun.seconds(), 1800);
  ASSERT_EQ(source.results.size(), 1u);
  EXPECT_EQ(source.results[0].recipients[0].verdict, Verdict::kDeferred);
  EXPECT_TRUE(source.connection->was_slow);
}

TEST_F(SlowHostTest, TheAnswerToTheTextIsWaitedForInAnyCase) {
  source.messages.push_back(make_message("Subject: one\r\n\r\n", std::vector<std::string>(5, "anna@example.test")));
  connect();
  for (int i = 0; i < 6; ++i) ASSERT_FALSE(answer("250 ok\r\n", 290));  // MAIL and five RCPT
  ASSERT_FALSE(answer("354 go\r\n", 59));
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(600));
  EXPECT_FALSE(answer("250 ok\r\n", 599));
  ASSERT_EQ(source.results.size(), 1u);
  EXPECT_EQ(source.results[0].recipients[0].verdict, Verdict::kDelivered);
}

TEST_F(SlowHostTest, ASlowHostGetsNoFurtherMessageOverTheConnection) {
  for (int i = 0; i < 3; ++i) source.messages.push_back(make_message("Subject: one\r\n\r\n", {"anna@example.test"}));
  connect();
  for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"}) ASSERT_FALSE(answer(reply, 100));
  EXPECT_FALSE(driver.output().contains("QUIT")) << "four hundred seconds are not slow";
  for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"}) ASSERT_FALSE(answer(reply, 100));
  EXPECT_TRUE(driver.output().contains("QUIT")) << driver.output();
  EXPECT_EQ(source.messages.size(), 1u);
}

// RFC 5321 §4.5.3.2.1 to .6: no host is given less.
TEST_F(SlowHostTest, EachAnswerMayTakeAsLongAsTheRfcSays) {
  source.messages.push_back(make_message("Subject: one\r\n\r\n", {"anna@example.test", "bert@example.test"}));
  driver.open(make_client_session({.hostname = "mail.example.org", .clock = &world.clock}, source), testing::Tls::kNo);
  struct Turn {
    const char *stage, *reply;
    int seconds;
  };
  constexpr Turn kTurns[] = {{"greeting", "220 hi\r\n", 300},   {"EHLO", "250 hi\r\n", 300},        {"MAIL", "250 ok\r\n", 300},
                             {"RCPT", "250 ok\r\n", 300},       {"second RCPT", "250 ok\r\n", 300}, {"DATA", "354 go\r\n", 120},
                             {"end of data", "250 ok\r\n", 600}};
  for (const Turn& turn : kTurns) {
    EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(turn.seconds)) << turn.stage;
    driver.take_output();
    driver.send(turn.reply);
  }
  ASSERT_EQ(source.results.size(), 1u);
  EXPECT_EQ(source.results[0].recipients[1].verdict, Verdict::kDelivered);
}

TEST_F(ClientSessionTest, StreamsALongTextInPieces) {
  listen();
  std::string text = "Subject: long\r\n\r\n";
  while (text.size() < 1'000'000) text += ".a line of the text\r\n";
  source.messages.push_back(make_message(text, {"anna@example.test"}));
  deliver();
  ASSERT_EQ(source.results.size(), 1u);
  EXPECT_EQ(source.results[0].recipients[0].verdict, Verdict::kDelivered);
  EXPECT_TRUE(world.messages("anna@example.test").at(0).ends_with(text));
}

// Every recipient has one result wherever the host closes.
TEST_F(ClientSessionTest, HostClosesAfterEveryByte) {
  const std::string text = "Subject: one\r\n\r\nbody\r\n";
  for (std::size_t bytes = 0; bytes < 700; ++bytes) {
    testing::MemoryHost host;
    host.close_after = bytes;
    listen(std::move(host));
    source = Source{};
    done.reset();
    source.messages.push_back(make_message(text, {"anna@example.test", "berta@example.test"}));
    deliver();
    ASSERT_TRUE(source.connection.has_value()) << bytes;
    ASSERT_TRUE(done.has_value()) << bytes;
    if (!source.messages.empty()) {
      EXPECT_FALSE(source.connection->was_ready) << bytes;
      continue;
    }
    ASSERT_EQ(source.results.size(), 1u) << bytes;
    ASSERT_EQ(source.results[0].recipients.size(), 2u) << bytes;
    for (const RecipientResult& result : source.results[0].recipients) {
      EXPECT_NE(result.verdict, Verdict::kFailed) << bytes;
      EXPECT_FALSE(result.stage.empty()) << bytes;
    }
  }
  EXPECT_EQ(source.results[0].recipients[0].verdict, Verdict::kDelivered);  // the last round was long enough
}

TEST_F(ClientSessionTest, SilentHostTimesOut) {
  testing::MemoryHost host;
  host.is_silent = true;
  listen(std::move(host));
  deliver();
  EXPECT_FALSE(source.connection.has_value());
  EXPECT_EQ(dialer.time_out(), 1u);
  ASSERT_TRUE(source.connection.has_value());
  EXPECT_EQ(source.connection->stage, "greeting");
  EXPECT_EQ(source.connection->failure.text, "The host did not answer in time.");
}

// A host that refuses while the text is on its way, and closes: what it said is the answer to the text.
TEST_F(ClientSessionTest, LastWordsOfTheHostAreTheAnswer) {
  struct Row {
    std::string_view words;
    Verdict verdict;
    std::uint16_t code;
  };
  for (const Row& row :
       {Row{"552 5.3.4 too big\r\n", Verdict::kFailed, 552}, Row{"250 ok\r\n451 later\r\n", Verdict::kDeferred, 451},
        Row{"421 bye\r\n", Verdict::kDeferred, 421}, Row{"250 ok\r\n", Verdict::kDeferred, 0}}) {
    source = Source{};
    source.messages.push_back(make_message(std::string(400'000, 'x'), {"anna@example.test"}));
    auto session = make_client_session({.hostname = "mail.example.org"}, source);
    std::string output;
    session->opened(output);
    for (const std::string_view reply : {"220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
      session::Input input(reply);
      if (session->received(input, output) != session::Step::kRun) continue;
      session->run(output);
      session->resumed(output);
    }
    session->last_words(row.words);
    session.reset();
    ASSERT_EQ(source.results.size(), 1u);
    EXPECT_EQ(source.results[0].recipients[0].verdict, row.verdict) << row.words;
    EXPECT_EQ(source.results[0].recipients[0].reply.code, row.code) << row.words;
    EXPECT_EQ(source.results[0].recipients[0].stage, "DATA");
    EXPECT_TRUE(source.connection.has_value());
  }
}

TEST_F(ClientSessionTest, FailedHandshakeIsTold) {
  testing::MemoryHost host;
  host.tls_failure = "certificate has expired";
  listen(std::move(host));
  deliver();
  ASSERT_TRUE(source.connection.has_value());
  EXPECT_TRUE(source.connection->is_tls_failure);
  EXPECT_EQ(source.connection->stage, "STARTTLS");
  EXPECT_EQ(source.connection->failure.text, "TLS: certificate has expired");
}

}  // namespace
}  // namespace posthus::smtp
