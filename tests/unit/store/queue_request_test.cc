// The queue: AddMessage with recipients elsewhere, RecordAttempt, AddTrace and ChangeQueue: effects, refusals, slices.
#include <algorithm>

#include "store/queue_reader.h"
#include "tests/unit/store/queue_fixture.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

constexpr Timestamp kFarFuture{INT64_MAX};

class QueueRequestTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    inbox = mailbox(add_user("anna@example.org"), "INBOX");
  }
  /// Without targets here.
  AddMessage remote(std::uint64_t id, std::vector<QueuedRecipient> recipients) {
    AddMessage message{.message = text_of(100), .targets = {}, .internal_date = clock.now()};
    return queued(std::move(message), id, std::move(recipients));
  }
  std::optional<QueueEntry> entry(std::uint64_t id) { return QueueReader(*snapshot()).entry(QueueId(id)).value(); }
  QueuedRecipient recipient(std::uint64_t id, std::uint16_t number) {
    const auto found = QueueReader(*snapshot()).recipient(QueueId(id), number).value();
    EXPECT_TRUE(found.has_value()) << id << "/" << number;
    return found.value_or(QueuedRecipient());
  }
  std::vector<std::uint16_t> numbers(std::uint64_t id) {
    std::vector<std::uint16_t> found;
    for (const auto& one : QueueReader(*snapshot()).recipients(QueueId(id), 1, 1000).value()) found.push_back(one.number);
    return found;
  }
  /// "id/number" of what is due at `domain` until `until`, in order.
  std::vector<std::string> due(const std::string& domain, Timestamp until = kFarFuture) {
    std::vector<std::string> found;
    for (const auto& row : QueueReader(*snapshot()).due(destination_hash(domain), {}, until, 1000).value()) {
      found.push_back(std::to_string(row.id.value) + "/" + std::to_string(row.number));
    }
    return found;
  }
  std::vector<std::string> trace(std::uint64_t id) {
    std::vector<std::string> found;
    for (const auto& event : QueueReader(*snapshot()).trace(QueueId(id)).value()) found.push_back(event.json);
    return found;
  }
  std::uint32_t references(std::uint64_t id) {
    const auto now = snapshot();
    const auto found = QueueReader(*now).entry(QueueId(id)).value();
    const auto row = now->get(Table::kBlobs, blob_key(found->blob)).value();
    return decode_blob_record(*row)->references;
  }

  MailboxId inbox;
};

using Names = std::vector<std::string>;
using Numbers = std::vector<std::uint16_t>;

TEST_F(QueueRequestTest, AMessageIsQueuedWithLocalCopiesAndTraceAtOnce) {
  AddMessage request = queued(message_request(inbox, 500), 7, recipients_at({"ben@elsewhere.test", "eva@other.test"}));
  request.trace = R"({"event":"accepted"})";
  request.queue->envelope_id = "E1";
  request.queue->extra_header = "DKIM-Signature: v=1\r\n";
  request.queue->local_header_bytes = 10;
  request.recipients[1].notify = notify::kSuccess;
  const WriteOutcome outcome = must(std::move(request));
  EXPECT_EQ(outcome.added.size(), 1u);
  const auto stored = entry(7);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->id, QueueId(7));
  EXPECT_EQ(stored->size, 500u);
  EXPECT_EQ(stored->blob, messages(inbox)[0].blob);
  EXPECT_EQ(stored->accepted, clock.now());
  EXPECT_EQ(stored->envelope_id, "E1");
  EXPECT_EQ(stored->extra_header, "DKIM-Signature: v=1\r\n");
  EXPECT_EQ(stored->local_header_bytes, 10u);
  EXPECT_EQ(numbers(7), (Numbers{1, 2}));
  EXPECT_EQ(recipient(7, 1).address, "ben@elsewhere.test");
  EXPECT_EQ(recipient(7, 2).notify, notify::kSuccess);
  EXPECT_EQ(due("elsewhere.test"), Names{"7/1"});
  EXPECT_EQ(due("other.test"), Names{"7/2"});
  EXPECT_EQ(trace(7), Names{R"({"event":"accepted"})"});
  EXPECT_EQ(references(7), 2u);
}

TEST_F(QueueRequestTest, OneSenderDoesNotFillTheQueue) {
  must(PutSetting{"queue.copies_per_sender", "3"});
  must(remote(1, recipients_at({"a@x.test", "b@x.test"})));
  EXPECT_EQ(refusal(remote(2, recipients_at({"c@x.test", "d@x.test"}))), ErrorKind::kBusy);
  EXPECT_FALSE(entry(2));
  AddMessage capital = remote(2, recipients_at({"c@x.test"}));
  capital.queue->reverse_path = "Anna@Example.ORG";  // the same sender
  must(std::move(capital));
  EXPECT_EQ(refusal(remote(3, recipients_at({"d@x.test"}))), ErrorKind::kBusy);
  // Others have room of their own, and reports always.
  AddMessage other = remote(3, recipients_at({"d@x.test"}));
  other.queue->reverse_path = "bert@example.org";
  must(std::move(other));
  for (std::uint64_t id = 10; id < 15; ++id) {
    AddMessage report = remote(id, recipients_at({"d@x.test"}));
    report.queue->reverse_path.clear();
    must(std::move(report));
  }
  // What was delivered or removed makes room.
  must(attempt(1, {done(1), deferred(2, kFarFuture)}));
  must(remote(4, recipients_at({"e@x.test"})));
  EXPECT_EQ(refusal(remote(5, recipients_at({"f@x.test"}))), ErrorKind::kBusy);
  must(change(QueueAction::kRemove, {.id = QueueId(4)}));
  must(remote(5, recipients_at({"f@x.test"})));
  must(PutSetting{"queue.copies_per_sender", "0"});
  must(remote(6, recipients_at({"g@x.test", "h@x.test"})));
}

TEST_F(QueueRequestTest, ForwardsFillTheRoomOfWhoForwards) {
  must(PutSetting{"queue.copies_per_sender", "2"});
  const auto forwarded = [&](std::uint64_t id, const std::string& sender, const std::string& forwarder) {
    AddMessage message = remote(id, recipients_at({"home@x.test"}));
    message.queue->reverse_path = sender;
    message.recipients[0].forwarder = forwarder;
    return message;
  };
  must(forwarded(1, "one@far.test", "carl@example.org"));
  must(forwarded(2, "two@far.test", "carl@example.org"));
  EXPECT_EQ(refusal(forwarded(3, "three@far.test", "carl@example.org")), ErrorKind::kBusy);
  must(forwarded(3, "three@far.test", "@example.net"));
  // Strangers have their room for what is not forwarded.
  AddMessage relayed = remote(4, recipients_at({"a@x.test", "b@x.test"}));
  relayed.queue->reverse_path = "one@far.test";
  must(std::move(relayed));
  // Both in one message: each part counts for its own.
  AddMessage both = remote(5, recipients_at({"c@x.test", "home@x.test"}));
  both.queue->reverse_path = "two@far.test";
  both.recipients[1].forwarder = "carl@example.org";
  EXPECT_EQ(refusal(std::move(both)), ErrorKind::kBusy);
  must(attempt(1, {done(1)}));
  must(forwarded(6, "", "carl@example.org"));  // reports that are forwarded count as well
  EXPECT_EQ(QueueReader(*snapshot()).waiting_forwards_of("carl@example.org").value(), 2u);
  EXPECT_EQ(QueueReader(*snapshot()).waiting_of(AccountId(), "one@far.test").value(), 2u);
}

TEST_F(QueueRequestTest, AnAccountMayHaveADaysMailWaiting) {
  must(PutSetting{"queue.copies_per_sender", "1"});
  must(PutSetting{"limits.messages_per_day", "3"});
  const auto of_anna = [&](std::uint64_t id, std::vector<QueuedRecipient> recipients) {
    AddMessage message = remote(id, std::move(recipients));
    message.queue->account = record(inbox).account;
    message.queue->reverse_path = "info" + std::to_string(id) + "@example.org";  // whatever address it sends as
    return message;
  };
  must(of_anna(1, recipients_at({"a@x.test", "b@x.test"})));
  must(of_anna(2, recipients_at({"c@x.test"})));
  EXPECT_EQ(refusal(of_anna(3, recipients_at({"d@x.test"}))), ErrorKind::kBusy);
}

TEST_F(QueueRequestTest, QueueingIsRefusedWithoutATrace) {
  must(remote(5, recipients_at({"ben@elsewhere.test"})));
  const std::string before = dump();
  EXPECT_EQ(refusal(remote(0, recipients_at({"ben@elsewhere.test"}))), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(remote(5, recipients_at({"ben@elsewhere.test"}))), ErrorKind::kExists);
  EXPECT_EQ(refusal(remote(6, {})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(remote(6, {QueuedRecipient()})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(remote(6, std::vector(kMaxQueuedRecipients + 1, recipient_at("a@b.test")))), ErrorKind::kTooLarge);
  AddMessage vanished = remote(6, recipients_at({"ben@elsewhere.test"}));
  vanished.targets.push_back({MailboxId(999), 0, {}});
  EXPECT_EQ(refusal(std::move(vanished)), ErrorKind::kNotFound);
  AddMessage header = remote(6, recipients_at({"ben@elsewhere.test"}));
  header.queue->extra_header.assign(kMaxExtraHeader + 1, 'x');
  EXPECT_EQ(refusal(std::move(header)), ErrorKind::kTooLarge);
  AddMessage cut = remote(6, recipients_at({"ben@elsewhere.test"}));
  cut.queue->local_header_bytes = 101;
  EXPECT_EQ(refusal(std::move(cut)), ErrorKind::kInvalid);
  AddMessage unnamed = message_request(inbox);
  unnamed.trace = "{}";
  EXPECT_EQ(refusal(std::move(unnamed)), ErrorKind::kInvalid);
  AddMessage lost = message_request(inbox);
  lost.recipients = recipients_at({"ben@elsewhere.test"});
  EXPECT_EQ(refusal(std::move(lost)), ErrorKind::kInvalid);
  EXPECT_EQ(dump(), before);
}

TEST_F(QueueRequestTest, LongEntriesTakeSeveralRows) {
  AddMessage request = remote(3, recipients_at({"ben@elsewhere.test"}));
  request.queue->extra_header.assign(kMaxExtraHeader, 'x');
  request.recipients[0].original_recipient.assign(1000, 'o');
  request.recipients[0].last_reply.assign(1000, 'r');
  must(std::move(request));
  EXPECT_EQ(entry(3)->extra_header.size(), kMaxExtraHeader);
  EXPECT_EQ(recipient(3, 1).original_recipient.size(), 1000u);
  const auto all = QueueReader(*snapshot()).messages(QueueId(0), 10, 10).value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].entry.extra_header.size(), kMaxExtraHeader);
  ASSERT_EQ(all[0].recipients.size(), 1u);
  EXPECT_EQ(all[0].recipients[0].last_reply.size(), 1000u);
  must(attempt(3, {done(1)}));
  EXPECT_EQ(rows(Table::kQueue), 0u);
}

TEST_F(QueueRequestTest, TheLastRecipientTakesTheMessageAlong) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@other.test"})));
  must(attempt(7, {done(1), done(99)}, {R"({"event":"relayed"})"}));
  EXPECT_EQ(numbers(7), Numbers{2});
  EXPECT_TRUE(due("elsewhere.test").empty());
  EXPECT_TRUE(entry(7));
  EXPECT_TRUE(released.empty());
  must(attempt(7, {done(2)}, {R"({"event":"failed"})"}));
  EXPECT_FALSE(entry(7));
  EXPECT_EQ(rows(Table::kQueue) + rows(Table::kQueueDue) + rows(Table::kBlobs) + rows(Table::kSummaries), 0u);
  EXPECT_EQ(released.size(), 1u);
  EXPECT_EQ(trace(7), (Names{R"({"event":"relayed"})", R"({"event":"failed"})"}));
}

TEST_F(QueueRequestTest, ALocalCopyOutlivesTheQueue) {
  must(queued(message_request(inbox), 7, recipients_at({"ben@elsewhere.test"})));
  must(attempt(7, {done(1)}));
  EXPECT_EQ(rows(Table::kBlobs), 1u);
  EXPECT_TRUE(released.empty());
}

TEST_F(QueueRequestTest, ADeferredRecipientWaitsForHisTime) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  const Timestamp later{clock.now().microseconds + 300'000'000};
  RecipientOutcome outcome = deferred(1, later);
  outcome.is_delay_reported = true;
  outcome.last_reply = std::string(kMaxRemoteWords - 1, 'x') + "\xc3\xa9";
  must(attempt(7, {outcome}));
  const QueuedRecipient after = recipient(7, 1);
  EXPECT_EQ(after.attempts, 1u);
  EXPECT_EQ(after.next_attempt, later);
  EXPECT_EQ(after.last_attempt, clock.now());
  EXPECT_TRUE(after.is_delay_reported);
  EXPECT_EQ(after.last_host, "mx.elsewhere.test");
  EXPECT_EQ(after.last_reply, std::string(kMaxRemoteWords - 1, 'x'));  // no character is cut in two
  EXPECT_TRUE(due("elsewhere.test", clock.now()).empty());
  EXPECT_EQ(due("elsewhere.test", later), Names{"7/1"});
  EXPECT_EQ(rows(Table::kQueueDue), 1u);
}

TEST_F(QueueRequestTest, WhoIsPutOffHasNotBeenTried) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  must(attempt(7, {deferred(1, Timestamp{50})}));
  RecipientOutcome outcome = deferred(1, Timestamp{100});
  outcome.was_attempted = false;
  outcome.last_host = outcome.last_reply = "";
  must(attempt(7, {outcome}));
  EXPECT_EQ(recipient(7, 1).attempts, 1u);
  EXPECT_EQ(recipient(7, 1).last_reply, "451 4.3.0 later");
  EXPECT_EQ(recipient(7, 1).next_attempt, Timestamp{100});
}

TEST_F(QueueRequestTest, AReportIsStoredWithTheAttempt) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  RecordAttempt request = attempt(7, {done(1)}, {R"({"event":"failed"})"});
  request.report = std::make_unique<AddMessage>(message_request(inbox, 300));
  const WriteOutcome outcome = must(std::move(request));
  ASSERT_EQ(outcome.added.size(), 1u);
  EXPECT_EQ(outcome.added[0].mailbox, inbox);
  EXPECT_EQ(messages(inbox)[0].size, 300u);
  EXPECT_FALSE(entry(7));
}

TEST_F(QueueRequestTest, AReportMayBeQueuedItself) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  RecordAttempt request = attempt(7, {done(1)});
  request.report = std::make_unique<AddMessage>(remote(8, recipients_at({"carl@far.test"})));
  request.report->queue->reverse_path = "";
  must(std::move(request));
  EXPECT_FALSE(entry(7));
  EXPECT_EQ(due("far.test"), Names{"8/1"});
}

TEST_F(QueueRequestTest, AnAttemptWhoseReportIsRefusedLeavesEverythingAsItWas) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  const std::string before = dump();
  RecordAttempt request = attempt(7, {done(1)}, {"{}"});
  request.report = std::make_unique<AddMessage>(message_request(MailboxId(999)));
  EXPECT_EQ(refusal(std::move(request)), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(attempt(0, {done(1)})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(attempt(7, {done(1)}, {std::string(kMaxTraceEvent + 1, ' ')})), ErrorKind::kTooLarge);
  EXPECT_EQ(dump(), before);
}

TEST_F(QueueRequestTest, WhatEndsAfterAnAdminRemovedItIsOnlyTold) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  must(change(QueueAction::kRemove, {.id = QueueId(7)}));
  must(attempt(7, {done(1)}, {R"({"event":"relayed"})"}));
  EXPECT_EQ(rows(Table::kQueue), 0u);
  EXPECT_EQ(trace(7), Names{R"({"event":"relayed"})"});
}

TEST_F(QueueRequestTest, EventsAreAddedBehindTheOthers) {
  AddMessage request = remote(7, recipients_at({"ben@elsewhere.test"}));
  request.trace = "{0}";
  must(std::move(request));
  must(AddTrace{QueueId(7), "{1}"});
  must(attempt(7, {}, {"{2}", "{3}"}));
  EXPECT_EQ(trace(7), (Names{"{0}", "{1}", "{2}", "{3}"}));
  EXPECT_EQ(refusal(AddTrace{QueueId(8), "{}"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(AddTrace{QueueId(7), ""}), ErrorKind::kInvalid);
}

TEST_F(QueueRequestTest, HeldMailIsNotDueUntilItIsReleased) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@elsewhere.test"})));
  must(remote(8, recipients_at({"ben@elsewhere.test"})));
  EXPECT_EQ(must(change(QueueAction::kHold, {.id = QueueId(7)}, "by admin")).messages, 2u);
  EXPECT_TRUE(entry(7)->is_held);
  EXPECT_EQ(entry(7)->hold_reason, "by admin");
  EXPECT_EQ(due("elsewhere.test"), Names{"8/1"});
  EXPECT_EQ(must(change(QueueAction::kHold, {.id = QueueId(7)})).messages, 0u);
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.id = QueueId(7)})).messages, 0u);
  must(attempt(7, {deferred(1, kFarFuture)}));  // one that ran when the message was held
  EXPECT_EQ(due("elsewhere.test"), Names{"8/1"});
  EXPECT_EQ(must(change(QueueAction::kRelease, {.id = QueueId(7)})).messages, 2u);
  EXPECT_FALSE(entry(7)->is_held);
  EXPECT_EQ(due("elsewhere.test", clock.now()), (Names{"7/1", "7/2", "8/1"})) << "what was asked for comes first";
}

TEST_F(QueueRequestTest, AnAddressLiteralIsNamedInAnySpelling) {
  must(remote(7, recipients_at({"ben@[IPv6:2001:db8::a]", "eva@other.test"})));
  must(attempt(7, {deferred(1, kFarFuture), deferred(2, kFarFuture)}));
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.recipient_domain = "[ipv6:2001:DB8:0::A]"})).messages, 1u);
  EXPECT_EQ(due("[IPv6:2001:db8::a]", clock.now()), Names{"7/1"});
}

TEST_F(QueueRequestTest, NoMessageIsHalfHeld) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@other.test"})));
  EXPECT_EQ(refusal(change(QueueAction::kHold, {.id = QueueId(7), .number = 1})), ErrorKind::kInvalid);
  EXPECT_FALSE(entry(7)->is_held);
  EXPECT_EQ(must(change(QueueAction::kHold, {.recipient_domain = "elsewhere.test"})).messages, 2u);
  EXPECT_EQ(refusal(change(QueueAction::kRelease, {.id = QueueId(7), .number = 1})), ErrorKind::kInvalid);
  EXPECT_EQ(must(change(QueueAction::kRelease, {.recipient_domain = "other.test"})).messages, 2u);
}

TEST_F(QueueRequestTest, MailThatComesHeldIsNotDue) {
  AddMessage request = remote(7, recipients_at({"ben@elsewhere.test"}));
  request.queue->is_held = true;
  must(std::move(request));
  EXPECT_TRUE(due("elsewhere.test").empty());
  must(change(QueueAction::kRelease, {.id = QueueId(7)}));
  EXPECT_EQ(due("elsewhere.test"), Names{"7/1"});
}

TEST_F(QueueRequestTest, RetryingMakesDueNow) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@elsewhere.test"})));
  must(attempt(7, {deferred(1, kFarFuture), deferred(2, kFarFuture)}));
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.id = QueueId(7), .number = 2})).messages, 1u);
  EXPECT_EQ(due("elsewhere.test", clock.now()), Names{"7/2"});
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.recipient_domain = "ELSEWHERE.test"})).messages, 2u);
  EXPECT_EQ(due("elsewhere.test", clock.now()), (Names{"7/1", "7/2"})) << "the second was asked for twice";
  EXPECT_EQ(rows(Table::kQueueDue), 2u);
}

TEST_F(QueueRequestTest, WhatIsOrderedDuringAnAttemptIsDueRightAfterIt) {
  const auto ran_meanwhile = [this](std::uint64_t id, Timestamp was_due_at) {
    RecipientOutcome outcome = deferred(1, kFarFuture);
    outcome.was_due_at = was_due_at;
    must(attempt(id, {outcome}));
  };
  std::uint64_t id = 10;
  for (const QueueAction action : {QueueAction::kRetryNow, QueueAction::kReroute}) {
    must(remote(++id, recipients_at({"ben@elsewhere.test"})));
    const Timestamp was_due_at = recipient(id, 1).next_attempt;
    must(change(action, {.id = QueueId(id)}));
    ran_meanwhile(id, was_due_at);
    EXPECT_EQ(recipient(id, 1).attempts, 1u);
    EXPECT_EQ(due("elsewhere.test", clock.now()), Names{std::to_string(id) + "/1"});
    ran_meanwhile(id, recipient(id, 1).next_attempt);  // nobody asked again
    EXPECT_TRUE(due("elsewhere.test", clock.now()).empty());
  }
  must(remote(++id, recipients_at({"ben@elsewhere.test"})));
  const Timestamp was_due_at = recipient(id, 1).next_attempt;
  must(change(QueueAction::kHold, {.id = QueueId(id)}));
  must(change(QueueAction::kRelease, {.id = QueueId(id)}));
  ran_meanwhile(id, was_due_at);
  EXPECT_EQ(due("elsewhere.test", clock.now()), Names{std::to_string(id) + "/1"});
}

TEST_F(QueueRequestTest, TwoOrdersDuringAnAttemptDoNotUndoEachOther) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  must(change(QueueAction::kRetryNow, {.id = QueueId(7)}));
  const Timestamp was_due_at = recipient(7, 1).next_attempt;
  for (int orders = 1; orders <= 3; ++orders) {
    must(change(QueueAction::kRetryNow, {.id = QueueId(7)}));
    RecipientOutcome outcome = deferred(1, kFarFuture);
    outcome.was_due_at = was_due_at;
    must(attempt(7, {outcome}));
    EXPECT_EQ(due("elsewhere.test", clock.now()), Names{"7/1"}) << orders;
  }
}

TEST_F(QueueRequestTest, AChangeNamesTheDestinationsItMadeDue) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@other.test"})));
  must(remote(8, recipients_at({"ben@third.test"})));
  const auto named = [](std::initializer_list<const char*> domains) {
    std::set<std::uint64_t> hashes;
    for (const char* domain : domains) hashes.insert(destination_hash(domain));
    return hashes;
  };
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.id = QueueId(7)})).destinations, named({"elsewhere.test", "other.test"}));
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.id = QueueId(7), .number = 2})).destinations, named({"other.test"}));
  EXPECT_EQ(must(change(QueueAction::kHold, {.id = QueueId(7)})).destinations, named({}));
  EXPECT_EQ(must(change(QueueAction::kRetryNow, {.everything = true})).destinations, named({"third.test"}));
  EXPECT_EQ(must(change(QueueAction::kRelease, {.reverse_path = "anna@example.org"})).destinations,
            named({"elsewhere.test", "other.test"}));
}

TEST_F(QueueRequestTest, AChangeDoesNotNameDestinationsWithoutEnd) {
  for (std::uint64_t id = 1; id <= 1003; ++id) {
    const std::string address = "ben@d" + std::to_string(id) + ".test";
    must(remote(id, recipients_at({address.c_str()})));
  }
  const WriteOutcome all = must(change(QueueAction::kRetryNow, {.everything = true}));
  EXPECT_EQ(all.destinations.size(), kMaxNamedDestinations);
  EXPECT_TRUE(all.has_more_destinations);
}

TEST_F(QueueRequestTest, BouncingIsDueEvenWhenHeld) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@elsewhere.test"})));
  must(change(QueueAction::kHold, {.id = QueueId(7)}));
  must(change(QueueAction::kBounce, {.id = QueueId(7), .number = 1}));
  EXPECT_TRUE(recipient(7, 1).must_bounce);
  EXPECT_FALSE(recipient(7, 2).must_bounce);
  EXPECT_EQ(due("elsewhere.test", clock.now()), Names{"7/1"});
  must(attempt(7, {deferred(1, kFarFuture)}));  // an attempt that ran when it was ordered does not put it off
  EXPECT_EQ(due("elsewhere.test", clock.now()), Names{"7/1"});
  must(change(QueueAction::kRelease, {.id = QueueId(7)}));
  EXPECT_EQ(rows(Table::kQueueDue), 2u);
  must(change(QueueAction::kHold, {.id = QueueId(7)}));
  EXPECT_EQ(rows(Table::kQueueDue), 1u);
  must(attempt(7, {done(1), done(2)}));
  EXPECT_EQ(rows(Table::kQueueDue) + rows(Table::kQueue), 0u);
}

TEST_F(QueueRequestTest, ReroutingIsTakenBackWithNothing) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  must(attempt(7, {deferred(1, kFarFuture)}));
  must(change(QueueAction::kReroute, {.id = QueueId(7)}, "smtp://relay.test:25"));
  EXPECT_EQ(recipient(7, 1).route, "smtp://relay.test:25");
  EXPECT_EQ(due("elsewhere.test", clock.now()), Names{"7/1"});
  must(change(QueueAction::kReroute, {.id = QueueId(7)}, ""));
  EXPECT_EQ(recipient(7, 1).route, "");
  EXPECT_EQ(refusal(change(QueueAction::kReroute, {.id = QueueId(7)}, "http://relay.test")), ErrorKind::kInvalid);
}

TEST_F(QueueRequestTest, RemovedMailLeavesNothingButItsTrace) {
  must(remote(7, recipients_at({"ben@elsewhere.test", "eva@other.test"})));
  ChangeQueue some = change(QueueAction::kRemove, {.recipient_domain = "other.test"});
  some.trace = R"({"event":"removed"})";
  EXPECT_EQ(must(some).messages, 1u);
  EXPECT_EQ(numbers(7), Numbers{1});
  EXPECT_EQ(trace(7).size(), 1u);
  EXPECT_EQ(must(change(QueueAction::kRemove, {.id = QueueId(7)})).messages, 1u);
  EXPECT_EQ(rows(Table::kQueue) + rows(Table::kQueueDue) + rows(Table::kBlobs), 0u);
  EXPECT_EQ(released.size(), 1u);
}

TEST_F(QueueRequestTest, AFilterNamesMailBySenderAccountAndDomain) {
  AddMessage null_sender = remote(1, recipients_at({"ben@elsewhere.test"}));
  null_sender.queue->reverse_path = "";
  must(std::move(null_sender));
  AddMessage of_account = remote(2, recipients_at({"ben@elsewhere.test", "eva@other.test"}));
  of_account.queue->account = AccountId(9);
  must(std::move(of_account));
  must(remote(3, recipients_at({"eva@other.test"})));
  EXPECT_EQ(must(change(QueueAction::kBounce, {.reverse_path = "<>"})).messages, 1u);
  EXPECT_TRUE(recipient(1, 1).must_bounce);
  EXPECT_EQ(must(change(QueueAction::kHold, {.account = AccountId(9)})).messages, 2u);
  EXPECT_EQ(must(change(QueueAction::kRelease, {.recipient_domain = "other.test"})).messages, 2u);  // the whole message
  EXPECT_EQ(must(change(QueueAction::kRemove, {.recipient_domain = "other.test", .reverse_path = "ANNA@example.org"})).messages,
            2u);
  EXPECT_EQ(numbers(2), Numbers{1});
  EXPECT_FALSE(entry(3));
}

TEST_F(QueueRequestTest, AFilterMustRestrictOrSayEverything) {
  must(remote(7, recipients_at({"ben@elsewhere.test"})));
  EXPECT_EQ(refusal(change(QueueAction::kRemove, {})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(change(QueueAction::kRemove, {.number = 1, .everything = true})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(change(QueueAction::kRemove, {.id = QueueId(8)})), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(change(QueueAction::kRemove, {.id = QueueId(7), .number = 2})), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(change(QueueAction::kRemove, {.recipient_domain = "not a domain"})), ErrorKind::kInvalid);
  EXPECT_EQ(must(change(QueueAction::kRemove, {.everything = true})).messages, 1u);
}

TEST_F(QueueRequestTest, LargeChangesTakeSlicesOfWholeMessages) {
  for (std::uint64_t id = 1; id <= 4; ++id) {
    std::vector<QueuedRecipient> many;
    for (int i = 0; i < 1000; ++i) many.push_back(recipient_at("r" + std::to_string(i) + "@d" + std::to_string(i % 7) + ".test"));
    must(remote(id, std::move(many)));
  }
  const WriteRequest hold = change(QueueAction::kHold, {.everything = true});
  std::optional<SliceProgress> progress;
  ASSERT_TRUE(run_slice(hold, progress));
  ASSERT_TRUE(progress);
  std::size_t due_rows = rows(Table::kQueueDue);
  EXPECT_EQ(due_rows % 1000, 0u);
  EXPECT_GT(due_rows, 0u);
  must(remote(5, recipients_at({"late@d0.test"})));  // came later: stays out of it
  while (progress) ASSERT_TRUE(run_slice(hold, progress));
  EXPECT_EQ(rows(Table::kQueueDue), 1u);
  EXPECT_EQ(must(change(QueueAction::kRemove, {.everything = true})).messages, 4001u);
  EXPECT_GT(slices, 1u);
  EXPECT_EQ(rows(Table::kQueue) + rows(Table::kQueueDue) + rows(Table::kBlobs), 0u);
}

TEST_F(QueueRequestTest, QueuedMailOfARemovedUserStays) {
  must(queued(message_request(inbox), 7, recipients_at({"ben@elsewhere.test"})));
  must(RemoveUser{"anna@example.org"});
  EXPECT_TRUE(entry(7));
  EXPECT_EQ(references(7), 1u);
}

TEST_F(QueueRequestTest, RoutesAreNormalisedAndReplaced) {
  RouteRecord route{
      .name = "Example.TEST", .hops = {{"127.0.0.1", 2525, RouteRecord::Tls::kRequired}}, .login = "me", .password = "pw"};
  must(PutRoute{route});
  route.name = "from:Example.org";
  must(PutRoute{route});
  route.name = "*";
  route.hops.push_back({"relay.test", 25, RouteRecord::Tls::kOpportunistic});
  must(PutRoute{route});
  const auto now = snapshot();
  const QueueReader reader(*now);
  EXPECT_EQ(reader.route("example.test").value()->hops[0].port, 2525);
  EXPECT_EQ(reader.route("example.test").value()->password, "pw");
  EXPECT_EQ(reader.route("example.test").value()->created, clock.now());
  const auto first = reader.routes("", 2).value();
  ASSERT_EQ(first.items.size(), 2u);
  const auto second = reader.routes(first.next, 2).value();
  ASSERT_EQ(second.items.size(), 1u);
  EXPECT_EQ(second.items[0].name, "from:example.org");
  EXPECT_TRUE(second.next.empty());
  must(RemoveRoute{"EXAMPLE.test"});
  EXPECT_FALSE(QueueReader(*snapshot()).route("example.test").value());
  EXPECT_EQ(refusal(RemoveRoute{"example.test"}), ErrorKind::kNotFound);
}

TEST_F(QueueRequestTest, BadRoutesAreRefused) {
  const RouteRecord good{.name = "*", .hops = {{"relay.test", 25, RouteRecord::Tls::kNever}}};
  RouteRecord route = good;
  route.hops.clear();
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kInvalid);
  route = good;
  route.hops[0].port = 0;
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kInvalid);
  route = good;
  route.hops[0].host = "relay test\r\n";
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kInvalid);
  route = good;
  route.login = route.password = "secret";  // and no TLS
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kInvalid);
  route = good;
  route.name = "from:";
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kInvalid);
  route = good;
  route.hops.assign(17, route.hops[0]);
  EXPECT_EQ(refusal(PutRoute{route}), ErrorKind::kTooLarge);
}

TEST_F(QueueRequestTest, DkimKeysBelongToADomainOfOursAndGoWithIt) {
  DkimKeyRecord key{.domain = "Example.ORG", .selector = "S1", .private_key = std::string(2400, 'k'), .public_key = "p"};
  must(PutDkimKey{key});
  key.selector = "s2";
  key.algorithm = DkimAlgorithm::kEd25519Sha256;
  must(PutDkimKey{key});
  const auto keys = QueueReader(*snapshot()).dkim_keys("example.org").value();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].selector, "s1");
  EXPECT_EQ(keys[0].private_key.size(), 2400u);
  EXPECT_EQ(keys[1].algorithm, DkimAlgorithm::kEd25519Sha256);
  key.selector = "s3.";
  EXPECT_EQ(refusal(PutDkimKey{key}), ErrorKind::kInvalid);
  key.selector = "s3";
  key.domain = "elsewhere.test";
  EXPECT_EQ(refusal(PutDkimKey{key}), ErrorKind::kNotFound);
  must(RemoveDkimKey{"example.org", "S2"});
  EXPECT_EQ(refusal(RemoveDkimKey{"example.org", "s2"}), ErrorKind::kNotFound);
  must(RemoveUser{"anna@example.org"});
  must(RemoveDomain{"example.org"});
  EXPECT_EQ(rows(Table::kDkimKeys), 0u);
}

TEST_F(QueueRequestTest, SettingsAreKeptUntilTheyAreEmpty) {
  must(PutSetting{"trace.days", "7"});
  must(PutSetting{"trace.days.more", std::string(5000, 'x')});
  EXPECT_EQ(QueueReader(*snapshot()).setting("trace.days").value(), "7");
  EXPECT_EQ(QueueReader(*snapshot()).setting("trace.days.more").value()->size(), 5000u);
  EXPECT_FALSE(QueueReader(*snapshot()).setting("trace").value());
  must(PutSetting{"trace.days", ""});
  EXPECT_FALSE(QueueReader(*snapshot()).setting("trace.days").value());
  EXPECT_EQ(refusal(PutSetting{"", "x"}), ErrorKind::kInvalid);
}

TEST_F(QueueRequestTest, MessagesAreListedInPagesWithSomeOfTheirRecipients) {
  for (std::uint64_t id = 1; id <= 5; ++id) must(remote(id * 10, recipients_at({"a@x.test", "b@x.test", "c@y.test"})));
  const auto now = snapshot();
  const QueueReader reader(*now);
  const auto first = reader.messages(QueueId(0), 2, 2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].entry.id, QueueId(10));
  EXPECT_EQ(first[0].recipients.size(), 2u);
  const auto rest = reader.messages(first[1].entry.id, 100, 3).value();
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest[0].entry.id, QueueId(30));
  EXPECT_EQ(rest[2].recipients.size(), 3u);
  EXPECT_EQ(reader.recipients(QueueId(10), 2, 1).value()[0].address, "b@x.test");
  EXPECT_TRUE(reader.messages(QueueId(50), 100, 3).value().empty());
}

TEST_F(QueueRequestTest, DueRowsGoOnWhereAPageEnded) {
  for (std::uint64_t id = 1; id <= 5; ++id) must(remote(id, recipients_at({"a@x.test", "b@x.test"})));
  const auto now = snapshot();
  const QueueReader reader(*now);
  const auto destination = destination_hash("x.test");
  const auto first = reader.due(destination, {}, clock.now(), 3).value();
  ASSERT_EQ(first.size(), 3u);
  const auto rest = reader.due(destination, first.back(), clock.now(), 100).value();
  ASSERT_EQ(rest.size(), 7u);
  EXPECT_EQ(rest[0].id, QueueId(2));
  EXPECT_EQ(rest[0].number, 2);
}

TEST_F(QueueRequestTest, TracesAreVisitedFromTheNewestOn) {
  for (std::uint64_t id = 1; id <= 4; ++id) {
    AddMessage request = message_request(inbox);
    request.id = QueueId(id);
    request.trace = "{" + std::to_string(id) + "}" + std::string(id == 2 ? 5000 : 0, ' ');
    must(std::move(request));
  }
  must(AddTrace{QueueId(3), "{more}"});
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(QueueReader(*snapshot()).traces(QueueId(4), [&seen](QueueId id, const std::vector<TraceEvent>& events) {
    seen.push_back(id.value);
    EXPECT_EQ(events.size(), id.value == 3 ? 2u : 1u);
    return id.value == 2 ? Visit::kStop : Visit::kContinue;
  }));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ(trace(2)[0].size(), 5003u);
}

}  // namespace
}  // namespace posthus::store
