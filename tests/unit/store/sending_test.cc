// What accounts send: counts that live with the message, days and windows that end, holds.
#include "store/sending_reader.h"

#include "store/queue_reader.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

constexpr std::int64_t kMinute = 60'000'000, kDay = 24 * 60 * kMinute;

SentCopies sent_to(AccountId account, std::vector<std::uint64_t> recipients, std::string hold_reason = {}) {
  return {account, "192.0.2.0/24", std::move(recipients), std::move(hold_reason)};
}

TEST(SendingRecord, SurvivesARoundTripAndNoCut) {
  SendingRecord record;
  record.account = AccountId(7);
  record.day = 1;
  record.messages = 2;
  record.new_recipients = 3;
  record.bounces = 4;
  record.day_peak = 5;
  record.window_start = Timestamp{6};
  record.window_messages = 7;
  record.usual_peak = 8;
  record.networks = {{"192.0.2.0/24", 9}, {"2001:db8::/48", 10}};
  record.is_held = true;
  record.hold_reason = "why";
  record.held_since = Timestamp{11};
  const std::string bytes = encode_sending_record(record);
  const auto read = decode_sending_record(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_sending_record(*read), bytes);
  EXPECT_EQ(read->networks[1].network, "2001:db8::/48");
  EXPECT_EQ(read->held_since.microseconds, 11);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(decode_sending_record(std::string_view(bytes).substr(0, i))) << i;
  EXPECT_FALSE(decode_sending_record(bytes + "x"));
}

TEST(SendingRecord, FitsARowAtItsLargest) {
  SendingRecord record;
  Timestamp now = Timestamp::from_seconds(1'795'262'400);
  for (int i = 0; i < 100; ++i) {
    SentCopies sent{AccountId(1), "2001:0db8:1111:2222:3333:4444:5555:6666/" + std::to_string(i), {1}, std::string(5000, 'x')};
    record = counted(std::move(record), sent, 1, now);
  }
  EXPECT_EQ(record.networks.size(), kMaxKnownNetworks);
  EXPECT_LE(encode_sending_record(record).size() + 4, kMaxKeyAndValue);
}

TEST(SendingRecord, WindowsEndAndPeaksFade) {
  Timestamp now = Timestamp::from_seconds(1'795'262'400);
  SendingRecord record = counted({}, sent_to(AccountId(1), {1, 2, 3}), 3, now);
  now.microseconds += 9 * kMinute;
  record = counted(record, sent_to(AccountId(1), {4}), 1, now);
  EXPECT_EQ(record.window_messages, 4u);
  now.microseconds += kMinute;
  record = rolled(record, now);
  EXPECT_EQ(record.window_messages, 0u);
  EXPECT_EQ(record.day_peak, 4u);
  EXPECT_EQ(record.usual_peak, 0u) << "today's burst is no habit yet";
  EXPECT_EQ(record.messages, 4u);
  now.microseconds += kDay;
  record = rolled(record, now);
  EXPECT_EQ(record.usual_peak, 4u);
  EXPECT_EQ(record.messages, 0u);
  EXPECT_EQ(record.new_recipients, 0u);
  now.microseconds += kDay;
  EXPECT_EQ(rolled(record, now).usual_peak, 3u);
  now.microseconds += 400 * kDay;
  EXPECT_EQ(rolled(record, now).usual_peak, 0u);
  EXPECT_EQ(rolled(record, Timestamp{}).window_messages, 0u) << "a clock that was set back";
}

class SendingTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    anna = add_user("anna@example.org");
  }
  AddMessage message(std::uint64_t id, std::vector<std::uint64_t> recipients, std::string hold_reason = {}) {
    AddMessage request{.message = text_of(100), .internal_date = clock.now()};
    request.id = QueueId(id);
    request.queue = QueueEntry{};
    for (std::size_t i = 0; i < std::max<std::size_t>(recipients.size(), 1); ++i) {
      QueuedRecipient recipient;
      recipient.address = std::to_string(i) + "@away.test";
      recipient.domain = "away.test";
      request.recipients.push_back(recipient);
    }
    request.queue->account = anna;
    request.sent = sent_to(anna, std::move(recipients), std::move(hold_reason));
    return request;
  }
  SendingRecord record() { return SendingReader(*snapshot()).record(anna).value(); }
  bool is_held(std::uint64_t id) { return QueueReader(*snapshot()).entry(QueueId(id)).value()->is_held; }
  AccountId anna;
};

TEST_F(SendingTest, CopiesAndNewRecipientsAreCountedWithTheMessage) {
  must(message(1, {10, 11}));
  must(message(2, {11, 12}));
  EXPECT_EQ(record().messages, 4u);
  EXPECT_EQ(record().new_recipients, 3u);
  EXPECT_TRUE(SendingReader(*snapshot()).knows(anna, 10).value());
  EXPECT_FALSE(SendingReader(*snapshot()).knows(anna, 13).value());
  EXPECT_EQ(refusal(message(2, {13})), ErrorKind::kExists);
  EXPECT_EQ(record().messages, 4u);
  AddMessage stranger = message(3, {13});
  stranger.sent->account = AccountId(99);
  EXPECT_EQ(refusal(std::move(stranger)), ErrorKind::kNotFound);
}

TEST_F(SendingTest, AHeldAccountsMailWaitsUntilItIsReleased) {
  EXPECT_FALSE(must(message(1, {10})).has_begun_hold);
  EXPECT_TRUE(must(message(2, {10}, "burst")).has_begun_hold);
  EXPECT_FALSE(must(message(3, {10}, "burst again")).has_begun_hold);
  EXPECT_FALSE(is_held(1));
  EXPECT_TRUE(is_held(2));
  EXPECT_TRUE(is_held(3));
  EXPECT_EQ(record().hold_reason, "burst");
  EXPECT_EQ(SendingReader(*snapshot()).held().value().size(), 1u);
  must(HoldAccount{.account = anna, .is_held = false, .reason = {}});
  must(message(4, {10}));
  EXPECT_FALSE(is_held(4));
  EXPECT_EQ(record().usual_peak, 3u) << "what was released is a habit";
  must(HoldAccount{.account = anna, .is_held = true, .reason = "by admin"});
  must(message(5, {10}));
  EXPECT_TRUE(is_held(5));
  EXPECT_EQ(refusal(HoldAccount{.account = AccountId(99), .is_held = true, .reason = {}}), ErrorKind::kNotFound);
}

TEST_F(SendingTest, FailuresOfAttemptsAreBouncesOfTheAccount) {
  must(message(1, {10, 11}));
  RecordAttempt attempt;
  attempt.id = QueueId(1);
  attempt.outcomes.push_back({.number = 1, .kind = RecipientOutcome::Kind::kDone});
  attempt.failures = 1;
  must(std::move(attempt));
  EXPECT_EQ(record().bounces, 1u);
}

TEST_F(SendingTest, LimitsAreTheUsersOrTheDomainsOrTheServers) {
  EXPECT_EQ(SendingReader(*snapshot()).limits(anna).value().messages_per_day, 1000u);
  must(PutSetting{"limits.messages_per_day", "50"});
  must(PutSetting{"limits.new_recipients_per_day", "nonsense"});
  must(PutSetting{"limits.burst", "5"});
  EffectiveLimits limits = SendingReader(*snapshot()).limits(anna).value();
  EXPECT_EQ(limits.messages_per_day, 50u);
  EXPECT_EQ(limits.new_recipients_per_day, 200u);
  EXPECT_EQ(limits.burst, 5u);
  DomainRecord domain{.name = "example.org"};
  domain.limits = {40, 4};
  must(PutDomain{domain, PutRule::kReplace});
  UserRecord user = *DirectoryReader(*snapshot()).user(anna).value();
  user.limits.messages_per_day = 30;
  must(PutUser{user, PutRule::kReplace});
  limits = SendingReader(*snapshot()).limits(anna).value();
  EXPECT_EQ(limits.messages_per_day, 30u);
  EXPECT_EQ(limits.new_recipients_per_day, 4u);
}

TEST_F(SendingTest, ARemovedUserLeavesNoCounts) {
  must(message(1, {10, 11}));
  must(RemoveUser{"anna@example.org"});
  EXPECT_EQ(rows(Table::kSending), 0u);
  EXPECT_EQ(rows(Table::kKnownRecipients), 0u);
}

}  // namespace
}  // namespace posthus::store
