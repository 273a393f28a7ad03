// What dialogs cannot show: large messages and maildrops in pieces, messages that vanish, a store that fails, sizes.
#include "pop3/server_session.h"

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "pop3/retrieval.h"
#include "pop3/server_session_state.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

namespace posthus::pop3 {
namespace {

using session::Step;

constexpr std::string_view kLogin = "USER anna@example.test\r\nPASS pencil\r\n";

store::FailingEngine* failing = nullptr;  // of the World that was made last

std::unique_ptr<store::Store> make_failing_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

struct SessionTest : ::testing::Test {
  SessionTest() {
    log::configure(log::Level::kError, log::Format::kText);
    world.add_user("anna@example.test", "pencil");
  }
  std::unique_ptr<session::Session> make() { return make_server_session(context, {.remote_address = "192.0.2.1"}, {}); }
  /// A session of a driver, logged in, its output taken.
  void log_in(posthus::testing::LoopbackDriver& driver) {
    driver.open(make(), posthus::testing::Tls::kImplicit);
    driver.send(kLogin);
    driver.take_output();
  }
  /// Puts the password into the verification cache: a failing look-up then costs no evaluation.
  void log_in_once() {
    posthus::testing::LoopbackDriver driver;
    log_in(driver);
  }
  std::string ask(posthus::testing::LoopbackDriver& driver, std::string_view commands) {
    driver.send(commands);
    return driver.take_output();
  }
  void expunge(std::uint32_t uid) {
    store::Expunge request;
    request.mailbox = world.mailbox("anna@example.test");
    request.uids = {{Uid(uid), Uid(uid)}};
    request.rule = store::ExpungeRule::kAllNamed;
    ASSERT_TRUE(world.store->apply(std::move(request)).has_value());
  }

  posthus::testing::World world{make_failing_store};
  MaildropLocks locks;
  ServerContext context{*world.store, *world.authenticator, world.clock, locks, "mail.example.test"};
};

TEST_F(SessionTest, AnIdleSessionIsSmall) { EXPECT_LE(sizeof(ServerSession), 768u); }

TEST_F(SessionTest, CommandsAreCountedByKeywordAndOnlyByKnownOnes) {
  world.deliver("anna@example.test", "Subject: one\r\n\r\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  const auto counted = [](const std::string& verb) {
    return metrics::counter("posthus_pop3_commands_total", "", "verb=\"" + verb + "\"").value();
  };
  const std::uint64_t retrieved = counted("RETR"), listed = counted("LIST"), unknown = counted("unknown");
  ask(driver, "RETR 1\r\nRETR 9\r\nLIST\r\nXTND\r\n?\r\n");
  EXPECT_EQ(counted("RETR"), retrieved + 2);
  EXPECT_EQ(counted("LIST"), listed + 1);
  EXPECT_EQ(counted("unknown"), unknown + 2);
  EXPECT_EQ(metrics::render().find("XTND"), std::string::npos);
}

TEST_F(SessionTest, ACancelledExchangeCountsAsAborted) {
  posthus::testing::LoopbackDriver driver;
  driver.open(make(), posthus::testing::Tls::kImplicit);
  const metrics::Counter& aborted = metrics::counter("posthus_logins_total", "", "protocol=\"pop3\",result=\"aborted\"");
  const std::uint64_t before = aborted.value();
  ask(driver, "AUTH PLAIN\r\n*\r\n");
  EXPECT_EQ(aborted.value(), before + 1);
  ask(driver, "AUTH PLAIN\r\n!\r\n");
  EXPECT_EQ(aborted.value(), before + 2);
}

TEST_F(SessionTest, ALargeMessageComesInPiecesThatHoldNoSnapshot) {
  std::string text = "Subject: large\r\n\r\n";
  while (text.size() < 3'000'000) text += ".line that wants stuffing\r\nand one that does not\r\n";
  world.deliver("anna@example.test", text);
  auto session = make();
  std::string output;
  session->tls_started(posthus::testing::LoopbackDriver::tls_facts(), output);
  session->opened(output);
  const auto feed = [&](std::string_view bytes) {
    session::Input input(bytes);
    Step step = Step::kRead;
    while (!input.empty() && step == Step::kRead) step = session->received(input, output);
    return step;
  };
  ASSERT_EQ(feed(kLogin), Step::kRun);
  session->run(output);
  ASSERT_EQ(session->resumed(output), Step::kRead);
  output.clear();
  ASSERT_EQ(feed("RETR 1\r\n"), Step::kRun);
  EXPECT_EQ(session->run_cost(), session::RunCost::kBlocking);
  std::string all;
  int pieces = 0;
  for (Step step = Step::kRun; step == Step::kRun; ++pieces) {
    output.clear();
    session->run(output);
    EXPECT_LE(output.size(), 2 * kPieceBytes);
    all += output;
    output.clear();
    step = session->resumed(output);
    EXPECT_EQ(world.store->statistics().engine.oldest_snapshot_age_commits, 0u);
  }
  EXPECT_GE(pieces, 11);
  EXPECT_TRUE(all.starts_with("+OK " + std::to_string(text.size()) + " octets\r\nSubject: large\r\n\r\n..line"));
  EXPECT_TRUE(all.ends_with("does not\r\n.\r\n"));
  std::string unstuffed;
  for (std::size_t at = all.find("\r\n") + 2; at < all.size() - 3;) {
    const std::size_t end = all.find("\r\n", at) + 2;
    if (all[at] == '.') ++at;
    unstuffed.append(all, at, end - at);
    at = end;
  }
  EXPECT_EQ(unstuffed, text);
}

TEST_F(SessionTest, TopOfALargeMessageReadsOnlyWhatItNeeds) {
  std::string text = "Subject: large\r\n\r\n";
  while (text.size() < 2'000'000) text += "line\r\n";
  world.deliver("anna@example.test", text);
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  EXPECT_EQ(ask(driver, "TOP 1 2\r\n"), "+OK top of message follows\r\nSubject: large\r\n\r\nline\r\nline\r\n.\r\n");
  const std::string all = ask(driver, "TOP 1 4000000\r\n");
  EXPECT_EQ(all.size(), text.size() + std::string_view("+OK top of message follows\r\n.\r\n").size());
}

TEST_F(SessionTest, AMessageWithoutAFinalLineEndGetsOne) {
  world.deliver("anna@example.test", "Subject: x\r\n\r\nno end");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  EXPECT_EQ(ask(driver, "RETR 1\r\n"), "+OK 20 octets\r\nSubject: x\r\n\r\nno end\r\n.\r\n");
}

TEST_F(SessionTest, AMessageThatVanishedIsRefusedAndItsNeighboursAreNot) {
  for (int i = 1; i <= 3; ++i) world.deliver("anna@example.test", "Subject: " + std::to_string(i) + "\n\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  expunge(2);
  const std::string all = ask(driver, "RETR 1\r\nRETR 2\r\nTOP 2 0\r\nRETR 3\r\n");
  EXPECT_EQ(all,
            "+OK 14 octets\r\nSubject: 1\r\n\r\n.\r\n-ERR the message was deleted meanwhile\r\n"
            "-ERR the message was deleted meanwhile\r\n+OK 14 octets\r\nSubject: 3\r\n\r\n.\r\n");
  EXPECT_EQ(ask(driver, "DELE 2\r\nDELE 3\r\nQUIT\r\n"),
            "+OK message marked as deleted\r\n+OK message marked as deleted\r\n+OK goodbye\r\n");
  EXPECT_EQ(world.messages("anna@example.test").size(), 1u);
}

TEST_F(SessionTest, AUserWhoIsRemovedMeanwhileLosesHisMessages) {
  world.deliver("anna@example.test", "Subject: 1\n\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  ASSERT_TRUE(world.store->apply(store::RemoveUser{"anna@example.test"}).has_value());
  EXPECT_EQ(ask(driver, "RETR 1\r\nDELE 1\r\n"), "-ERR the message was deleted meanwhile\r\n+OK message marked as deleted\r\n");
  EXPECT_TRUE(ask(driver, "QUIT\r\n").starts_with("-ERR [SYS/TEMP] "));
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SessionTest, AnUpdateThatFailsDeletesNothingAndSaysSo) {
  for (int i = 1; i <= 3; ++i) world.deliver("anna@example.test", "Subject: " + std::to_string(i) + "\n\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  ask(driver, "DELE 1\r\nDELE 3\r\n");
  failing->fail_put(2, ErrorKind::kUnavailable);
  EXPECT_EQ(ask(driver, "QUIT\r\n"), "-ERR [SYS/TEMP] nothing was deleted, try again later\r\n");
  EXPECT_TRUE(driver.is_closed());
  failing->fail_put(0, ErrorKind::kUnavailable);
  EXPECT_EQ(world.messages("anna@example.test").size(), 3u);
  posthus::testing::LoopbackDriver again;
  log_in(again);
  EXPECT_EQ(ask(again, "STAT\r\n"), "+OK 3 42\r\n");
}

TEST_F(SessionTest, AStoreThatFailsAtLoginIsTemporaryAndGivesTheMaildropBack) {
  posthus::testing::LoopbackDriver driver;
  driver.open(make(), posthus::testing::Tls::kImplicit);
  ask(driver, "USER anna@example.test\r\n");
  // The look-up of the credentials takes the first snapshot, the maildrop the second.
  failing->fail_snapshot(2, ErrorKind::kUnavailable);
  EXPECT_TRUE(ask(driver, "PASS pencil\r\n").starts_with("-ERR [SYS/TEMP] "));
  EXPECT_EQ(ask(driver, kLogin), "+OK send the password\r\n+OK 0 messages (0 octets)\r\n");
}

TEST_F(SessionTest, AStoreThatFailsAtRetrIsTemporaryAndTheSessionGoesOn) {
  world.deliver("anna@example.test", "Subject: 1\n\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  for (std::uint64_t nth = 1; nth <= 3; ++nth) {
    failing->fail_read(nth, ErrorKind::kUnavailable);
    const std::string answer = ask(driver, "RETR 1\r\nNOOP\r\n");
    EXPECT_TRUE(answer.starts_with("-ERR [SYS/TEMP] ")) << nth << answer;
    EXPECT_TRUE(answer.ends_with("\r\n+OK nothing done\r\n")) << nth << answer;
  }
  failing->fail_read(0, ErrorKind::kUnavailable);
  EXPECT_TRUE(ask(driver, "RETR 1\r\n").starts_with("+OK 14 octets\r\n"));
}

TEST_F(SessionTest, WhateverReadFailsEveryCommandIsAnsweredAndNothingIsLost) {
  log_in_once();
  for (std::uint64_t nth = 1; nth <= 40; ++nth) {
    world.deliver("anna@example.test", "Subject: x\n\ntext\n");
    const std::size_t before = world.messages("anna@example.test").size();
    posthus::testing::LoopbackDriver driver;
    driver.open(make(), posthus::testing::Tls::kImplicit);
    failing->fail_read(nth, ErrorKind::kUnavailable);
    const std::string answers = ask(driver, std::string(kLogin) + "STAT\r\nRETR 1\r\nTOP 1 1\r\nUIDL\r\nDELE 1\r\nQUIT\r\n");
    failing->fail_read(0, ErrorKind::kUnavailable);
    EXPECT_TRUE(driver.is_closed()) << nth;
    EXPECT_TRUE(answers.ends_with("\r\n")) << nth;
    const bool has_deleted = answers.ends_with("+OK message marked as deleted\r\n+OK goodbye\r\n");
    EXPECT_EQ(world.messages("anna@example.test").size(), has_deleted ? before - 1 : before) << nth << answers;
  }
}

TEST_F(SessionTest, AMessageThatBreaksOffClosesTheConnectionWithoutAnEnd) {
  world.deliver("anna@example.test", "Subject: 1\r\n\r\n" + std::string(1'000'000, 'x'));
  auto session = make();
  std::string output;
  session->tls_started(posthus::testing::LoopbackDriver::tls_facts(), output);
  session->opened(output);
  session::Input login(kLogin);
  ASSERT_EQ(session->received(login, output), Step::kRun);
  session->run(output);
  ASSERT_EQ(session->resumed(output), Step::kRead);
  session::Input retrieve("RETR 1\r\n");
  ASSERT_EQ(session->received(retrieve, output), Step::kRun);
  session->run(output);
  ASSERT_EQ(session->resumed(output), Step::kRun);
  expunge(1);
  output.clear();
  session->shutting_down(output);  // in the middle of an answer there is nothing to say
  EXPECT_EQ(output, "");
  session->run(output);
  EXPECT_EQ(session->resumed(output), Step::kClose);
  EXPECT_EQ(output.find("\r\n.\r\n"), std::string::npos);
}

TEST_F(SessionTest, SaysWhyItStops) {
  auto session = make();
  std::string output;
  session->opened(output);
  output.clear();
  session->shutting_down(output);
  EXPECT_EQ(output, "-ERR [SYS/TEMP] the server is shutting down\r\n");
}

TEST_F(SessionTest, WaitsTenMinutesForUsersAndOneForStrangers) {
  posthus::testing::LoopbackDriver driver;
  driver.open(make(), posthus::testing::Tls::kImplicit);
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(60));
  driver.send(kLogin);
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(600));
}

TEST_F(SessionTest, AStrangerCannotStayByTricklingBytes) {
  posthus::testing::LoopbackDriver driver;
  driver.open(make());
  for (int i = 0; i < 6; ++i) {
    ask(driver, "U");
    EXPECT_FALSE(driver.is_closed());
    world.clock.advance(49'000'000);
  }
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(6));
  world.clock.advance(6'000'000);
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(0));
  ask(driver, "U");
  EXPECT_TRUE(driver.is_closed());
}

TEST_F(SessionTest, TheShortWayStuffsLikeTheLongOne) {
  const std::vector<std::string> texts = {"A: b\r\n\r\n.\r\n",
                                          "A: b\r\n\r\nx\n.\ny\r\n",
                                          "A: b\r\n\r\n..\r\n.",
                                          "A: b\r\n\r\nx.\r\ny",
                                          "A: b\r\n\r\n\r\n",
                                          ".A: b\r\n\r\n",
                                          "x",
                                          "A: b\r\n\r\nx\n",
                                          "A: b\r\n\r\nx\r"};
  for (const std::string& text : texts) {
    store::AddMessage add{world.store->begin_message(), {store::Target{world.mailbox("anna@example.test"), 0, {}}}};
    ASSERT_TRUE(add.message.append(text).has_value() && add.message.finish().has_value());
    ASSERT_TRUE(world.store->apply(std::move(add)).has_value());
  }
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string expected = "+OK " + std::to_string(texts[i].size()) + " octets\r\n";
    mail::DotStuffer stuffer;
    stuffer.append(expected, texts[i]);
    stuffer.finish(expected);
    EXPECT_EQ(ask(driver, "RETR " + std::to_string(i + 1) + "\r\n"), expected) << i;
  }
}

TEST_F(SessionTest, SmallMessagesRunOnTheIoThreadAndPipelinedOnesInOneRun) {
  for (int i = 1; i <= 3; ++i) world.deliver("anna@example.test", "Subject: " + std::to_string(i) + "\n\n");
  posthus::testing::LoopbackDriver driver;
  log_in(driver);
  session::Input input("RETR 1\r\nRETR 2\r\nRETR 3\r\nNOOP\r\n");
  std::string output;
  EXPECT_EQ(driver.session().received(input, output), Step::kRun);
  EXPECT_EQ(input.bytes(), "NOOP\r\n");
  EXPECT_EQ(driver.session().run_cost(), session::RunCost::kBrief);
  driver.session().run(output);
  EXPECT_EQ(driver.session().resumed(output), Step::kRead);
  EXPECT_TRUE(output.ends_with("Subject: 3\r\n\r\n.\r\n"));
}

TEST(Maildrop, ListsAHundredThousandMessagesInPieces) {
  MaildropLocks locks;
  std::vector<Maildrop::Entry> entries;
  for (std::uint32_t i = 1; i <= 100'000; ++i) entries.push_back({i, 0, i * 2, 100});
  Maildrop maildrop(*locks.try_lock(AccountId(1)), std::move(entries));
  EXPECT_EQ(maildrop.count(), 100'000u);
  EXPECT_EQ(maildrop.octets(), 10'000'000u);
  maildrop.mark_deleted(1);
  maildrop.mark_deleted(100'000);
  EXPECT_EQ(maildrop.octets(), 9'999'800u);
  EXPECT_EQ(maildrop.deleted(), (store::UidSet{{Uid(2), Uid(2)}, {Uid(200'000), Uid(200'000)}}));
  EXPECT_EQ(maildrop.find(1), nullptr);
  EXPECT_EQ(maildrop.find(0), nullptr);
  EXPECT_EQ(maildrop.find(100'001), nullptr);
  maildrop.reset();
  EXPECT_NE(maildrop.find(1), nullptr);
}

TEST(Maildrop, NeighbouringUidsBecomeOneRange) {
  MaildropLocks locks;
  Maildrop maildrop(*locks.try_lock(AccountId(1)), {{1, 0, 5, 1}, {2, 0, 6, 1}, {3, 0, 8, 1}});
  for (std::uint32_t number = 1; number <= 3; ++number) maildrop.mark_deleted(number);
  EXPECT_EQ(maildrop.deleted(), (store::UidSet{{Uid(5), Uid(6)}, {Uid(8), Uid(8)}}));
}

TEST(MaildropLocks, AreExclusiveUntilTheyDie) {
  MaildropLocks locks;
  auto first = locks.try_lock(AccountId(1));
  EXPECT_TRUE(first.has_value());
  EXPECT_FALSE(locks.try_lock(AccountId(1)).has_value());
  EXPECT_TRUE(locks.try_lock(AccountId(2)).has_value());
  MaildropLock moved(std::move(*first));
  first.reset();
  EXPECT_FALSE(locks.try_lock(AccountId(1)).has_value());
}

// RFC 3206 §4: [AUTH] would make clients ask their user for another password.
TEST_F(SessionTest, AnUnreadableDirectoryIsATemporaryFailureOfTheLogin) {
  posthus::testing::LoopbackDriver driver;
  driver.open(make(), posthus::testing::Tls::kImplicit);
  driver.take_output();
  for (int i = 0; i < 10; ++i) {
    ask(driver, "USER anna@example.test\r\n");
    failing->fail_snapshot(1, ErrorKind::kIo);
    EXPECT_EQ(ask(driver, "PASS pencil\r\n").substr(0, 16), "-ERR [SYS/TEMP] ");
    failing->fail_snapshot(0, ErrorKind::kIo);
  }
  EXPECT_NE(ask(driver, kLogin).find("\r\n+OK"), std::string::npos);
}

}  // namespace
}  // namespace posthus::pop3
