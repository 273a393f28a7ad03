// The queue runner: what becomes of queued mail, by every way it can take. Store, DNS and hosts are in memory, the clock
// stands still.
#include "smtp/queue_runner.h"

#include <gtest/gtest.h>

#include "smtp/server_session.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using testing::FakeHost;
using testing::Letter;
using testing::QueueScene;

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct QueueRunnerTest : QueueScene {
  QueueRunnerTest() {
    zone(
        "example.org MX 10 a.example.org\nexample.org MX 20 b.example.org\n"
        "a.example.org A 192.0.2.1\nb.example.org A 192.0.2.2\n"
        "other.org MX 10 mx.other.org\nmx.other.org A 192.0.2.3\n");
  }
};

// ---- delivery ----

TEST_F(QueueRunnerTest, MailReachesTheFirstExchanger) {
  FakeHost& a = host(1);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].rcpt, std::vector<std::string>{"ben@example.org"});
  EXPECT_TRUE(a.messages[0].mail.starts_with("MAIL FROM:<anna@example.test>"));
  EXPECT_FALSE(is_queued(id));
  ASSERT_EQ(trace(id).size(), 1U);
  EXPECT_TRUE(holds(trace(id)[0], "\"event\":\"relayed\"")) << trace(id)[0];
  EXPECT_TRUE(holds(trace(id)[0], "\"recipients\":[\"ben@example.org\"]"));
  EXPECT_TRUE(holds(trace(id)[0], "\"host\":\"a.example.org\",\"address\":\"192.0.2.1\",\"port\":25"));
  EXPECT_TRUE(holds(trace(id)[0], "\"reply\":\"250 2.0.0 taken\""));
  EXPECT_TRUE(inbox().empty());
}

TEST_F(QueueRunnerTest, ItReachesAServerOfOurOwnKind) {
  testing::World there;
  there.add_domain("example.org");
  there.add_user("ben@example.org", "secret");
  ServerContext context{*there.store, *there.authenticator, there.clock, "a.example.org", true};
  dialer.set_host("192.0.2.1", 25, {.make_session = [&](const session::ConnectionFacts& facts, session::Waker waker) {
                    return make_server_session(context, ListenerRole::kMx, facts, std::move(waker));
                  }});
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  const auto messages = there.messages("ben@example.org");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].ends_with("\r\nSubject: hello\r\n\r\nHello.\r\n"));
  EXPECT_TRUE(holds(trace(id)[0], "\"tls\":\"TLSv1.3")) << trace(id)[0];
}

TEST_F(QueueRunnerTest, WhatIsOursAloneStaysAndAddedFieldsGoFirst) {
  FakeHost& a = host(1);
  queue({.to = {"ben@example.org"}, .text = "Subject: x\r\n\r\nbody\r\n", .extra_header = "DKIM-Signature: v=1\r\n"});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].text, "DKIM-Signature: v=1\r\nSubject: x\r\n\r\nbody\r\n");
}

TEST_F(QueueRunnerTest, LargeTextsArriveWhole) {
  FakeHost& a = host(1);
  std::string text = "Subject: large\r\n\r\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + " some line of text\r\n";
  queue({.to = {"ben@example.org"}, .text = text, .extra_header = "X-Added: 1\r\n"});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].text, "X-Added: 1\r\n" + text);
}

TEST_F(QueueRunnerTest, ManyMessagesGoOverOneConnection) {
  FakeHost& a = host(1);
  for (int i = 0; i < 20; ++i) queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(a.messages.size(), 20U);
  EXPECT_LE(a.connections, 5U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRunnerTest, AHostThatTakesOneMessageAConnectionIsVisitedUntilNothingIsLeft) {
  FakeHost& a = host(1);
  a.ehlo = "250-fake.example\r\n250-PIPELINING\r\n250-LIMITS MAILMAX=1\r\n250 ENHANCEDSTATUSCODES\r\n";
  for (int i = 0; i < 300; ++i) queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(a.messages.size(), 300U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRunnerTest, WhatOneMessageNeedsAndTheHostLacksDoesNotRestTheDestination) {
  FakeHost& a = host(1);
  host(2);
  a.ehlo = "250-fake.example\r\n250 SIZE 100\r\n";
  queue({.to = {"ben@example.org"}, .text = "Subject: x\r\n\r\n" + std::string(200, 'x') + "\r\n"});
  settle();
  queue({.to = {"cleo@example.org"}, .text = "Subject: x\r\n\r\nx\r\n"});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].rcpt[0], "cleo@example.org");
}

TEST_F(QueueRunnerTest, RecipientsOfOneDomainShareATransaction) {
  FakeHost& a = host(1);
  FakeHost& other = host(3);
  queue({.to = {"ben@example.org", "cleo@example.org", "dan@other.org"}});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].rcpt.size(), 2U);
  ASSERT_EQ(other.messages.size(), 1U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRunnerTest, MoreRecipientsThanATransactionTakes) {
  FakeHost& a = host(1);
  Letter letter;
  for (int i = 0; i < 250; ++i) letter.to.push_back("u" + std::to_string(i) + "@example.org");
  const QueueId id = queue(letter);
  settle();
  std::set<std::string> reached;
  for (const auto& message : a.messages) {
    EXPECT_LE(message.rcpt.size(), 100U);
    for (const std::string& address : message.rcpt) EXPECT_TRUE(reached.insert(address).second) << address;
  }
  EXPECT_EQ(reached.size(), 250U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, AForwardedRecipientHasItsOwnReversePath) {
  FakeHost& a = host(1);
  queue({.to = {"ben@example.org"}, .recipient_reverse_path = "srs-x@example.test"});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_TRUE(a.messages[0].mail.starts_with("MAIL FROM:<srs-x@example.test>"));
}

// ---- the next host ----

TEST_F(QueueRunnerTest, WhenTheFirstIsDownTheNextTakesIt) {
  FakeHost& b = host(2);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(b.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(trace(id).size(), 1U);
}

TEST_F(QueueRunnerTest, ABadGreetingLeadsToTheNext) {
  for (const char* greeting : {"421 too busy\r\n", "554 no service here\r\n", "nonsense\r\n"}) {
    host(1).greeting = greeting;
    FakeHost& b = host(2);
    queue({.to = {"ben@example.org"}});
    settle();
    EXPECT_EQ(b.messages.size(), 1U) << greeting;
    b.messages.clear();
  }
}

TEST_F(QueueRunnerTest, AHostThatDefersIsFollowedByTheNext) {
  host(1).answer = [](const std::string& line) { return line.starts_with("RCPT") ? "450 4.2.0 greylisted\r\n" : ""; };
  FakeHost& b = host(2);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(b.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, OnlyTheDeferredRecipientsGoToTheNext) {
  FakeHost& a = host(1);
  a.answer = [](const std::string& line) { return holds(line, "TO:<ben@") ? "451 4.3.0 not now\r\n" : ""; };
  FakeHost& b = host(2);
  const QueueId id = queue({.to = {"ben@example.org", "cleo@example.org"}});
  settle();
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.messages[0].rcpt, std::vector<std::string>{"cleo@example.org"});
  ASSERT_EQ(b.messages.size(), 1U);
  EXPECT_EQ(b.messages[0].rcpt, std::vector<std::string>{"ben@example.org"});
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, AConnectionThatBreaksAfterTheTextIsNotRepeatedAtOnce) {
  host(1).answer = [](const std::string& line) { return line == "." ? "421 4.3.2 closing\r\n" : ""; };
  FakeHost& b = host(2);
  queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(b.messages.size(), 1U);  // 421 says: not taken

  host(1).answer = [](const std::string& line) { return line == "." ? std::string(testing::kSilence) : ""; };
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  while (dialer.time_out() > 0) settle();
  EXPECT_EQ(b.messages.size(), 1U);  // silence says nothing: it may have it
  EXPECT_TRUE(is_queued(id));
}

// ---- failures ----

TEST_F(QueueRunnerTest, ARefusedRecipientComesBackToTheSender) {
  host(1).answer = [](const std::string& line) { return line.starts_with("RCPT") ? "550 5.1.1 no such user here\r\n" : ""; };
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  ASSERT_EQ(inbox().size(), 1U);
  const std::string report = inbox()[0];
  EXPECT_TRUE(report.starts_with("Return-Path: <>\r\n"));
  EXPECT_TRUE(holds(report, "Final-Recipient: rfc822; ben@example.org")) << report;
  EXPECT_TRUE(holds(report, "Action: failed"));
  EXPECT_TRUE(holds(report, "Status: 5.1.1"));
  EXPECT_TRUE(holds(report, "no such user here"));
  EXPECT_TRUE(holds(report, "Subject: hello"));
  ASSERT_EQ(trace(id).size(), 2U);
  EXPECT_TRUE(holds(trace(id)[0], "\"event\":\"failed\""));
  EXPECT_TRUE(holds(trace(id)[1], "\"event\":\"report\""));
}

TEST_F(QueueRunnerTest, ADomainThatDoesNotExistComesBackAtOnce) {
  zone("gone.example !noname\n");
  const QueueId id = queue({.to = {"ben@gone.example"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "Status: 5.1.2"));
  EXPECT_TRUE(holds(inbox()[0], "does not exist"));
}

TEST_F(QueueRunnerTest, TheReportReturnsWhatWasAskedFor) {
  zone("gone.example !noname\n");
  queue({.to = {"ben@gone.example"}, .return_content = store::ReturnContent::kFull, .envelope_id = "QQ314"});
  settle();
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "Original-Envelope-Id: QQ314"));
  EXPECT_TRUE(holds(inbox()[0], "\r\nHello.\r\n"));
}

TEST_F(QueueRunnerTest, NotifyNeverIsHonoured) {
  zone("gone.example !noname\n");
  const QueueId id = queue({.to = {"ben@gone.example"}, .notify = store::notify::kNever});
  settle();
  EXPECT_FALSE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
}

TEST_F(QueueRunnerTest, NoReportAboutAReport) {
  zone("gone.example !noname\n");
  const QueueId id = queue({.from = "", .to = {"ben@gone.example"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(queued_messages(), 0U);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(QueueRunnerTest, TheReportToASenderElsewhereIsQueuedAndSent) {
  FakeHost& other = host(3);
  zone("gone.example !noname\n");
  queue({.from = "dan@other.org", .to = {"ben@gone.example"}});
  settle();
  ASSERT_EQ(other.messages.size(), 1U);
  EXPECT_TRUE(other.messages[0].mail.starts_with("MAIL FROM:<>"));
  EXPECT_EQ(other.messages[0].rcpt, std::vector<std::string>{"dan@other.org"});
  EXPECT_TRUE(holds(other.messages[0].text, "Status: 5.1.2"));
  EXPECT_FALSE(holds(other.messages[0].text, "Return-Path"));
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRunnerTest, AReportNobodyCanReadIsSaidInTheTrace) {
  zone("gone.example !noname\n");
  const QueueId id = queue({.from = "nobody@example.test", .to = {"ben@gone.example"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  ASSERT_EQ(trace(id).size(), 2U);
  EXPECT_TRUE(holds(trace(id)[1], "no mailbox here"));
}

TEST_F(QueueRunnerTest, SuccessIsReportedWhenTheHostDoesNotDoIt) {
  host(1);
  queue({.to = {"ben@example.org"}, .notify = store::notify::kSuccess});
  settle();
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "Action: relayed"));
}

TEST_F(QueueRunnerTest, AHostThatTakesDsnReportsSuccessItself) {
  FakeHost& a = host(1);
  a.ehlo = "250-a\r\n250 DSN\r\n";
  std::string rcpt;
  a.answer = [&](const std::string& line) {
    if (line.starts_with("RCPT")) rcpt = line;
    return "";
  };
  queue({.to = {"ben@example.org"}, .notify = store::notify::kSuccess});
  settle();
  EXPECT_TRUE(holds(rcpt, "NOTIFY=SUCCESS")) << rcpt;
  EXPECT_TRUE(inbox().empty());
}

// ---- waiting ----

TEST_F(QueueRunnerTest, ADestinationThatCannotBeReachedIsTriedAgainAfterFiveMinutes) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  ASSERT_TRUE(waiting(id));
  EXPECT_EQ(waiting(id)->attempts, 1U);
  EXPECT_TRUE(holds(waiting(id)->last_reply, "Connection refused")) << waiting(id)->last_reply;
  EXPECT_TRUE(holds(trace(id)[0], "\"next_attempt\":\""));
  const std::size_t dials = dialer.dialled().size();
  pass(4min);
  EXPECT_EQ(dialer.dialled().size(), dials);
  FakeHost& a = host(1);
  pass(2min);
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, TheDnsNotAnsweringIsNeverAReasonToReturnMail) {
  zone("slow.example !temporary\nlie.example !bogus\n");
  const QueueId slow = queue({.to = {"ben@slow.example"}}), lie = queue({.to = {"ben@lie.example"}});
  settle();
  EXPECT_TRUE(is_queued(slow));
  EXPECT_TRUE(is_queued(lie));
  EXPECT_TRUE(inbox().empty());
  EXPECT_EQ(waiting(slow)->attempts, 1U);
}

TEST_F(QueueRunnerTest, ADeferredRecipientIsTriedAgain) {
  FakeHost& other = host(3);
  other.answer = [](const std::string& line) { return line.starts_with("RCPT") ? "450 4.2.0 greylisted\r\n" : ""; };
  const QueueId id = queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(waiting(id)->last_reply, "450 4.2.0 greylisted");
  EXPECT_EQ(waiting(id)->last_host, "mx.other.org");
  other.answer = nullptr;
  pass(6min);
  EXPECT_EQ(other.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, ATextThatIsDeferredPutsOffItsMessageOnly) {
  FakeHost& other = host(3);
  int texts = 0;
  other.answer = [&texts](const std::string& line) {
    return line == "." && ++texts == 1 ? "451 4.7.1 not this one now\r\n" : "";
  };
  const QueueId first = queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(waiting(first)->last_reply, "451 4.7.1 not this one now");
  const QueueId second = queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_FALSE(is_queued(second));
  ASSERT_EQ(other.messages.size(), 1U);
  pass(6min);
  EXPECT_EQ(other.messages.size(), 2U);
  EXPECT_FALSE(is_queued(first));
}

TEST_F(QueueRunnerTest, AHostThatWantsNoMailNowRestsTheDestination) {
  for (const char* reply : {"450 4.3.2 later\r\n", "421 4.3.2 later\r\n"}) {
    FakeHost& other = host(3);
    int envelopes = 0;
    other.answer = [&](const std::string& line) {
      if (!line.starts_with("MAIL")) return "";
      ++envelopes;
      return reply;
    };
    queue({.to = {"dan@other.org"}});
    settle();
    queue({.to = {"dan@other.org"}});
    settle();
    EXPECT_EQ(envelopes, 1) << reply;
    other.answer = nullptr;
    pass(1h);
    EXPECT_EQ(queued_messages(), 0U);
  }
}

TEST_F(QueueRunnerTest, SettingsShortenTheScheduleOfOneDestination) {
  put_setting("queue.first_retry_seconds@example.org", "2");
  const QueueId quick = queue({.to = {"ben@example.org"}}), usual = queue({.to = {"dan@other.org"}});
  settle();
  pass(3s);
  EXPECT_EQ(waiting(quick)->attempts, 2U);
  EXPECT_EQ(waiting(usual)->attempts, 1U);
}

TEST_F(QueueRunnerTest, TheSenderIsToldOnceAfterFourHoursAndAtTheEnd) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  for (int i = 0; i < 4 * 12 + 2; ++i) pass(5min);
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "Action: delayed"));
  EXPECT_TRUE(holds(inbox()[0], "Will-Retry-Until:"));
  for (int i = 0; i < 5 * 24; ++i) pass(1h);
  ASSERT_EQ(inbox().size(), 2U);
  EXPECT_TRUE(holds(inbox()[1], "Action: failed"));
  EXPECT_FALSE(is_queued(id));
  EXPECT_TRUE(holds(trace(id)[trace(id).size() - 2], "\"event\":\"expired\""));
}

TEST_F(QueueRunnerTest, MailThatWaitsBehindADeadHostIsToldOfAndGivenUpAsWell) {
  std::vector<QueueId> ids;
  for (int i = 0; i < 150; ++i) ids.push_back(queue({.to = {"ben@example.org"}}));
  settle();
  std::size_t attempted = 0;
  for (const QueueId id : ids) attempted += waiting(id)->attempts;
  EXPECT_LE(attempted, 5U);  // the rest is not rewritten: the destination rests
  for (int i = 0; i < 9; ++i) pass(1h);
  EXPECT_EQ(inbox().size(), 150U);
  for (int i = 0; i < 5 * 24; ++i) pass(1h);
  EXPECT_EQ(inbox().size(), 300U);
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRunnerTest, ADeadDestinationDelaysNobody) {
  for (int i = 0; i < 20; ++i) queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
}

TEST_F(QueueRunnerTest, ASilentHostDelaysNobody) {
  dialer.set_host("192.0.2.1", 25, {.is_silent = true});
  for (int i = 0; i < 20; ++i) queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
  EXPECT_LE(dialer.open_connections(), 5U);
}

TEST_F(QueueRunnerTest, AThousandDeadDomainsCostAnAttemptEachAndNoRewriting) {
  put_setting("queue.copies_per_sender", "0");
  constexpr int kDomains = 1000, kMessages = 10;
  std::string lines;
  Letter letter;
  for (int i = 0; i < kDomains; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    lines += domain + " A 198.51.100." + std::to_string(i % 250 + 1) + "\n";
    letter.to.push_back("x@" + domain);
  }
  zone(lines);
  std::vector<QueueId> ids;
  for (int i = 0; i < kMessages; ++i) ids.push_back(queue(letter));
  settle();
  EXPECT_EQ(dialer.dialled().size(), static_cast<std::size_t>(kDomains));
  std::size_t attempted = 0;
  for (const QueueId id : ids) attempted += waiting(id)->attempts;
  EXPECT_EQ(attempted, 1U);  // of the ten rows of a domain one was tried, nine stay as they are
  FakeHost& other = host(3);
  queue({.to = {"dan@other.org"}});
  settle();
  EXPECT_EQ(other.messages.size(), 1U);
}

// ---- concurrency ----

TEST_F(QueueRunnerTest, ConnectionsOfADestinationGrowSlowlyAndAreLimited) {
  dialer.set_host("192.0.2.1", 25, {.is_silent = true});
  for (int i = 0; i < 50; ++i) queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(dialer.open_connections(), 1U);  // nothing is known of it yet
  dialer.time_out();
}

TEST_F(QueueRunnerTest, TotalConnectionsAreLimited) {
  put_setting("queue.total_connections", "10");
  runner->tick();
  for (int i = 0; i < 40; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    zone(domain + " A 192.0.2." + std::to_string(100 + i));
    dialer.set_host("192.0.2." + std::to_string(100 + i), 25, {.is_silent = true});
    queue({.to = {"x@" + domain}});
  }
  settle();
  EXPECT_LE(dialer.open_connections(), 10U);
  EXPECT_GE(dialer.open_connections(), 3U);
}

TEST_F(QueueRunnerTest, SlowHostsDoNotHoldAllConnections) {
  put_setting("queue.total_connections", "10");
  runner->tick();
  for (int i = 0; i < 15; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example", address = "192.0.2." + std::to_string(100 + i);
    zone(domain + " A " + address);
    // Takes one message, slowly; then it says nothing any more.
    host(100 + i).answer = [this, address](const std::string& line) {
      world.clock.advance(std::chrono::microseconds(250s).count());
      if (line == ".") dialer.set_host(address, 25, {.is_silent = true});
      return "";
    };
    for (int message = 0; message < 2; ++message) queue({.to = {"x@" + domain}});
  }
  settle();
  for (int i = 0; i < 15; ++i) EXPECT_LE(hosts[std::pair(100 + i, 25)].messages.size(), 1U);
  EXPECT_EQ(hosts[std::pair(100, 25)].messages.size(), 1U);
  EXPECT_GE(dialer.open_connections(), 3U);
  EXPECT_LE(dialer.open_connections(), 6U);
}

TEST_F(QueueRunnerTest, ARateIsKept) {
  put_setting("queue.messages_per_minute@example.org", "60");
  FakeHost& a = host(1);
  for (int i = 0; i < 30; ++i) queue({.to = {"ben@example.org"}});
  settle();
  const std::size_t first = a.messages.size();
  EXPECT_LE(first, 5U);
  for (int i = 0; i < 10; ++i) pass(1s);
  EXPECT_GE(a.messages.size(), first + 8);
  EXPECT_LE(a.messages.size(), first + 12);
}

// ---- by order of the admin ----

TEST_F(QueueRunnerTest, WhatIsHeldWaits) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& a = host(1);
  ASSERT_TRUE(world.store->apply(
      store::ChangeQueue{.filter = {.id = id}, .action = store::QueueAction::kHold, .text = "by admin", .trace = {}}));
  pass(1h);
  EXPECT_TRUE(a.messages.empty());
  ASSERT_TRUE(world.store->apply(
      store::ChangeQueue{.filter = {.id = id}, .action = store::QueueAction::kRelease, .text = {}, .trace = {}}));
  runner->look_again("");
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
}

TEST_F(QueueRunnerTest, RetryNowEndsTheRest) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& a = host(1);
  ASSERT_TRUE(world.store->apply(
      store::ChangeQueue{.filter = {.id = id}, .action = store::QueueAction::kRetryNow, .text = {}, .trace = {}}));
  runner->look_again("");
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
}

TEST_F(QueueRunnerTest, WhatIsToBeReturnedIsNotTriedAgain) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& a = host(1);
  ASSERT_TRUE(world.store->apply(
      store::ChangeQueue{.filter = {.id = id}, .action = store::QueueAction::kBounce, .text = {}, .trace = {}}));
  runner->look_again("");
  settle();
  EXPECT_TRUE(a.messages.empty());
  EXPECT_FALSE(is_queued(id));
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "administrator"));
}

TEST_F(QueueRunnerTest, ARerouteGoesWhereItSays) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  FakeHost& elsewhere = host(9, 2525);
  ASSERT_TRUE(world.store->apply(store::ChangeQueue{
      .filter = {.id = id}, .action = store::QueueAction::kReroute, .text = "smtp://192.0.2.9:2525", .trace = {}}));
  runner->look_again("");
  settle();
  EXPECT_EQ(elsewhere.messages.size(), 1U);
}

TEST_F(QueueRunnerTest, RoutesBySpecialty) {
  const auto put_route = [this](const std::string& name, std::uint16_t port) {
    ASSERT_TRUE(world.store->apply(store::PutRoute{{.name = name, .hops = {{"192.0.2.9", port}}}}));
  };
  put_route("*", 1000);
  FakeHost& everybody = host(9, 1000);
  queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(everybody.messages.size(), 1U);

  put_route("from:example.test", 1001);
  FakeHost& sender = host(9, 1001);
  queue({.to = {"ben@example.org"}});
  queue({.from = "dan@other.org", .to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(sender.messages.size(), 1U);
  EXPECT_EQ(everybody.messages.size(), 2U);

  put_route("example.org", 1002);
  FakeHost& recipient = host(9, 1002);
  queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(recipient.messages.size(), 1U);
}

// ---- TLS ----

TEST_F(QueueRunnerTest, WithOpportunisticTlsAFailedHandshakeIsFollowedByNoTls) {
  FakeHost& a = host(1);
  a.ehlo = "250-a\r\n250 STARTTLS\r\n";
  dialer.set_host("192.0.2.1", 25, {.make_session = a.factory(), .tls_failure = "handshake failure"});
  queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
  ASSERT_EQ(dialer.dialled().size(), 2U);
  EXPECT_EQ(dialer.dialled()[0].tls, session::DialTls::kStartTls);
  EXPECT_EQ(dialer.dialled()[1].tls, session::DialTls::kNone);
}

TEST_F(QueueRunnerTest, ARouteThatRequiresTlsSendsNothingToAWrongCertificate) {
  FakeHost& a = host(1);
  a.ehlo = "250-a\r\n250 STARTTLS\r\n";
  dialer.set_host("192.0.2.1", 25, {.make_session = a.factory(), .is_verified = false});
  ASSERT_TRUE(world.store->apply(
      store::PutRoute{{.name = "example.org", .hops = {{"192.0.2.1", 25, store::RouteRecord::Tls::kRequired}}}}));
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_TRUE(a.messages.empty());
  EXPECT_TRUE(is_queued(id));
  ASSERT_EQ(dialer.dialled().size(), 1U);
  EXPECT_EQ(dialer.dialled()[0].verification.kind, session::PeerVerification::Kind::kPkix);
}

// ---- hostile DNS ----

TEST_F(QueueRunnerTest, AnExchangerThatIsThisServerIsALoop) {
  zone("loop.example MX 10 us.example\nus.example A 192.0.2.250\n");
  const QueueId id = queue({.to = {"ben@loop.example"}});
  settle();
  EXPECT_FALSE(is_queued(id));
  EXPECT_TRUE(dialer.dialled().empty());
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_TRUE(holds(inbox()[0], "Status: 5.4.6"));
}

TEST_F(QueueRunnerTest, AThousandExchangersAreNotAllTried) {
  std::string lines;
  for (int i = 0; i < 250; ++i) {
    const std::string name = "h" + std::to_string(i) + ".many.example";
    lines += "many.example MX 10 " + name + "\n" + name + " A 198.51.100." + std::to_string(i + 1) + "\n";
  }
  zone(lines);
  const QueueId id = queue({.to = {"ben@many.example"}});
  settle();
  EXPECT_TRUE(is_queued(id));
  EXPECT_EQ(dialer.dialled().size(), 20U);
}

TEST_F(QueueRunnerTest, AliasesAreFollowedAndLoopsOfThemDefer) {
  zone(
      "alias.example CNAME example.org\n"
      "one.example CNAME two.example\ntwo.example CNAME one.example\n");
  FakeHost& a = host(1);
  queue({.to = {"ben@alias.example"}});
  const QueueId loop = queue({.to = {"ben@one.example"}});
  settle();
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_TRUE(is_queued(loop));
}

// ---- life of the process ----

TEST_F(QueueRunnerTest, AfterARestartWhatWaitsIsFound) {
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  runner->wind_down(0ms);
  settle();
  FakeHost& a = host(1);
  make_runner();
  runner->start();
  settle();
  EXPECT_TRUE(a.messages.empty());  // its time has not come
  pass(6min);
  EXPECT_EQ(a.messages.size(), 1U);
  EXPECT_FALSE(is_queued(id));
}

TEST_F(QueueRunnerTest, AfterTheStopNothingIsTaken) {
  FakeHost& a = host(1);
  runner->wind_down(0ms);
  const QueueId id = queue({.to = {"ben@example.org"}});
  settle();
  EXPECT_TRUE(a.messages.empty());
  EXPECT_TRUE(is_queued(id));
}

}  // namespace
}  // namespace posthus::smtp
