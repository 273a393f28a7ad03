// Logins where dialogs do not reach: a directory that cannot be read, and strangers who never log in.
#include <gtest/gtest.h>

#include <string>

#include "core/base/metrics.h"
#include "imap/server_session.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

namespace posthus::imap {
namespace {

store::FailingEngine* failing = nullptr;  // of the World that was made last

std::unique_ptr<store::Store> make_failing_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

// RFC 5530 §3: [UNAVAILABLE], since [AUTHENTICATIONFAILED] would make clients ask their user for another password.
TEST(Login, AnUnreadableDirectoryIsATemporaryFailure) {
  testing::World world(make_failing_store);
  world.add_user("anna@example.test", "secret");
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
  testing::LoopbackDriver driver;
  driver.open(make_server_session(context, {.remote_address = "192.0.2.1"}, driver.waker()), testing::Tls::kImplicit);
  driver.take_output();
  for (const std::string command :
       {"LOGIN anna@example.test secret", "AUTHENTICATE PLAIN AGFubmFAZXhhbXBsZS50ZXN0AHNlY3JldA=="}) {
    for (int i = 0; i < 10; ++i) {
      failing->fail_snapshot(1, ErrorKind::kIo);
      driver.send("a " + command + "\r\n");
      EXPECT_EQ(driver.take_output(), "a NO [UNAVAILABLE] Temporary failure, try again later\r\n");
      failing->fail_snapshot(0, ErrorKind::kIo);
    }
  }
  driver.send("b LOGIN anna@example.test secret\r\n");
  EXPECT_EQ(driver.take_output().substr(0, 5), "b OK ");
}

TEST(Login, AStrangerCannotStayByTricklingBytes) {
  testing::World world;
  world.add_user("anna@example.test", "secret");
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
  testing::LoopbackDriver stranger, user;
  for (auto* driver : {&stranger, &user}) {
    driver->open(make_server_session(context, {.remote_address = "192.0.2.1"}, driver->waker()), testing::Tls::kImplicit);
    EXPECT_EQ(driver->session().deadline(), std::chrono::seconds(60));
  }
  user.send("a LOGIN anna@example.test secret\r\n");
  EXPECT_EQ(user.session().deadline(), std::chrono::minutes(30));
  for (int i = 0; i < 6; ++i) {
    stranger.send("a NOOP\r\nb NO");
    stranger.send("OP\r\n");
    EXPECT_FALSE(stranger.is_closed());
    world.clock.advance(49'000'000);
  }
  EXPECT_EQ(stranger.session().deadline(), std::chrono::seconds(6));
  world.clock.advance(6'000'000);
  EXPECT_EQ(stranger.session().deadline(), std::chrono::seconds(0));
  stranger.take_output();
  stranger.send("c NOOP\r\n");
  EXPECT_TRUE(stranger.is_closed());
  EXPECT_EQ(stranger.take_output(), "* BYE Nobody has logged in\r\n");
  user.send("c NOOP\r\n");
  EXPECT_FALSE(user.is_closed());
}

TEST(Login, ACancelledExchangeCountsAsAborted) {
  testing::World world;
  world.add_user("anna@example.test", "secret");
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
  testing::LoopbackDriver driver;
  driver.open(make_server_session(context, {.remote_address = "192.0.2.1"}, driver.waker()), testing::Tls::kImplicit);
  const metrics::Counter& aborted = metrics::counter("posthus_logins_total", "", "protocol=\"imap\",result=\"aborted\"");
  const std::uint64_t before = aborted.value();
  driver.send("a AUTHENTICATE PLAIN\r\n*\r\n");
  EXPECT_EQ(aborted.value(), before + 1);
  driver.send("b AUTHENTICATE PLAIN\r\n!\r\n");
  EXPECT_EQ(aborted.value(), before + 2);
}

TEST(Commands, AreCountedByVerbAndOnlyByKnownOnes) {
  testing::World world;
  world.add_user("anna@example.test", "secret");
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
  testing::LoopbackDriver driver;
  driver.open(make_server_session(context, {.remote_address = "192.0.2.1"}, driver.waker()), testing::Tls::kImplicit);
  driver.send("a LOGIN anna@example.test secret\r\nb SELECT INBOX\r\n");
  const auto counted = [](const std::string& verb) {
    return metrics::counter("posthus_imap_commands_total", "", "verb=\"" + verb + "\"").value();
  };
  const std::uint64_t fetches = counted("UID FETCH"), appends = counted("APPEND"), unknown = counted("unknown");
  driver.send("c uid fetch 1:* FLAGS\r\nd APPEND INBOX {3+}\r\nabc\r\ne XYZZY\r\n");
  EXPECT_EQ(counted("UID FETCH"), fetches + 1);
  EXPECT_EQ(counted("APPEND"), appends + 1);
  EXPECT_EQ(counted("unknown"), unknown + 1);
  EXPECT_EQ(metrics::render().find("XYZZY"), std::string::npos);
}

}  // namespace
}  // namespace posthus::imap
