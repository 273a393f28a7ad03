// The server session where dialogs do not reach: SCRAM, deadlines, shutdown, failing storage, the size of an idle session.
#include "smtp/server_session.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/metrics.h"
#include "core/base/shared_addresses.h"
#include "core/sasl/scram.h"
#include "smtp/session_state.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using testing::LoopbackDriver;
using testing::Tls;
using testing::World;

store::FailingEngine* failing_engine = nullptr;

std::unique_ptr<store::Store> make_failing_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing_engine = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

struct SmtpSession : ::testing::Test {
  SmtpSession() : world(&make_failing_store), context{*world.store, *world.authenticator, world.clock, "mx.example.test", true} {
    world.add_user("anna@example.test", "secret");
  }
  void open(ListenerRole role, Tls tls = Tls::kNo) {
    session::ConnectionFacts facts;
    facts.remote_address = "192.0.2.1";
    driver.open(make_server_session(context, role, facts, driver.waker()), tls);
    driver.send("EHLO c.example.org\r\n");
    driver.take_output();
  }
  std::string say(const std::string& text) {
    driver.send(text);
    return driver.take_output();
  }

  World world;
  ServerContext context;
  LoopbackDriver driver;
};

TEST_F(SmtpSession, ACancelledExchangeCountsAsAborted) {
  open(ListenerRole::kSubmission, Tls::kImplicit);
  const metrics::Counter& aborted = metrics::counter("posthus_logins_total", "", "protocol=\"smtp\",result=\"aborted\"");
  const std::uint64_t before = aborted.value();
  EXPECT_EQ(say("AUTH PLAIN\r\n*\r\n"), "334 \r\n501 5.7.0 Authentication cancelled\r\n");
  EXPECT_EQ(aborted.value(), before + 1);
  EXPECT_EQ(say("AUTH LOGIN\r\n!\r\n"), "334 VXNlcm5hbWU6\r\n501 5.5.2 Invalid base64\r\n");
  EXPECT_EQ(aborted.value(), before + 2);
}

// RFC 5802 §3 by the formula.
std::string client_proof(const std::string& secret, const std::string& salt, int iterations, const std::string& message) {
  std::string u = hmac_sha256(secret, salt + std::string("\0\0\0\1", 4));
  std::string salted = u;
  for (int i = 1; i < iterations; ++i) {
    u = hmac_sha256(secret, u);
    for (std::size_t k = 0; k < 32; ++k) salted[k] = static_cast<char>(salted[k] ^ u[k]);
  }
  std::string key = hmac_sha256(salted, "Client Key");
  const std::string signature = hmac_sha256(as_view(sha256(key)), message);
  for (std::size_t k = 0; k < 32; ++k) key[k] = static_cast<char>(key[k] ^ signature[k]);
  return key;
}

struct ScramCase {
  std::string mechanism, header, binding, password, reply;
};

struct SmtpScram : SmtpSession {
  void TestBody() override {}
  std::string log_in(const ScramCase& c) {
    const std::string bare = "n=anna@example.test,r=clientnonce";
    const std::string answer = say("AUTH " + c.mechanism + " " + base64_encode(c.header + bare) + "\r\n");
    EXPECT_EQ(answer.substr(0, 4), "334 ");
    const std::string server_first = base64_decode(answer.substr(4, answer.size() - 6)).value_or("");
    const std::size_t s = server_first.find(",s=");
    const std::size_t i = server_first.find(",i=");
    if (i == std::string::npos) return answer;
    const std::string without_proof = "c=" + base64_encode(c.header + c.binding) + ",r=" + server_first.substr(2, s - 2);
    const std::string salt = *base64_decode(server_first.substr(s + 3, i - s - 3));
    const std::string message = bare + "," + server_first + "," + without_proof;
    const std::string proof = client_proof(c.password, salt, std::stoi(server_first.substr(i + 3)), message);
    std::string last = say(base64_encode(without_proof + ",p=" + base64_encode(proof)) + "\r\n");
    if (last.starts_with("334 ")) last = say("\r\n");
    return last;
  }
};

TEST_F(SmtpScram, AcceptsProofsWithAndWithoutChannelBinding) {
  const std::string exporter = LoopbackDriver::tls_facts().tls_exporter;
  const ScramCase cases[] = {
      {"SCRAM-SHA-256", "n,,", "", "secret", "235"},
      {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", exporter, "secret", "235"},
      {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", std::string(32, '?'), "secret", "535"},
      {"SCRAM-SHA-256", "n,,", "", "wrong", "535"},
  };
  for (const ScramCase& c : cases) {
    SmtpScram other;
    other.open(ListenerRole::kSubmission, Tls::kImplicit);
    EXPECT_EQ(other.log_in(c).substr(0, 3), c.reply) << c.mechanism << " " << c.header << " " << c.password;
    EXPECT_EQ(other.say("MAIL FROM:<anna@example.test>\r\n").substr(0, 3), c.reply == "235" ? "250" : "530");
  }
}

TEST_F(SmtpSession, ForgetsALoginWhenTlsBeginsAnew) {
  open(ListenerRole::kSubmission, Tls::kImplicit);
  EXPECT_EQ(say("AUTH PLAIN " + base64_encode(std::string("\0anna@example.test\0secret", 25)) + "\r\n").substr(0, 3), "235");
  std::string output;
  EXPECT_EQ(driver.session().tls_started(LoopbackDriver::tls_facts(), output), session::Step::kRead);
  EXPECT_EQ(say("MAIL FROM:<anna@example.test>\r\n").substr(0, 3), "503");
  EXPECT_EQ(say("EHLO x\r\nMAIL FROM:<anna@example.test>\r\n").find("530 5.7.0") != std::string::npos, true);
}

TEST_F(SmtpSession, GivesLessTimeWhileACommandTricklesIn) {
  open(ListenerRole::kMx);
  EXPECT_EQ(driver.session().deadline(), 300s);
  world.clock.advance(100'000'000);
  say("NO");
  EXPECT_EQ(driver.session().deadline(), 200s);
  EXPECT_EQ(say("OP\r\n"), "250 2.0.0 OK\r\n");
  EXPECT_EQ(driver.session().deadline(), 300s);
}

TEST_F(SmtpSession, GivesAMessageTimeByItsBytes) {
  open(ListenerRole::kMx);
  say("MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n");
  EXPECT_EQ(driver.session().deadline(), 180s);
  world.clock.advance(590'000'000);
  EXPECT_EQ(driver.session().deadline(), 10s);
  say(std::string(512 * 20, 'x'));
  EXPECT_EQ(driver.session().deadline(), 30s);
  world.clock.advance(31'000'000);
  EXPECT_EQ(driver.session().deadline(), 0s);
  EXPECT_EQ(say("x"), "421 4.4.2 Timeout, closing the connection\r\n");
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SmtpSession, WantsTinyChunksToMoveAsWell) {
  open(ListenerRole::kMx);
  say("MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(say("BDAT 1\r\nx").substr(0, 3), "250");
    world.clock.advance(190'000'000);
  }
  EXPECT_EQ(driver.session().deadline(), 30s);
  world.clock.advance(31'000'000);
  EXPECT_EQ(say("BDAT 1\r\nx").substr(0, 9), "421 4.4.2");
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SmtpSession, KnowsNoDsnParametersUnlessItOffersThem) {
  context.offers_dsn = false;
  open(ListenerRole::kMx);
  EXPECT_EQ(say("EHLO x\r\n").find("DSN"), std::string::npos);
  EXPECT_EQ(say("MAIL FROM:<> RET=FULL\r\n").substr(0, 9), "555 5.5.4");
  EXPECT_EQ(say("MAIL FROM:<> ENVID=a\r\n").substr(0, 9), "555 5.5.4");
  EXPECT_EQ(say("MAIL FROM:<>\r\n").substr(0, 3), "250");
  EXPECT_EQ(say("RCPT TO:<anna@example.test> NOTIFY=NEVER\r\n").substr(0, 9), "555 5.5.4");
  EXPECT_EQ(say("RCPT TO:<anna@example.test> ORCPT=rfc822;a@b\r\n").substr(0, 9), "555 5.5.4");
  EXPECT_EQ(say("RCPT TO:<anna@example.test>\r\n").substr(0, 3), "250");
}

TEST_F(SmtpSession, EndsAConnectionThatOnlyGreets) {
  open(ListenerRole::kMx);
  for (int i = 0; i < 200 && !driver.is_closed(); ++i) say("EHLO c.example.org\r\n");
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SmtpSession, EndsAConnectionThatAddsRecipientsForEver) {
  context.limits.max_recipients = 1;
  open(ListenerRole::kMx);
  say("MAIL FROM:<>\r\n");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "RCPT TO:<anna@example.test>\r\n";
  for (int i = 0; i < 300 && !driver.is_closed(); ++i) say(many);
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SmtpSession, SaysGoodbyeAtShutdown) {
  open(ListenerRole::kMx);
  std::string output;
  driver.session().shutting_down(output);
  EXPECT_EQ(output, "421 4.3.2 Service is shutting down, try again shortly\r\n");
}

TEST_F(SmtpSession, PutsMailOffWhileTheStoreFails) {
  open(ListenerRole::kMx);
  say("MAIL FROM:<a@example.org>\r\n");
  failing_engine->fail_snapshot(1, ErrorKind::kIo);
  EXPECT_EQ(say("RCPT TO:<anna@example.test>\r\n"), "451 4.3.0 Temporary failure, try again later\r\n");
  failing_engine->fail_read(1, ErrorKind::kIo);
  EXPECT_EQ(say("RCPT TO:<anna@example.test>\r\n"), "451 4.3.0 Temporary failure, try again later\r\n");
  EXPECT_EQ(say("RCPT TO:<anna@example.test>\r\n"), "250 2.1.5 Recipient OK\r\n");
  say("DATA\r\n");
  failing_engine->fail_put(1, ErrorKind::kUnavailable);
  EXPECT_EQ(say("Subject: x\r\n\r\n.\r\n").substr(0, 1), "4");
  EXPECT_EQ(world.messages("anna@example.test").size(), 0u);
  EXPECT_NE(say("MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n").find("354"), std::string::npos);
  EXPECT_NE(say("Subject: x\r\n\r\n.\r\n").find("accepted"), std::string::npos);
  EXPECT_EQ(world.messages("anna@example.test").size(), 1u);
}

// Every step of the store fails once, in turn: what was acknowledged is there, what was not is not, and the session
// goes on.
TEST_F(SmtpSession, AcknowledgesOnlyWhatIsStoredWhicheverStepFails) {
  const std::string commands = "MAIL FROM:<a@example.org>\r\nRCPT TO:<anna@example.test>\r\nBDAT 6 LAST\r\na: b\r\nRSET\r\n";
  const auto count = [](const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  using Arm = void (*)(std::uint64_t);
  const Arm arms[] = {[](std::uint64_t n) { failing_engine->fail_snapshot(n, ErrorKind::kIo); },
                      [](std::uint64_t n) { failing_engine->fail_read(n, ErrorKind::kCorrupt); },
                      [](std::uint64_t n) { failing_engine->fail_put(n, ErrorKind::kUnavailable); }};
  std::size_t acknowledged = 0;
  for (const Arm arm : arms) {
    bool was_hit = true;
    for (std::uint64_t nth = 1; was_hit && nth < 100; ++nth) {
      LoopbackDriver other;
      other.open(make_server_session(context, ListenerRole::kMx, {}, other.waker()));
      other.send("EHLO c.example.org\r\n");
      other.take_output();
      arm(nth);
      other.send(commands);
      const std::string output = other.take_output();
      arm(0);
      const std::size_t accepted = count(output, " accepted\r\n");
      was_hit = accepted == 0;
      acknowledged += accepted;
      EXPECT_EQ(count(output, "\r\n"), 4u) << output;
      EXPECT_TRUE(output.ends_with("250 2.0.0 OK\r\n")) << output;
      EXPECT_EQ(world.messages("anna@example.test").size(), acknowledged) << output;
    }
    EXPECT_FALSE(was_hit);
  }
}

TEST_F(SmtpSession, RefusesMailWhileTheByteBudgetIsSpent) {
  open(ListenerRole::kMx);
  ByteReservation held(world.store->budget());
  ASSERT_TRUE(held.try_grow(world.store->budget().limit()));
  EXPECT_EQ(say("MAIL FROM:<>\r\n"), "452 4.3.1 Insufficient system storage, try again later\r\n");
  held.shrink_to(0);
  EXPECT_EQ(say("MAIL FROM:<>\r\n").substr(0, 3), "250");
  EXPECT_EQ(say("RCPT TO:<anna@example.test>\r\n").substr(0, 3), "250");
  ASSERT_TRUE(held.try_grow(world.store->budget().limit()));
  EXPECT_EQ(say("DATA\r\n").substr(0, 9), "452 4.3.1");
  held.shrink_to(0);
  EXPECT_EQ(say("DATA\r\n").substr(0, 3), "354");
  ASSERT_TRUE(held.try_grow(world.store->budget().limit() - world.store->budget().used()));
  EXPECT_EQ(say(std::string(4'000'000, 'x') + "\r\n.\r\n").substr(0, 9), "452 4.3.1");
}

TEST_F(SmtpSession, GivesEveryMessageAnIdOfItsOwn) {
  open(ListenerRole::kMx);
  const std::string message = "MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nBDAT 2 LAST\r\n\r\n";
  const std::string first = say(message);
  const std::string second = say(message);
  EXPECT_NE(first, second);
  EXPECT_NE(first.find("accepted"), std::string::npos);
  EXPECT_EQ(first.size(), second.size());
}

TEST_F(SmtpSession, ReadsAHugeHeaderWithoutKeepingIt) {
  context.limits.max_message_bytes = 1'000'000;
  open(ListenerRole::kMx);
  say("MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n");
  const std::string block = "X-Header: " + std::string(60'000, 'x') + "\r\n";
  for (int i = 0; i < 1700; ++i) EXPECT_EQ(say(block), "");
  EXPECT_EQ(world.store->budget().used(), 0u);
  EXPECT_EQ(say("\r\n.\r\n"), "552 5.3.4 Message exceeds the size limit\r\n");
  EXPECT_EQ(say("NOOP\r\n"), "250 2.0.0 OK\r\n");
}

TEST(SmtpSessionSize, IsSmallWhileIdle) { EXPECT_LE(sizeof(ServerSession), 512u); }

// RFC 4954 §6: 454 is "try again"; 535 would make clients ask their user for another password.
TEST_F(SmtpSession, AnUnreadableDirectoryIsATemporaryFailureOfAuth) {
  open(ListenerRole::kSubmission, Tls::kImplicit);
  for (int i = 0; i < 10; ++i) {
    failing_engine->fail_snapshot(1, ErrorKind::kIo);
    EXPECT_EQ(say("AUTH PLAIN AGFubmFAZXhhbXBsZS50ZXN0AHNlY3JldA==\r\n"),
              "454 4.7.0 Temporary authentication failure, try again later\r\n");
    failing_engine->fail_snapshot(0, ErrorKind::kIo);
  }
  EXPECT_EQ(say("AUTH PLAIN AGFubmFAZXhhbXBsZS50ZXN0AHNlY3JldA==\r\n").substr(0, 4), "235 ");
}

// Servers that bring mail are evidence of who comes from an address; mail that is refused is none, and neither is submission.
TEST_F(SmtpSession, MailFromManyServersShowsThatAnAddressIsShared) {
  SharedAddresses shared(world.clock, {});
  context.shared = &shared;
  const auto bring = [&](const std::string& helo, const std::string& recipient) {
    LoopbackDriver server;
    session::ConnectionFacts facts;
    facts.remote_address = "172.17.0.1";
    server.open(make_server_session(context, ListenerRole::kMx, facts, server.waker()));
    server.send("EHLO " + helo + "\r\nMAIL FROM:<x@" + helo + ">\r\nRCPT TO:<" + recipient +
                ">\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n");
  };
  for (int i = 0; i < 10; ++i) bring("mx.refused" + std::to_string(i) + ".example", "nobody@example.test");
  EXPECT_FALSE(shared.is_shared("172.17.0.1"));
  for (std::size_t i = 0; i < kUnrelatedClients; ++i) bring("mx.domain" + std::to_string(i) + ".example", "anna@example.test");
  EXPECT_TRUE(shared.is_shared("172.17.0.1"));
}

}  // namespace
}  // namespace posthus::smtp
