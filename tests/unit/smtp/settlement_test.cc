// What an attempt's result becomes: outcome, event, report. RFC 3461 §4.1, §5.2.
#include "smtp/settlement.h"

#include <gtest/gtest.h>

#include "smtp/trace_event.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;
using mail::ReportAction;
using OutcomeKind = store::RecipientOutcome::Kind;
using SettledVerdict = SettledRecipient::Verdict;

constexpr Timestamp kTakenAt = Timestamp::from_seconds(1'800'000'000);
Timestamp after_taken(std::chrono::seconds age) { return {kTakenAt.microseconds + std::chrono::microseconds(age).count()}; }

SettledRecipient recipient(std::uint16_t number, SettledVerdict verdict, RemoteReply reply = {}) {
  SettledRecipient settled;
  settled.recipient.number = number;
  settled.recipient.address = "u" + std::to_string(number) + "@example.org";
  settled.verdict = verdict;
  settled.reply = std::move(reply);
  return settled;
}

Settlement settlement(std::vector<SettledRecipient> recipients) {
  Settlement s;
  s.entry.id = QueueId(77);
  s.entry.reverse_path = "anna@example.test";
  s.entry.accepted = kTakenAt;
  s.host = "mx.example.org";
  s.recipients = std::move(recipients);
  return s;
}

const RemoteReply kTaken{250, "2.0.0", "ok"}, kGreylisted{450, "4.2.0", "later"}, kUnknown{550, "5.1.1", "no such user"};

TEST(Settlement, OneEventForThoseWhoFaredAlike) {
  const Record record =
      make_record(settlement({recipient(1, SettledVerdict::kRelayed, kTaken), recipient(2, SettledVerdict::kFailed, kUnknown),
                              recipient(3, SettledVerdict::kRelayed, kTaken)}),
                  after_taken(1s), 1000);
  ASSERT_EQ(record.outcomes.size(), 3U);
  ASSERT_EQ(record.trace.size(), 2U);
  EXPECT_NE(record.trace[1].find("[\"u1@example.org\",\"u3@example.org\"]"), std::string::npos) << record.trace[1];
  ASSERT_EQ(record.reported.size(), 1U);
  EXPECT_EQ(record.reported[0].final_recipient, "u2@example.org");
  EXPECT_EQ(record.reported[0].remote_reply, "550 5.1.1 no such user");
  EXPECT_EQ(record.reported[0].status, "5.1.1");
}

TEST(Settlement, DeferredWaitsAndIsNotReported) {
  const Record record = make_record(settlement({recipient(1, SettledVerdict::kDeferred, kGreylisted)}), after_taken(1s), 1000);
  EXPECT_EQ(record.outcomes[0].kind, OutcomeKind::kDeferred);
  EXPECT_EQ(record.outcomes[0].next_attempt, after_taken(301s));
  EXPECT_EQ(record.outcomes[0].last_reply, "450 4.2.0 later");
  EXPECT_TRUE(record.reported.empty());
}

TEST(Settlement, TheDelayIsReportedOnce) {
  Settlement s = settlement({recipient(1, SettledVerdict::kDeferred, kGreylisted)});
  Record record = make_record(s, after_taken(5h), 1000);
  ASSERT_EQ(record.reported.size(), 1U);
  EXPECT_EQ(record.reported[0].action, ReportAction::kDelayed);
  EXPECT_EQ(record.reported[0].retry_until, after_taken(120h));
  EXPECT_TRUE(record.outcomes[0].is_delay_reported);
  s.recipients[0].recipient.is_delay_reported = true;
  EXPECT_TRUE(make_record(s, after_taken(6h), 1000).reported.empty());
}

TEST(Settlement, AtTheEndItIsGivenUp) {
  const Record record = make_record(settlement({recipient(1, SettledVerdict::kDeferred)}), after_taken(121h), 1000);
  EXPECT_EQ(record.outcomes[0].kind, OutcomeKind::kDone);
  ASSERT_EQ(record.reported.size(), 1U);
  EXPECT_EQ(record.reported[0].action, ReportAction::kFailed);
  EXPECT_EQ(record.reported[0].status, "4.4.7");
  EXPECT_NE(record.trace[0].find("\"event\":\"expired\""), std::string::npos);
}

struct NotifyCase {
  std::uint8_t asked;
  bool failure, delay, success;
};
class Notify : public ::testing::TestWithParam<NotifyCase> {};

TEST_P(Notify, IsHonoured) {
  const NotifyCase c = GetParam();
  const auto is_reported = [&](SettledVerdict verdict, Timestamp now) {
    SettledRecipient one = recipient(1, verdict, verdict == SettledVerdict::kRelayed ? kTaken : kGreylisted);
    one.recipient.notify = c.asked;
    return !make_record(settlement({one}), now, 1000).reported.empty();
  };
  EXPECT_EQ(is_reported(SettledVerdict::kFailed, after_taken(1s)), c.failure);
  EXPECT_EQ(is_reported(SettledVerdict::kDeferred, after_taken(200h)), c.failure);
  EXPECT_EQ(is_reported(SettledVerdict::kDeferred, after_taken(5h)), c.delay);
  EXPECT_EQ(is_reported(SettledVerdict::kRelayed, after_taken(1s)), c.success);
}

namespace notify = store::notify;
INSTANTIATE_TEST_SUITE_P(Rfc3461, Notify,
                         ::testing::Values(NotifyCase{notify::kUnset, true, true, false},
                                           NotifyCase{notify::kNever, false, false, false},
                                           NotifyCase{notify::kSuccess, false, false, true},
                                           NotifyCase{notify::kFailure, true, false, false},
                                           NotifyCase{notify::kDelay, false, true, false},
                                           NotifyCase{notify::kFailure | notify::kDelay | notify::kSuccess, true, true, true}));

TEST(Settlement, AHostThatDoesDsnIsLeftToReportSuccess) {
  Settlement s = settlement({recipient(1, SettledVerdict::kRelayed, kTaken)});
  s.recipients[0].recipient.notify = notify::kSuccess;
  s.offers_dsn = true;
  EXPECT_TRUE(make_record(s, after_taken(1s), 1000).reported.empty());
}

TEST(Settlement, SuccessIsToldToOurOwnUsersOnly) {
  Settlement s = settlement({recipient(1, SettledVerdict::kRelayed, kTaken)});
  s.recipients[0].recipient.notify = notify::kSuccess;
  s.entry.origin = store::QueueOrigin::kSubmission;
  EXPECT_EQ(make_record(s, after_taken(1s), 1000).reported.size(), 1U);
  for (const auto origin : {store::QueueOrigin::kRelay, store::QueueOrigin::kForward, store::QueueOrigin::kReport}) {
    s.entry.origin = origin;
    EXPECT_TRUE(make_record(s, after_taken(1s), 1000).reported.empty());
  }
}

TEST(Settlement, NothingIsReportedAboutANullReversePath) {
  Settlement s = settlement({recipient(1, SettledVerdict::kFailed, kUnknown)});
  s.entry.reverse_path.clear();
  EXPECT_TRUE(make_record(s, after_taken(1s), 1000).reported.empty());
}

TEST(Settlement, TheClassOfTheStatusIsThatOfTheReply) {
  const auto status = [](SettledVerdict verdict, RemoteReply reply) {
    return make_record(settlement({recipient(1, verdict, std::move(reply))}), after_taken(1s), 1000).reported.at(0).status;
  };
  EXPECT_EQ(status(SettledVerdict::kFailed, {550, "", "x"}), "5.0.0");
  EXPECT_EQ(status(SettledVerdict::kFailed, {550, "4.2.2", "x"}), "5.0.0");  // contradicts itself
  EXPECT_EQ(status(SettledVerdict::kFailed, {552, "5.3.4", "x"}), "5.3.4");
}

TEST(Settlement, HugeRepliesAreCut) {
  const Record record = make_record(settlement({recipient(1, SettledVerdict::kDeferred, {450, "", std::string(100'000, 'x')})}),
                                    after_taken(1s), 1000);
  EXPECT_LE(record.outcomes[0].last_reply.size(), store::kMaxRemoteWords);
  EXPECT_LE(record.trace[0].size(), 2000U);
}

TEST(TraceEvent, TextsFromStrangersAreValidJson) {
  TraceEvent event("failed", kTakenAt);
  event.text("reply", "a\"b\\c\r\n\x01\xFF\xC3\xA5\xE2\x82");
  EXPECT_EQ(event.take(),
            "{\"time\":\"2027-01-15T08:00:00Z\",\"event\":\"failed\",\"reply\":\"a\\\"b\\\\c\\u000d\\u000a\\u0001?\xC3\xA5??\"}");
}

TEST(TraceEvent, ManyRecipientsAreCounted) {
  const std::string address = "u@example.org";
  TraceEvent event("failed", kTakenAt);
  event.texts("recipients", std::vector<std::string_view>(1000, address));
  const std::string json = event.take();
  EXPECT_NE(json.find("\"more\":800"), std::string::npos);
  EXPECT_LT(json.size(), store::kMaxTraceEvent);
}

}  // namespace
}  // namespace posthus::smtp
