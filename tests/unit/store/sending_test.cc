// What accounts send: counts that live with the message, days and windows that end, holds.
#include "store/sending_reader.h"

#include "store/hold_reason.h"
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

TEST_F(SendingTest, AReleasedAccountLeavesWhatAnAdminHeld) {
  const std::string account = encode_hold_reason({.code = HoldCode::kAccount, .text = "stolen"});
  const std::string single = encode_hold_reason({.code = HoldCode::kAdmin, .text = "odd"});
  const std::string older = encode_hold_reason({.code = HoldCode::kAdmin, .text = "of an older version"});
  const std::string burst = encode_hold_reason({.code = HoldCode::kBurst, .count = 3, .limit = 2, .text = {}});
  const std::string reasons[] = {account, single, older, burst, "a sentence"};
  for (std::uint64_t id = 1; id <= std::size(reasons); ++id) {
    must(message(id, {10}));
    must(ChangeQueue{.filter = {.id = QueueId(id)}, .action = QueueAction::kHold, .text = reasons[id - 1], .trace = {}});
  }
  ChangeQueue release{.filter = {.account = anna}, .action = QueueAction::kRelease, .text = {}, .trace = {}};
  release.filter.held_for_account = older;
  EXPECT_EQ(must(release).messages, 4u);
  for (std::uint64_t id = 1; id <= std::size(reasons); ++id) EXPECT_EQ(is_held(id), id == 2) << id;
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

TEST(HoldReason, IsKeptAsACodeAndToldInEveryLanguage) {
  const HoldReason reasons[] = {{HoldCode::kAdmin, 0, 0, ""},     {HoldCode::kAdmin, 0, 0, "stolen: see ticket 7"},
                                {HoldCode::kBurst, 412, 300, ""}, {HoldCode::kNewNetwork, 51, 50, "2001:db8::/48"},
                                {HoldCode::kBounces, 20, 40, ""}, {HoldCode::kOther, 0, 0, "an old sentence"},
                                {HoldCode::kAccount, 0, 0, ""},   {HoldCode::kAccount, 0, 0, "stolen"}};
  for (const HoldReason& reason : reasons) {
    const std::string stored = encode_hold_reason(reason);
    const HoldReason read = decode_hold_reason(stored);
    EXPECT_EQ(read.code, reason.code) << stored;
    EXPECT_EQ(read.count, reason.count) << stored;
    EXPECT_EQ(read.limit, reason.limit) << stored;
    EXPECT_EQ(read.text, reason.text) << stored;
    EXPECT_EQ(hold_reason_words(read, mail::ReportLanguage::kEnglish).find('{'), std::string::npos);
    EXPECT_FALSE(hold_reason_words(read, mail::ReportLanguage::kGerman).empty());
    EXPECT_FALSE(hold_reason_words(read, mail::ReportLanguage::kNorwegian).empty());
  }
  EXPECT_EQ(hold_reason_words(reasons[4], mail::ReportLanguage::kGerman), "20 von 40 heute gesendeten Kopien waren unzustellbar");
  EXPECT_EQ(hold_reason_words(reasons[1], mail::ReportLanguage::kGerman), "stolen: see ticket 7") << "an admin's own words";
  for (const char* old : {"", "301 copies within ten minutes, up to 300 are usual", ":", ":burst", ":burst:1:2",
                          ":burst:1:x:", ":new:1:2:", ":burst:99999999999999999999:1:"}) {
    EXPECT_EQ(decode_hold_reason(old).code, HoldCode::kOther) << old;
    EXPECT_EQ(hold_reason_words(decode_hold_reason(old), mail::ReportLanguage::kNorwegian), old);
  }
}

TEST(SentToday, SurvivesARoundTripAndNoCut) {
  SentToday record{.name = "example.org", .day = 1, .messages = 2, .new_recipients = 3, .forwards = 4};
  record.met = MetLimit::kForwards;
  record.met_limit = 5;
  const std::string bytes = encode_sent_today(record);
  const auto read = decode_sent_today(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_sent_today(*read), bytes);
  EXPECT_EQ(read->name, "example.org");
  EXPECT_EQ(read->met_limit, 5u);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(decode_sent_today(std::string_view(bytes).substr(0, i))) << i;
  EXPECT_FALSE(decode_sent_today(bytes + "x"));
  record.name.assign(kMaxForwarder, 'x');
  EXPECT_LE(encode_sent_today(record).size() + sent_today_key(record.name).size(), kMaxKeyAndValue);
}

TEST_F(SendingTest, WhatAccountsSendCountsForTheirDomain) {
  const AccountId bert = add_user("bert@example.org");
  const auto sent_by = [&](AccountId account, std::uint64_t id, std::vector<std::uint64_t> recipients) {
    AddMessage request = message(id, std::move(recipients));
    request.queue->account = account;
    request.sent->account = account;
    request.sent->domain = "example.org";
    return request;
  };
  const auto today = [&] { return SendingReader(*snapshot()).sent_today("example.org", clock.now()).value(); };
  must(sent_by(anna, 1, {10, 11}));
  must(sent_by(bert, 2, {10}));
  must(sent_by(anna, 3, {10}));
  EXPECT_EQ(today().messages, 4u);
  EXPECT_EQ(today().new_recipients, 3u) << "who is new to an account is new";
  EXPECT_EQ(today().forwards, 0u);
  EXPECT_EQ(refusal(sent_by(anna, 3, {13})), ErrorKind::kExists);
  EXPECT_EQ(today().messages, 4u);
  clock.advance(kDay);
  EXPECT_EQ(today().messages, 0u);
  must(sent_by(anna, 4, {10}));
  EXPECT_EQ(today().messages, 1u);
}

TEST_F(SendingTest, ForwardsCountForTheAddressAndItsDomain) {
  AddMessage request = message(1, {});
  request.sent.reset();
  request.recipients.assign(4, request.recipients[0]);
  request.recipients[0].forwarder = request.recipients[1].forwarder = "carl@example.org";
  request.recipients[2].forwarder = "@example.net";
  must(std::move(request));
  EXPECT_EQ(SendingReader(*snapshot()).sent_today("carl@example.org", clock.now()).value().forwards, 2u);
  EXPECT_EQ(SendingReader(*snapshot()).sent_today("example.org", clock.now()).value().forwards, 2u);
  EXPECT_EQ(SendingReader(*snapshot()).sent_today("example.org", clock.now()).value().messages, 0u);
  EXPECT_EQ(SendingReader(*snapshot()).sent_today("@example.net", clock.now()).value().forwards, 1u);
  EXPECT_EQ(SendingReader(*snapshot()).sent_today("example.net", clock.now()).value().forwards, 1u);
}

TEST_F(SendingTest, ALimitThatWasMetIsNotedOnceADay) {
  const auto met = [&] { return SendingReader(*snapshot()).limits_met(clock.now()).value(); };
  EXPECT_TRUE(met().empty());
  must(NoteLimit{"example.org", MetLimit::kMessages, 100});
  must(NoteLimit{"example.org", MetLimit::kNewRecipients, 20});
  ASSERT_EQ(met().size(), 1u);
  EXPECT_EQ(met()[0].name, "example.org");
  EXPECT_EQ(met()[0].met, MetLimit::kMessages);
  must(NoteLimit{"example.org", MetLimit::kMessages, 200});  // it was raised, and met again
  EXPECT_EQ(met()[0].met_limit, 200u);
  EXPECT_EQ(refusal(NoteLimit{"", MetLimit::kMessages, 1}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(NoteLimit{"example.org", MetLimit::kNone, 1}), ErrorKind::kInvalid);
  clock.advance(kDay);
  EXPECT_TRUE(met().empty());
}

TEST_F(SendingTest, TheDomainsLimitIsItsOwnOrTheServers) {
  const auto limits = [&] { return SendingReader(*snapshot()).limits(anna).value(); };
  EXPECT_EQ(limits().domain, "example.org");
  EXPECT_EQ(limits().domain_messages_per_day, 10'000u);
  EXPECT_EQ(limits().domain_new_recipients_per_day, 2'000u);
  must(PutSetting{"limits.domain_messages_per_day", "500"});
  EXPECT_EQ(limits().domain_messages_per_day, 1'000u) << "one account alone may send a thousand";
  UserRecord user = *DirectoryReader(*snapshot()).user(anna).value();
  user.limits.messages_per_day = 20'000;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(limits().domain, "") << "it was given more than the default of a domain: it stands apart";
  EXPECT_EQ(SendingReader(*snapshot()).domain_limits("example.org").value().domain_messages_per_day, 1'000u);
  DomainRecord domain{.name = "example.org"};
  domain.total_limits = {30, 3};
  must(PutDomain{domain, PutRule::kReplace});
  EXPECT_EQ(limits().domain, "example.org") << "what somebody decided for the domain holds for all";
  EXPECT_EQ(limits().domain_messages_per_day, 30u);
  EXPECT_EQ(limits().domain_new_recipients_per_day, 3u);
  EXPECT_EQ(SendingReader(*snapshot()).domain_limits("example.org").value().domain_messages_per_day, 30u);
  const ForwardLimits forwards = SendingReader(*snapshot()).forward_limits("carl@example.org").value();
  EXPECT_EQ(forwards.forwards_per_day, 5'000u);
  EXPECT_EQ(forwards.domain_forwards_per_day, 30u);
}

TEST_F(SendingTest, ARemovedUserLeavesNoCounts) {
  must(message(1, {10, 11}));
  must(RemoveUser{"anna@example.org"});
  EXPECT_EQ(rows(Table::kSending), 0u);
  EXPECT_EQ(rows(Table::kKnownRecipients), 0u);
}

}  // namespace
}  // namespace posthus::store
