// What an attempt brought and the store does not take at once: nothing is lost, nobody is written to twice, nothing spins.
// And where reports go, and how.
#include <gtest/gtest.h>

#include "core/base/ascii.h"
#include "smtp/delivery_report.h"
#include "smtp/hold_notice.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/support/dkim_verifier.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using testing::FakeHost;
using testing::QueueScene;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

store::FailingEngine* failing = nullptr;  // of the scene that was made last

std::unique_ptr<store::Store> failing_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

struct QueueRecordingTest : QueueScene {
  QueueRecordingTest() : QueueScene(failing_store) {
    zone("other.org MX 10 mx.other.org\nmx.other.org A 192.0.2.3\n");
    FakeHost& other = host(3);
    other.answer = [this](const std::string& line) {
      if (!line.starts_with("RCPT")) return "";
      ++attempts;
      return "550 5.1.1 no such user\r\n";
    };
  }

  /// A message the host refuses, so that there is something to report; the store refuses the record.
  QueueId refused(ErrorKind why = ErrorKind::kInvalid) {
    const QueueId id = queue({.to = {"ben@other.org"}});
    while (work_once()) {
    }
    dialer.run();
    failing->fail_put(1, why);  // the next put is the record's
    settle();
    return id;
  }
  void refuse_again(std::chrono::seconds after, ErrorKind why = ErrorKind::kInvalid) {
    world.clock.advance(std::chrono::microseconds(after).count());
    runner->tick();
    failing->fail_put(1, why);
    settle();
  }

  int attempts = 0;
};

TEST_F(QueueRecordingTest, WhatIsRefusedOnceIsRecordedASecondLater) {
  const QueueId id = refused();
  EXPECT_TRUE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
  pass(1s);
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(inbox().size(), 1U);
  EXPECT_EQ(attempts, 1);
}

TEST_F(QueueRecordingTest, ItIsOfferedAgainAfterLongerAndLongerTimes) {
  const QueueId id = refused();
  refuse_again(1s);
  refuse_again(2s);
  const std::uint64_t before = world.commits();
  for (int i = 0; i < 3; ++i) pass(1s);
  EXPECT_EQ(world.commits() - before, 3U) << "of the test's own";
  pass(1s);
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(inbox().size(), 1U);
}

TEST_F(QueueRecordingTest, AReportThatCannotBeMadeIsGivenUpAtLastAndTheTraceSaysSo) {
  const QueueId id = refused();
  for (int i = 1; i < 10; ++i) {
    refuse_again(300s);
    EXPECT_TRUE(is_queued(id)) << i;
  }
  pass(300s);
  EXPECT_FALSE(is_queued(id));
  EXPECT_TRUE(inbox().empty());
  EXPECT_EQ(attempts, 1);
  ASSERT_EQ(trace(id).size(), 2U);
  EXPECT_TRUE(has(trace(id)[0], "\"event\":\"failed\""));
  EXPECT_TRUE(has(trace(id)[1], "The sender could not be told: ")) << trace(id)[1];
}

TEST_F(QueueRecordingTest, WantOfRoomOrTimeIsWaitedForAndTheReportComes) {
  const QueueId id = refused(ErrorKind::kBusy);
  for (int i = 0; i < 50; ++i) refuse_again(30s, ErrorKind::kBusy);
  EXPECT_TRUE(is_queued(id));
  pass(30s);
  EXPECT_FALSE(is_queued(id));
  EXPECT_EQ(inbox().size(), 1U);
  EXPECT_EQ(attempts, 1);
}

TEST_F(QueueRecordingTest, AMessageThatCannotBeReadIsReportedOnAllTheSame) {
  store::QueueEntry entry;
  entry.id = next_queue_id(world.clock.now());
  entry.reverse_path = "anna@example.test";
  entry.blob = BlobId(12'345);
  entry.size = 100;
  const auto snapshot = world.store->snapshot();
  ReportRequest request{.store = *world.store,
                        .snapshot = **snapshot,
                        .hostname = "mx.example.test",
                        .entry = entry,
                        .recipients = {{.final_recipient = "ben@other.org", .status = "5.3.0"}},
                        .now = world.clock.now()};
  const auto report = make_report(std::move(request));
  ASSERT_TRUE(report) << report.error().context;
  ASSERT_TRUE(report->message);
  EXPECT_EQ(report->message->targets.size(), 1U);
}

// ---- reports and alerts ----

TEST_F(QueueRecordingTest, AFullMailboxIsNoReasonNotToTellItsOwner) {
  zone("gone.example !noname\n");
  world.add_user("full@example.test", "secret", 200);
  world.deliver("full@example.test", "Subject: large\n\n" + std::string(300, 'x') + "\n");
  queue({.from = "full@example.test", .to = {"ben@gone.example"}});
  settle();
  const auto messages = world.messages("full@example.test");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(has(messages[1], "Status: 5.1.2"));
}

TEST_F(QueueRecordingTest, AReportThatLeavesIsSigned) {
  FakeHost& other = host(3);
  other.answer = nullptr;
  zone("gone.example !noname\n");
  const mailauth::NewKey made = testing::key_made_once(mailauth::SigningAlgorithm::kEd25519Sha256).value();
  store::DkimKeyRecord key{.domain = "example.test", .selector = "e1", .public_key = made.public_key};
  key.algorithm = store::DkimAlgorithm::kEd25519Sha256;
  key.private_key = made.private_key.reveal();
  ASSERT_TRUE(world.store->apply(store::PutDkimKey{key}));
  queue({.from = "dan@other.org", .to = {"ben@gone.example"}});
  settle();
  ASSERT_EQ(other.messages.size(), 1U);
  const std::string& text = other.messages[0].text;
  const auto fields = testing::dkim::signatures_in(text);
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(testing::dkim::tags_of(fields[0])["d"], "example.test") << "our host name lies below it";
  const std::string record = mailauth::key_record(mailauth::SigningAlgorithm::kEd25519Sha256, made.public_key);
  EXPECT_TRUE(testing::dkim::holds(fields[0], text.substr(fields[0].size()), record));
}

// RFC 6533 §3, §4.5
TEST_F(QueueRecordingTest, AReportForAnAsciiSenderNeedsNoSmtpUtf8) {
  FakeHost& other = host(3);
  other.answer = nullptr;
  zone("gone.example !noname\n");
  queue({.from = "dan@other.org",
         .to = {"j\u00f8rgen@gone.example"},
         .text = "From: dan@other.org\r\nSubject: sm\u00f8rbr\u00f8d\r\n\r\nHello.\r\n",
         .return_content = store::ReturnContent::kFull,
         .is_utf8 = true,
         .body = store::BodyKind::k8BitMime});
  settle();
  ASSERT_EQ(other.messages.size(), 1U);
  EXPECT_EQ(other.messages[0].mail, "MAIL FROM:<>");
  const std::string& text = other.messages[0].text;
  EXPECT_FALSE(ascii::has_high_bit(text)) << text;
  EXPECT_TRUE(has(text, "Final-Recipient: utf-8; j\\x{F8}rgen@gone.example\r\n")) << text;
  EXPECT_EQ(queued_messages(), 0U);
}

TEST_F(QueueRecordingTest, AReportForASenderBeyondAsciiIsInternationalized) {
  FakeHost& other = host(3);
  other.answer = nullptr;
  other.ehlo = "250-fake.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
  zone("gone.example !noname\n");
  queue({.from = "d\u00e5n@other.org", .to = {"j\u00f8rgen@gone.example"}, .is_utf8 = true});
  settle();
  ASSERT_EQ(other.messages.size(), 1U);
  EXPECT_EQ(other.messages[0].mail, "MAIL FROM:<> BODY=8BITMIME SMTPUTF8");
  EXPECT_TRUE(has(other.messages[0].text, "Final-Recipient: utf-8; j\u00f8rgen@gone.example\r\n"));
}

TEST_F(QueueRecordingTest, AReportThatGoesOnToAnAsciiAddressNeedsNoSmtpUtf8) {
  FakeHost& other = host(3);
  other.answer = nullptr;
  zone("gone.example !noname\n");
  world.add_alias("d\u00e5n@example.test", {"dan@other.org"});
  queue({.from = "d\u00e5n@example.test", .to = {"ben@gone.example"}, .is_utf8 = true});
  settle();
  ASSERT_EQ(other.messages.size(), 1U);
  EXPECT_EQ(other.messages[0].mail, "MAIL FROM:<>");
  EXPECT_FALSE(ascii::has_high_bit(other.messages[0].text)) << other.messages[0].text;
}

// RFC 3464 §2.3.6: a code is what the transport said.
TEST_F(QueueRecordingTest, WhatIsTooLargeByTheHostsSizeIsRefusedInOurWords) {
  FakeHost& other = host(3);
  other.ehlo = "250-fake.example\r\n250 SIZE 10\r\n";
  const QueueId id = queue({.to = {"ben@other.org"}});
  settle();
  EXPECT_EQ(attempts, 0);
  ASSERT_EQ(trace(id).size(), 2U);
  EXPECT_TRUE(has(trace(id)[0], "\"detail\":\"The message has ")) << trace(id)[0];
  EXPECT_FALSE(has(trace(id)[0], "\"reply\"")) << trace(id)[0];
  ASSERT_EQ(inbox().size(), 1U);
  const std::string report = inbox()[0];
  EXPECT_TRUE(has(report, "Status: 5.3.4\r\n")) << report;
  EXPECT_FALSE(has(report, "Diagnostic-Code: smtp")) << report;
  EXPECT_FALSE(has(report, "Remote-MTA:")) << report;
  EXPECT_FALSE(has(report, "said:")) << report;
}

TEST_F(QueueRecordingTest, AnAlertReachesAFullMailbox) {
  world.add_user("full@example.test", "secret", 200);
  world.deliver("full@example.test", "Subject: large\n\n" + std::string(300, 'x') + "\n");
  send_hold_notices(*world.store,
                    {.hostname = "mx.example.test", .account = "full@example.test", .reason = "x", .now = world.clock.now()});
  settle();
  const auto messages = world.messages("full@example.test");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(has(messages[1], "on hold"));
}

}  // namespace
}  // namespace posthus::smtp
