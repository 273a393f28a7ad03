// AddMessage, ChangeFlags, Expunge, CopyMessages: effects, refusals, slices.
#include <numeric>

#include "store/tombstones.h"
#include "store/uid_set.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class MessageRequestTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    account = add_user("anna@example.org", 10'000'000);
    inbox = mailbox(account, "INBOX");
    trash = mailbox(account, "Trash");
  }
  std::vector<std::uint32_t> uids_of(MailboxId id) {
    std::vector<std::uint32_t> found;
    for (const MessageRecord& message : messages(id)) found.push_back(message.uid.value);
    return found;
  }
  Usage usage() { return DirectoryReader(*snapshot()).usage(account).value(); }
  std::optional<UidSet> vanished(MailboxId id, std::uint64_t since) {
    const auto now = snapshot();
    return MailboxReader::open(*now, id)->vanished_since(ModSeq(since)).value();
  }
  ChangeFlags flags_request(UidSet set, FlagChange change, std::uint8_t flags, std::vector<std::string> keywords = {}) {
    return {.mailbox = inbox, .uids = std::move(set), .change = change, .flags = flags, .keywords = std::move(keywords)};
  }

  AccountId account;
  MailboxId inbox, trash;
};

TEST_F(MessageRequestTest, AMessageIsStoredOnceForAllTargets) {
  AddMessage request = message_request(inbox, 500, flag::kSeen | 0x80, {"$Junk", "$junk"});
  request.targets.push_back({trash, flag::kDeleted, {}});
  request.trace = R"({"queue":"1"})";
  request.id = QueueId(1);
  const WriteOutcome outcome = must(std::move(request));
  ASSERT_EQ(outcome.added.size(), 2u);
  EXPECT_EQ(outcome.added[0].mailbox, inbox);
  EXPECT_EQ(outcome.added[0].uid, Uid(1));
  EXPECT_EQ(outcome.added[0].uid_validity, record(inbox).uid_validity);
  EXPECT_EQ(outcome.added[1].mailbox, trash);
  EXPECT_EQ(changed, (std::vector{inbox, trash}));
  EXPECT_EQ(rows(Table::kBlobs), 1u);
  EXPECT_EQ(rows(Table::kTrace), 1u);
  const MessageRecord message = messages(inbox)[0];
  EXPECT_EQ(message.flags, flag::kSeen);
  EXPECT_EQ(message.keywords, 1u);
  EXPECT_EQ(message.size, 500u);
  EXPECT_EQ(message.internal_date, Timestamp::from_seconds(1'000'000'000));
  EXPECT_EQ(message.save_date, clock.now());
  EXPECT_EQ(record(inbox).unseen, 0u);
  EXPECT_EQ(record(inbox).messages, 1u);
  EXPECT_EQ(record(inbox).uid_next, Uid(2));
  EXPECT_EQ(record(trash).unseen, 1u);
  EXPECT_EQ(record(trash).deleted, 1u);
  EXPECT_EQ(record(trash).bytes, 500u);
  EXPECT_EQ(usage().bytes, 1000u);
  EXPECT_EQ(usage().messages, 2u);
  const auto now = snapshot();
  const auto reader = MailboxReader::open(*now, inbox);
  std::string buffer;
  const auto summary = reader->summary(message.blob, buffer);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->size(), 500u);
  EXPECT_EQ(reader->keywords().value(), std::vector<std::string>{"$Junk"});
}

TEST_F(MessageRequestTest, AMessageGoesToAllTargetsOrNone) {
  const std::string before = dump();
  AddMessage request = message_request(inbox);
  request.targets.push_back({MailboxId(999), 0, {}});
  EXPECT_EQ(refusal(std::move(request)), ErrorKind::kNotFound);
  AddMessage nowhere = message_request(inbox);
  nowhere.targets.clear();
  EXPECT_EQ(refusal(std::move(nowhere)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(message_request(inbox, 100, 0, {"no keyword"})), ErrorKind::kInvalid);
  std::vector<std::string> many;
  for (int i = 0; i < 65; ++i) many.push_back("k" + std::to_string(i));
  EXPECT_EQ(refusal(message_request(inbox, 100, 0, many)), ErrorKind::kTooLarge);
  EXPECT_EQ(dump(), before);
}

TEST_F(MessageRequestTest, QuotaHoldsForAppendAndNotForDelivery) {
  const AccountId small = add_user("small@example.org", 1000);
  const MailboxId box = mailbox(small, "INBOX");
  const auto append = [&] {
    AddMessage request = message_request(box, 600);
    request.quota = QuotaRule::kStrict;
    return request;
  };
  must(append());
  EXPECT_EQ(refusal(append()), ErrorKind::kOverQuota);
  must(message_request(box, 600));
  EXPECT_EQ(DirectoryReader(*snapshot()).usage(small).value().bytes, 1200u);
  AddMessage two = message_request(inbox, 6'000'000);
  two.targets.push_back({trash, 0, {}});
  two.quota = QuotaRule::kStrict;
  EXPECT_EQ(refusal(std::move(two)), ErrorKind::kOverQuota);  // each fits, both do not
}

TEST_F(MessageRequestTest, ALargeSummaryIsReadBackWhole) {
  IncomingMessage message({}, nullptr);
  std::string text = "References:";
  for (int i = 0; i < 800; ++i) text += "\r\n <" + std::to_string(i) + "@example.org>";
  text += "\r\n\r\nbody";
  ASSERT_TRUE(message.append(text));
  ASSERT_TRUE(message.finish());
  AddMessage request{.message = std::move(message)};
  request.targets.push_back({inbox, 0, {}});
  must(std::move(request));
  EXPECT_GT(rows(Table::kSummaries), 5u);
  const auto now = snapshot();
  std::string buffer;
  const auto summary = MailboxReader::open(*now, inbox)->summary(messages(inbox)[0].blob, buffer);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->size(), text.size());
  EXPECT_NE(summary->cached_fields().find("<799@example.org>"), std::string_view::npos);
  must(Expunge{inbox, every_uid(), ExpungeRule::kAllNamed});
  EXPECT_EQ(rows(Table::kSummaries), 0u);
}

TEST_F(MessageRequestTest, OnlyMessagesThatReallyChangeGetANewModSeq) {
  for (int i = 0; i < 3; ++i) add(inbox, 100, i == 1 ? flag::kSeen : 0);
  const ModSeq before = record(inbox).highest_modseq;
  const WriteOutcome outcome = must(flags_request(every_uid(), FlagChange::kAdd, flag::kSeen));
  EXPECT_EQ(outcome.modseq, ModSeq(before.value + 1));
  EXPECT_TRUE(outcome.uids.empty());
  const auto all = messages(inbox);
  EXPECT_EQ(all[0].modseq, outcome.modseq);
  EXPECT_LT(all[1].modseq, outcome.modseq);
  EXPECT_EQ(all[2].modseq, outcome.modseq);
  EXPECT_EQ(record(inbox).unseen, 0u);
  changes = 0;
  EXPECT_EQ(must(flags_request(every_uid(), FlagChange::kAdd, flag::kSeen)).modseq, outcome.modseq);
  EXPECT_EQ(changes, 0u);
  EXPECT_TRUE(changed.empty());
}

TEST_F(MessageRequestTest, FlagsAreReplacedAddedAndRemoved) {
  add(inbox, 100, flag::kFlagged | flag::kDeleted, {"old"});
  must(flags_request(uids({{1, 1}}), FlagChange::kReplace, flag::kAnswered, {"New"}));
  EXPECT_EQ(messages(inbox)[0].flags, flag::kAnswered);
  EXPECT_EQ(messages(inbox)[0].keywords, 2u);
  EXPECT_EQ(record(inbox).deleted, 0u);
  must(flags_request(uids({{1, 1}}), FlagChange::kAdd, flag::kDeleted, {"OLD"}));
  EXPECT_EQ(messages(inbox)[0].flags, flag::kAnswered | flag::kDeleted);
  EXPECT_EQ(messages(inbox)[0].keywords, 3u);
  must(flags_request(uids({{1, 1}}), FlagChange::kRemove, flag::kAnswered, {"new", "unknown"}));
  EXPECT_EQ(messages(inbox)[0].flags, flag::kDeleted);
  EXPECT_EQ(messages(inbox)[0].keywords, 1u);
  const auto now = snapshot();
  EXPECT_EQ(MailboxReader::open(*now, inbox)->keywords().value(), (std::vector<std::string>{"old", "New"}));
}

TEST_F(MessageRequestTest, TheSixtyFifthKeywordIsRefused) {
  add(inbox);
  for (std::size_t i = 0; i < kMaxKeywordsPerMailbox; ++i) {
    must(flags_request(every_uid(), FlagChange::kAdd, 0, {std::string(90, 'k') + std::to_string(i)}));
  }
  EXPECT_EQ(messages(inbox)[0].keywords, ~std::uint64_t{0});
  EXPECT_EQ(rows(Table::kKeywords), 3u);
  EXPECT_EQ(refusal(flags_request(every_uid(), FlagChange::kAdd, 0, {"more"})), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(flags_request(every_uid(), FlagChange::kAdd, 0, {std::string(101, 'k')})), ErrorKind::kInvalid);
  must(flags_request(every_uid(), FlagChange::kRemove, 0, {"more"}));
  ChangeFlags gone = flags_request(every_uid(), FlagChange::kAdd, flag::kSeen);
  gone.mailbox = MailboxId(999);
  EXPECT_EQ(refusal(gone), ErrorKind::kNotFound);
}

TEST_F(MessageRequestTest, UnchangedSinceLeavesNewerMessagesAlone) {
  for (int i = 0; i < 4; ++i) add(inbox);
  const ModSeq seen = record(inbox).highest_modseq;
  must(flags_request(uids({{2, 3}}), FlagChange::kAdd, flag::kFlagged));
  ChangeFlags request = flags_request(every_uid(), FlagChange::kAdd, flag::kDeleted);
  request.unchanged_since = seen;
  EXPECT_EQ(must(request).uids, uids({{2, 3}}));
  EXPECT_EQ(record(inbox).deleted, 2u);
  request.unchanged_since = ModSeq(0);
  EXPECT_EQ(must(request).uids, uids({{1, 4}}));
}

TEST_F(MessageRequestTest, ExpungeTakesOnlyDeletedOrAllNamed) {
  for (int i = 0; i < 6; ++i) add(inbox, 100, i % 2 == 0 ? flag::kDeleted : 0);
  const ModSeq before = record(inbox).highest_modseq;
  const WriteOutcome outcome = must(Expunge{inbox, uids({{1, 4}})});
  EXPECT_EQ(outcome.uids, uids({{1, 1}, {3, 3}}));
  EXPECT_EQ(outcome.modseq, ModSeq(before.value + 1));
  EXPECT_EQ(uids_of(inbox), (std::vector<std::uint32_t>{2, 4, 5, 6}));
  EXPECT_EQ(record(inbox).deleted, 1u);
  EXPECT_EQ(vanished(inbox, before.value), uids({{1, 1}, {3, 3}}));
  EXPECT_EQ(must(Expunge{inbox, uids({{4, 4}, {9, 20}}), ExpungeRule::kAllNamed}).uids, uids({{4, 4}}));
  EXPECT_EQ(vanished(inbox, before.value), uids({{1, 1}, {3, 4}}));
  EXPECT_EQ(vanished(inbox, before.value + 1), uids({{4, 4}}));
  EXPECT_EQ(vanished(inbox, before.value + 2), UidSet{});
  EXPECT_EQ(usage().messages, 3u);
  EXPECT_EQ(usage().bytes, 300u);
  EXPECT_EQ(released.size(), 3u);
  changes = 0;
  EXPECT_TRUE(must(Expunge{inbox, uids({{2, 2}})}).uids.empty());
  EXPECT_EQ(changes, 0u);
  must(Expunge{inbox, every_uid(), ExpungeRule::kAllNamed});
  EXPECT_EQ(rows(Table::kMessages), 0u);
  EXPECT_EQ(rows(Table::kBlobs), 0u);
  EXPECT_EQ(rows(Table::kSummaries), 0u);
  EXPECT_EQ(usage().bytes, 0u);
  EXPECT_EQ(add(inbox), Uid(7)) << "UIDs are never used again";
}

TEST_F(MessageRequestTest, UidsSomePagesApartAreAllFound) {
  for (int i = 0; i < 200; ++i) add(inbox, 20);
  EXPECT_EQ(must(Expunge{inbox, uids({{8, 8}, {155, 155}, {199, 199}}), ExpungeRule::kAllNamed}).uids,
            uids({{8, 8}, {155, 155}, {199, 199}}));
}

TEST_F(MessageRequestTest, OldTombstonesAreDroppedAndTheReaderSaysSo) {
  for (int i = 0; i < 4; ++i) add(inbox);
  const std::uint64_t start = record(inbox).highest_modseq.value;
  must(Expunge{inbox, uids({{1, 1}}), ExpungeRule::kAllNamed});
  clock.advance(100'000'000);
  must(Expunge{inbox, uids({{2, 2}}), ExpungeRule::kAllNamed});
  ASSERT_TRUE(engine.commit([&](WriteTransaction& transaction) -> Result<> {
    EXPECT_EQ(drop_tombstones(transaction, inbox, clock.now(), 100).value(), 1u);
    return {};
  }));
  EXPECT_EQ(vanished(inbox, start), std::nullopt);
  EXPECT_EQ(vanished(inbox, start + 1), uids({{2, 2}}));
}

TEST_F(MessageRequestTest, ManyScatteredTombstonesTakeSeveralRows) {
  for (int i = 0; i < 1200; ++i) add(inbox, 20, i % 2 == 0 ? flag::kDeleted : 0);
  const std::uint64_t before = record(inbox).highest_modseq.value;
  must(Expunge{inbox, every_uid(), ExpungeRule::kOnlyDeleted, Atomicity::kWhole});
  EXPECT_EQ(rows(Table::kExpunged), 3u);
  EXPECT_EQ(vanished(inbox, before)->size(), 600u);
  must(Expunge{inbox, uids({{1, 1100}}), ExpungeRule::kAllNamed, Atomicity::kWhole});
  EXPECT_EQ(uids_of(inbox).size(), 50u);
  EXPECT_LE(rows(Table::kMessages), 4u) << "thinned pages are merged";
}

TEST_F(MessageRequestTest, LargeExpungesAreSlicedUnlessWhole) {
  constexpr std::uint32_t kMessages = kSliceMessages + 500;
  for (std::uint32_t i = 0; i < kMessages; ++i) add(inbox, 20);
  const WriteOutcome sliced = must(Expunge{inbox, uids({{1, kMessages - 200}}), ExpungeRule::kAllNamed});
  EXPECT_GE(slices, 2u);
  EXPECT_EQ(count_uids(sliced.uids), kMessages - 200);
  must(Expunge{inbox, every_uid(), ExpungeRule::kAllNamed, Atomicity::kWhole});
  EXPECT_EQ(slices, 1u);
  EXPECT_EQ(record(inbox).messages, 0u);
}

TEST_F(MessageRequestTest, LargeStoresAreSlicedAndEachSliceHasItsModSeq) {
  for (int i = 0; i < 1600; ++i) add(inbox, 20);
  for (int doubling = 0; doubling < 4; ++doubling) must(CopyMessages{inbox, every_uid(), inbox});
  const std::uint64_t before = record(inbox).highest_modseq.value;
  const WriteRequest request = flags_request(every_uid(), FlagChange::kAdd, flag::kSeen);
  std::optional<SliceProgress> progress;
  ASSERT_TRUE(run_slice(request, progress));
  ASSERT_TRUE(progress);
  const Uid between = add(inbox, 20, flag::kFlagged);  // others get their turn
  for (int slice = 0; slice < 10 && progress; ++slice) ASSERT_TRUE(run_slice(request, progress));
  EXPECT_FALSE(progress);
  const auto all = messages(inbox);
  EXPECT_EQ(all.front().modseq.value, before + 1);
  EXPECT_EQ(all.back().uid, between);
  EXPECT_EQ(all.back().flags, flag::kSeen | flag::kFlagged);
  EXPECT_EQ(all.back().modseq.value, before + 3) << "whoever saw the second ModSeq still finds this change";
  EXPECT_EQ(record(inbox).unseen, 0u);
}

TEST_F(MessageRequestTest, CopyingSharesTheTextAndMapsKeywords) {
  add(trash, 20, 0, {"other"});
  add(inbox, 300, flag::kSeen, {"First", "shared"});
  add(inbox, 400, flag::kDeleted, {"SHARED"});
  must(flags_request(uids({{2, 2}}), FlagChange::kAdd, 0, {"other"}));
  const WriteOutcome outcome = must(CopyMessages{inbox, every_uid(), trash});
  EXPECT_EQ(outcome.uids, uids({{1, 2}}));
  ASSERT_EQ(outcome.added.size(), 2u);
  EXPECT_EQ(outcome.added[1].uid, Uid(3));
  EXPECT_EQ(outcome.uid_validity, record(trash).uid_validity);
  EXPECT_EQ(outcome.modseq, record(trash).highest_modseq);
  const auto now = snapshot();
  EXPECT_EQ(MailboxReader::open(*now, trash)->keywords().value(), (std::vector<std::string>{"other", "First", "shared"}));
  const auto copies = messages(trash);
  EXPECT_EQ(copies[1].keywords, 0b110u);
  EXPECT_EQ(copies[2].keywords, 0b101u);
  EXPECT_EQ(copies[1].flags, flag::kSeen);
  EXPECT_EQ(copies[1].internal_date, messages(inbox)[0].internal_date);
  EXPECT_EQ(copies[1].blob, messages(inbox)[0].blob);
  EXPECT_EQ(rows(Table::kBlobs), 3u);
  EXPECT_EQ(usage().bytes, 1420u);
  must(Expunge{inbox, every_uid(), ExpungeRule::kAllNamed});
  EXPECT_EQ(rows(Table::kBlobs), 3u);
  must(Expunge{trash, every_uid(), ExpungeRule::kAllNamed});
  EXPECT_EQ(rows(Table::kBlobs), 0u);
  EXPECT_EQ(released.size(), 3u);
}

TEST_F(MessageRequestTest, MovingKeepsUsageAndLeavesTombstones) {
  for (int i = 0; i < 100; ++i) add(inbox, 20, i < 50 ? flag::kSeen : 0);
  const Usage before = usage();
  const std::uint64_t modseq = record(inbox).highest_modseq.value;
  const WriteOutcome outcome = must(CopyMessages{inbox, uids({{11, 90}}), trash, true});
  EXPECT_EQ(outcome.added.size(), 80u);
  EXPECT_EQ(usage().bytes, before.bytes);
  EXPECT_EQ(usage().messages, 100u);
  EXPECT_EQ(record(inbox).messages, 20u);
  EXPECT_EQ(record(inbox).unseen, 10u);
  EXPECT_EQ(record(trash).unseen, 40u);
  EXPECT_EQ(vanished(inbox, modseq), uids({{11, 90}}));
  EXPECT_TRUE(released.empty());
}

TEST_F(MessageRequestTest, CopyIntoTheSameMailboxDoublesOnce) {
  for (int i = 0; i < 60; ++i) add(inbox, 20);
  EXPECT_EQ(must(CopyMessages{inbox, every_uid(), inbox}).added.size(), 60u);
  EXPECT_EQ(record(inbox).messages, 120u);
  EXPECT_EQ(must(CopyMessages{inbox, every_uid(), inbox, true}).added.size(), 120u);
  std::vector<std::uint32_t> expected(120);
  std::iota(expected.begin(), expected.end(), 121);
  EXPECT_EQ(uids_of(inbox), expected);
  EXPECT_EQ(usage().messages, 120u);
}

TEST_F(MessageRequestTest, CopyIsRefusedAsAWhole) {
  const AccountId other = add_user("other@example.org", 1000);
  const MailboxId box = mailbox(other, "INBOX"), target = mailbox(other, "Sent");
  for (int i = 0; i < 3; ++i) add(box, 300);
  EXPECT_EQ(refusal(CopyMessages{box, every_uid(), target}), ErrorKind::kOverQuota);
  EXPECT_EQ(must(CopyMessages{box, every_uid(), target, true}).added.size(), 3u);
  EXPECT_EQ(refusal(CopyMessages{box, every_uid(), MailboxId(999)}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(CopyMessages{MailboxId(999), every_uid(), box}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(CopyMessages{target, every_uid(), inbox}), ErrorKind::kDenied);
  EXPECT_TRUE(must(CopyMessages{box, every_uid(), target}).added.empty());
}

TEST_F(MessageRequestTest, RecentIsClaimedOnce) {
  add(inbox);
  must(ClaimRecent{inbox});
  EXPECT_EQ(record(inbox).recent_from, Uid(2));
  changes = 0;
  must(ClaimRecent{inbox});
  EXPECT_EQ(changes, 0u);
  EXPECT_EQ(refusal(ClaimRecent{MailboxId(999)}), ErrorKind::kNotFound);
}

TEST_F(MessageRequestTest, ReadersFindRangesChangesAndSingleMessages) {
  for (int i = 0; i < 200; ++i) add(inbox, 20);
  must(Expunge{inbox, uids({{50, 60}, {97, 97}}), ExpungeRule::kAllNamed});
  const ModSeq since = record(inbox).highest_modseq;
  must(flags_request(uids({{100, 101}, {199, 199}}), FlagChange::kAdd, flag::kSeen));
  const auto now = snapshot();
  const auto reader = MailboxReader::open(*now, inbox);
  EXPECT_EQ(reader->uids().value(), uids({{1, 49}, {61, 96}, {98, 200}}));
  std::vector<std::uint32_t> found;
  const auto collect = [&found](const MessageRecord& message) {
    found.push_back(message.uid.value);
    return Visit::kContinue;
  };
  EXPECT_TRUE(reader->for_each(Uid(48), Uid(62), collect));
  EXPECT_EQ(found, (std::vector<std::uint32_t>{48, 49, 61, 62}));
  found.clear();
  EXPECT_TRUE(reader->for_each_changed(since, Uid(1), Uid(198), collect));
  EXPECT_EQ(found, (std::vector<std::uint32_t>{100, 101}));
  EXPECT_EQ(reader->message(Uid(98)).value()->uid, Uid(98));
  EXPECT_FALSE(reader->message(Uid(97)).value());
  EXPECT_FALSE(reader->message(Uid(201)).value());
  EXPECT_EQ(MailboxReader::open(*now, MailboxId(999)).error().kind, ErrorKind::kNotFound);
}

TEST_F(MessageRequestTest, TheFirstUnseenMessageIsFoundFromEitherEnd) {
  constexpr std::uint32_t kMessages = 480;  // ten pages
  for (std::uint32_t i = 0; i < kMessages; ++i) add(inbox, 100, flag::kSeen);
  const auto found = [this](std::size_t max_pages) {
    const auto now = snapshot();
    const auto unseen = MailboxReader::open(*now, inbox)->first_unseen(max_pages);
    EXPECT_TRUE(unseen);
    return unseen ? *unseen : std::nullopt;
  };
  const auto unsee = [this](UidSet set) { must(flags_request(std::move(set), FlagChange::kRemove, flag::kSeen)); };
  EXPECT_EQ(found(100), std::nullopt);
  unsee(uids({{240, 240}}));
  EXPECT_EQ(found(100), Uid(240));
  EXPECT_EQ(found(2), std::nullopt);  // too deep from both ends
  unsee(uids({{479, 479}}));
  EXPECT_EQ(found(2), std::nullopt);  // not the first one
  EXPECT_EQ(found(6), Uid(240));
  unsee(uids({{60, 60}}));
  EXPECT_EQ(found(2), Uid(60));
  must(flags_request(uids({{60, 60}, {240, 240}}), FlagChange::kAdd, flag::kSeen));
  EXPECT_EQ(found(1), Uid(479));
}

}  // namespace
}  // namespace posthus::store
