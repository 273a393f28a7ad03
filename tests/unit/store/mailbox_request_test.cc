// CreateMailbox, DeleteMailbox, RenameMailbox, SetSubscription and the lists of them.
#include <algorithm>

#include "store/key.h"
#include "store/mailbox_lifecycle.h"
#include "store/mailbox_name.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class MailboxRequestTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    account = add_user("anna@example.org");
    inbox = mailbox(account, "INBOX");
  }
  MailboxId create(std::string name) { return must(CreateMailbox{account, std::move(name)}).mailbox; }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const MailboxListing& listing : list_mailboxes(*snapshot(), account).value()) {
      found.push_back(listing.record.name + (listing.has_children ? "+" : ""));
    }
    return found;
  }

  AccountId account;
  MailboxId inbox;
};

TEST_F(MailboxRequestTest, MissingSuperiorsAreMade) {
  create("Inbox/Lists/C++");
  create("work-a");
  create("work/b");
  EXPECT_EQ(names(), (std::vector<std::string>{"INBOX+", "Archive", "Drafts", "INBOX/Lists+", "INBOX/Lists/C++", "Junk", "Sent",
                                               "Trash", "work+", "work-a", "work/b"}));
  EXPECT_EQ(mailbox(account, "iNbOx/Lists"), mailbox(account, "INBOX/Lists"));
  EXPECT_EQ(mailbox(account, "inbox"), inbox);
  EXPECT_EQ(mailbox(account, "WORK"), MailboxId(0));
  EXPECT_EQ(record(mailbox(account, "work")).name, "work");
}

TEST_F(MailboxRequestTest, NamesFollowTheRules) {
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("a\x01"), std::string("a\x7f"),
        std::string("\xff"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"), std::string("a\xc2\x85"),
        std::string("\xe2\x80\xa8"), std::string("\xf0\x9f"), std::string("a\0b", 3), std::string(kMaxMailboxName + 1, 'a')}) {
    EXPECT_EQ(refusal(CreateMailbox{account, name}), ErrorKind::kInvalid) << name;
  }
  create("Grüße \xf0\x9f\x93\xa7 & * %");
  create(std::string(kMaxMailboxName, 'a'));
  EXPECT_EQ(refusal(CreateMailbox{account, "inBox"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(CreateMailbox{account, "Trash"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(CreateMailbox{AccountId(99), "x"}), ErrorKind::kNotFound);
  EXPECT_EQ(find_mailbox(*snapshot(), account, std::string(5000, 'a')).value(), std::nullopt);
}

TEST_F(MailboxRequestTest, ANameMadeAgainHasAnotherUidValidity) {
  const WriteOutcome first = must(CreateMailbox{account, "a", SpecialUse::kJunk});
  EXPECT_EQ(record(first.mailbox).special_use, SpecialUse::kJunk);
  must(DeleteMailbox{account, "a"});
  const WriteOutcome second = must(CreateMailbox{account, "a"});
  EXPECT_GT(second.uid_validity, first.uid_validity);
  EXPECT_NE(second.mailbox, first.mailbox);
  clock.set(Timestamp::from_seconds(5));  // the clock went back
  must(DeleteMailbox{account, "a"});
  EXPECT_GT(must(CreateMailbox{account, "a"}).uid_validity, second.uid_validity);
}

TEST_F(MailboxRequestTest, AnAccountHasALimitOfMailboxes) {
  for (std::size_t i = 6; i < kMaxMailboxesPerAccount; ++i) create("m" + std::to_string(i));
  EXPECT_EQ(refusal(CreateMailbox{account, "one-more"}), ErrorKind::kTooLarge);
}

TEST_F(MailboxRequestTest, DeletingTakesMessagesAndEverythingOfTheMailbox) {
  const std::size_t mailboxes = rows(Table::kMailboxes);
  const MailboxId box = create("a");
  constexpr std::size_t kMessages = kSliceMessages + 100;
  for (std::size_t i = 0; i < kMessages; ++i) add(box, 20, 0, {"k"});
  must(CopyMessages{box, uids({{1, 5}}), inbox});
  must(Expunge{box, uids({{7, 7}}), ExpungeRule::kAllNamed});
  released.clear();
  must(DeleteMailbox{account, "a"});
  EXPECT_GE(slices, 2u);
  EXPECT_EQ(rows(Table::kMailboxes), mailboxes);
  EXPECT_EQ(rows(Table::kMailboxNames), mailboxes);
  EXPECT_EQ(rows(Table::kKeywords), 1u);  // INBOX has its own
  EXPECT_EQ(rows(Table::kExpunged), 0u);
  EXPECT_EQ(rows(Table::kBlobs), 5u);
  EXPECT_EQ(rows(Table::kMessages), 1u);
  EXPECT_EQ(released.size(), kMessages - 6);
  EXPECT_EQ(DirectoryReader(*snapshot()).usage(account).value().messages, 5u);
  EXPECT_EQ(MailboxReader::open(*snapshot(), box).error().kind, ErrorKind::kNotFound);
}

TEST_F(MailboxRequestTest, AMailboxMadeAnewDuringADeletionStays) {
  const MailboxId box = create("a");
  for (std::size_t i = 0; i < kSliceMessages + 100; ++i) add(box, 20);
  std::optional<SliceProgress> progress;
  const WriteRequest request = DeleteMailbox{account, "a"};
  ASSERT_TRUE(run_slice(request, progress));
  ASSERT_TRUE(progress);
  must(DeleteMailbox{account, "a"});
  const MailboxId again = create("a");
  add(again);
  ASSERT_TRUE(run_slice(request, progress));
  EXPECT_FALSE(progress);
  EXPECT_EQ(record(again).messages, 1u);
}

TEST_F(MailboxRequestTest, SomeMailboxesAreNotDeleted) {
  create("a/b");
  EXPECT_EQ(refusal(DeleteMailbox{account, "Inbox"}), ErrorKind::kDenied);
  EXPECT_EQ(refusal(DeleteMailbox{account, "a"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(DeleteMailbox{account, "none"}), ErrorKind::kNotFound);
  must(DeleteMailbox{account, "a/b"});
  must(DeleteMailbox{account, "a"});
}

TEST_F(MailboxRequestTest, RenamingTakesInferiorsAlong) {
  const MailboxId a = create("a"), b = create("a/b"), c = create("a/b/c"), similar = create("ab");
  const std::uint32_t validity = record(b).uid_validity;
  add(b);
  must(RenameMailbox{account, "a", "x/y"});
  EXPECT_EQ(mailbox(account, "x/y"), a);
  EXPECT_EQ(mailbox(account, "x/y/b"), b);
  EXPECT_EQ(mailbox(account, "x/y/b/c"), c);
  EXPECT_EQ(mailbox(account, "ab"), similar);
  EXPECT_EQ(mailbox(account, "a"), MailboxId(0));
  EXPECT_EQ(record(b).name, "x/y/b");
  EXPECT_EQ(record(b).uid_validity, validity);
  EXPECT_EQ(record(b).messages, 1u);
}

TEST_F(MailboxRequestTest, SomeRenamesAreRefused) {
  create("a/b");
  create("long/" + std::string(100, 'l'));
  EXPECT_EQ(refusal(RenameMailbox{account, "none", "x"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RenameMailbox{account, "a", "Trash"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameMailbox{account, "a", "a"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameMailbox{account, "a", "a/c"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RenameMailbox{account, "a", "inbox"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameMailbox{account, "a", "x//y"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RenameMailbox{account, "long", std::string(100, 'm')}), ErrorKind::kInvalid);
}

TEST_F(MailboxRequestTest, RenamingInboxMovesItsMessagesAndLeavesItEmpty) {
  create("INBOX/sub");
  for (int i = 0; i < 3; ++i) add(inbox, 100, flag::kSeen, {"k"});
  const WriteOutcome outcome = must(RenameMailbox{account, "inbox", "old/mail"});
  EXPECT_EQ(mailbox(account, "INBOX"), inbox);
  EXPECT_EQ(record(inbox).messages, 0u);
  EXPECT_EQ(record(outcome.mailbox).messages, 3u);
  EXPECT_EQ(record(outcome.mailbox).name, "old/mail");
  EXPECT_NE(mailbox(account, "INBOX/sub"), MailboxId(0));
  EXPECT_EQ(add(inbox), Uid(4));
}

TEST_F(MailboxRequestTest, SubscriptionsMayNameWhatDoesNotExist) {
  must(SetSubscription{account, "inbox/none"});
  must(SetSubscription{account, "inbox/none"});
  auto subscribed = list_subscriptions(*snapshot(), account).value();
  EXPECT_EQ(subscribed.size(), 7u);
  EXPECT_NE(std::ranges::find(subscribed, "INBOX/none"), subscribed.end());
  must(SetSubscription{account, "INBOX/none", false});
  must(SetSubscription{account, "never", false});
  EXPECT_EQ(list_subscriptions(*snapshot(), account).value().size(), 6u);
  EXPECT_EQ(refusal(SetSubscription{account, "a//b"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(SetSubscription{AccountId(99), "a"}), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace posthus::store
