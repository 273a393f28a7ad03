// Grants: who may use whose mailboxes and send in his name, shared accounts, and copies across accounts.
#include "store/grant_reader.h"
#include "store/key.h"
#include "store/record_directory.h"
#include "store/record_grant.h"
#include "store/shared_name.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class GrantTest : public RequestTest {
 protected:
  using enum MailboxAccess;
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    anna_ = add_user("anna@example.org");
    bert_ = add_user("bert@example.org");
    UserRecord info{.address = "info@example.org", .is_shared = true};
    info_ = must(PutUser{info, PutRule::kCreate}).account;
  }
  static PutGrant grant(AccountId owner, AccountId delegate, MailboxAccess access, bool may_send = false) {
    return PutGrant{{.owner = owner, .delegate = delegate, .access = access, .may_send = may_send, .created = {}}};
  }
  bool may_send(AccountId account, std::string local) {
    return DirectoryReader(*snapshot()).may_send_as(account, {std::move(local), "example.org"}).value();
  }
  std::size_t subscriptions(AccountId account) { return list_subscriptions(*snapshot(), account).value().size(); }
  UserRecord user(AccountId account) { return DirectoryReader(*snapshot()).user(account).value().value(); }
  AccountId anna_, bert_, info_;
};

TEST_F(GrantTest, IsSeenFromBothSides) {
  must(grant(info_, anna_, kFull, true));
  must(grant(info_, bert_, kRead));
  const auto now = snapshot();
  const GrantReader reader(*now);
  const auto delegates = reader.of_owner(info_).value();
  ASSERT_EQ(delegates.size(), 2u);
  EXPECT_EQ(delegates[0].delegate, anna_);
  EXPECT_EQ(delegates[0].access, kFull);
  EXPECT_TRUE(delegates[0].may_send);
  EXPECT_EQ(delegates[0].created, clock.now());
  EXPECT_EQ(delegates[1].access, kRead);
  const auto owners = reader.of_delegate(bert_).value();
  ASSERT_EQ(owners.size(), 1u);
  EXPECT_EQ(owners[0].owner, info_);
  EXPECT_FALSE(reader.grant(anna_, info_).value()) << "not the other way round";
}

TEST_F(GrantTest, ChangesAndGoes) {
  must(grant(anna_, bert_, kRead));
  EXPECT_EQ(subscriptions(bert_), 12u) << "his own six, and hers";
  must(grant(anna_, bert_, kNone, true));
  EXPECT_EQ(GrantReader(*snapshot()).grant(anna_, bert_).value()->access, kNone);
  must(RemoveGrant{anna_, bert_});
  EXPECT_EQ(subscriptions(bert_), 6u);
  EXPECT_EQ(rows(Table::kGrants), 0u);
  EXPECT_EQ(rows(Table::kDelegations), 0u);
  EXPECT_EQ(refusal(RemoveGrant{anna_, bert_}), ErrorKind::kNotFound);
}

TEST_F(GrantTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(grant(anna_, anna_, kFull)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(grant(anna_, bert_, kNone)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(grant(anna_, info_, kFull)), ErrorKind::kInvalid) << "nobody signs in there";
  EXPECT_EQ(refusal(grant(anna_, AccountId(99), kFull)), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(grant(AccountId(99), anna_, kFull)), ErrorKind::kNotFound);
}

TEST_F(GrantTest, HasALimitOnEitherSide) {
  for (std::size_t i = 0; i < kMaxGrants; ++i) must(grant(info_, add_user(std::to_string(i) + "@example.org"), kRead));
  EXPECT_EQ(refusal(grant(info_, anna_, kRead)), ErrorKind::kTooLarge);
  for (std::size_t i = 0; i < kMaxGrants; ++i) {
    must(grant(DirectoryReader(*snapshot()).user(std::to_string(i) + "@example.org").value()->account, anna_, kRead));
  }
  EXPECT_EQ(refusal(grant(bert_, anna_, kRead)), ErrorKind::kTooLarge);
}

TEST_F(GrantTest, SendingIsGrantedApart) {
  must(PutAlias{{.address = "sales@example.org", .targets = {"info@example.org"}, .created = {}}, PutRule::kCreate});
  must(grant(info_, anna_, kFull, false));
  EXPECT_FALSE(may_send(anna_, "info"));
  must(grant(info_, anna_, kFull, true));
  EXPECT_TRUE(may_send(anna_, "info"));
  EXPECT_TRUE(may_send(anna_, "info+summer"));
  EXPECT_TRUE(may_send(anna_, "sales")) << "an alias of the shared mailbox";
  EXPECT_TRUE(may_send(anna_, "anna"));
  EXPECT_FALSE(may_send(anna_, "bert"));
  EXPECT_FALSE(may_send(bert_, "info"));
  EXPECT_FALSE(DirectoryReader(*snapshot()).is_address_of(anna_, {"info", "example.org"}).value());
  must(grant(bert_, anna_, kNone, true));
  EXPECT_TRUE(may_send(anna_, "bert"));
  UserRecord info = user(info_);
  info.is_disabled = true;
  must(PutUser{info, PutRule::kReplace});
  EXPECT_FALSE(may_send(anna_, "info")) << "nobody sends as who is disabled";
}

TEST_F(GrantTest, GoesWithEitherUser) {
  must(grant(info_, anna_, kFull));
  must(grant(info_, bert_, kFull));
  must(grant(anna_, bert_, kFull));
  must(RemoveUser{"anna@example.org"});
  EXPECT_EQ(rows(Table::kGrants), 1u);
  EXPECT_EQ(rows(Table::kDelegations), 1u);
  EXPECT_EQ(subscriptions(bert_), 12u) << "those of info are left";
  must(RemoveUser{"info@example.org"});
  EXPECT_EQ(rows(Table::kGrants), 0u);
  EXPECT_EQ(rows(Table::kDelegations), 0u);
  EXPECT_EQ(subscriptions(bert_), 6u);
}

TEST_F(GrantTest, ASharedAccountHasNothingToSignInWith) {
  EXPECT_TRUE(user(info_).is_shared);
  UserRecord with_password{.address = "x@example.org", .password_hash = "hash", .is_shared = true};
  EXPECT_EQ(refusal(PutUser{with_password, PutRule::kCreate}), ErrorKind::kInvalid);
  UserRecord admin{.address = "x@example.org", .role = Role::kServerAdmin, .is_shared = true};
  EXPECT_EQ(refusal(PutUser{admin, PutRule::kCreate}), ErrorKind::kInvalid);
  must(grant(info_, anna_, kFull));
  must(PutAppPassword{{.account = anna_, .id = "1", .name = "phone", .secret_hash = std::string(32, 'x')}});
  UserRecord anna = user(anna_);
  anna.is_shared = true;
  must(PutUser{anna, PutRule::kReplace});
  EXPECT_EQ(rows(Table::kAppPasswords), 0u);
  EXPECT_EQ(rows(Table::kGrants), 0u) << "what was granted to her";
  const auto again = decode_user_record(encode_user_record(user(anna_)));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_shared);
}

TEST_F(GrantTest, MessagesGoAcrossAccountsOnlyWhenAsked) {
  const MailboxId inbox = mailbox(anna_, "INBOX"), there = mailbox(info_, "INBOX");
  add(inbox, 500, flag::kFlagged, {"work"});
  add(inbox, 300);
  const store::UidSet all{{Uid{1}, Uid{2}}};
  EXPECT_EQ(refusal(CopyMessages{inbox, all, there}), ErrorKind::kDenied);
  const auto usage = [this](AccountId account) { return DirectoryReader(*snapshot()).usage(account).value(); };
  const std::uint64_t bytes = usage(anna_).bytes;
  must(CopyMessages{.source = inbox, .uids = all, .destination = there, .reach = CopyReach::kAcrossAccounts});
  EXPECT_EQ(usage(info_).bytes, bytes);
  EXPECT_EQ(usage(info_).messages, 2u);
  EXPECT_EQ(usage(anna_).bytes, bytes);
  must(CopyMessages{
      .source = there, .uids = {{Uid{1}, Uid{1}}}, .destination = inbox, .is_move = true, .reach = CopyReach::kAcrossAccounts});
  EXPECT_EQ(usage(info_).messages, 1u);
  EXPECT_EQ(usage(anna_).messages, 3u);
  EXPECT_EQ(usage(anna_).bytes + usage(info_).bytes, 2 * bytes) << "what left one came to the other";
  const auto reader = MailboxReader::open(*snapshot(), inbox);
  EXPECT_EQ(reader->record().messages, 3u);
}

TEST_F(GrantTest, TheQuotaIsTheOwners) {
  UserRecord info = user(info_);
  info.quota_bytes = 600;
  must(PutUser{info, PutRule::kReplace});
  const MailboxId inbox = mailbox(anna_, "INBOX"), there = mailbox(info_, "INBOX");
  add(inbox, 500);
  add(inbox, 500);
  for (const bool is_move : {false, true}) {
    EXPECT_EQ(refusal(CopyMessages{.source = inbox,
                                   .uids = {{Uid{1}, Uid{2}}},
                                   .destination = there,
                                   .is_move = is_move,
                                   .reach = CopyReach::kAcrossAccounts}),
              ErrorKind::kOverQuota);
  }
  must(CopyMessages{
      .source = inbox, .uids = {{Uid{1}, Uid{1}}}, .destination = there, .is_move = true, .reach = CopyReach::kAcrossAccounts});
}

TEST(SharedName, BelongsToSomebodyElse) {
  EXPECT_EQ(shared_name("info@example.org", "INBOX"), "Shared/info@example.org/INBOX");
  const auto name = parse_shared_name("Shared/info@example.org/Work/Old");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->owner_address, "info@example.org");
  EXPECT_EQ(name->mailbox, "Work/Old");
  EXPECT_EQ(parse_shared_name("Shared/info@example.org")->mailbox, "");
  for (const char* own : {"Shared", "Shared/", "Shared/holidays", "Shared/holidays/a@b", "shared/info@example.org", "INBOX"}) {
    EXPECT_FALSE(parse_shared_name(own)) << own;
  }
}

TEST(GrantRecord, IsReadBackOrRefused) {
  const std::string bytes = encode_grant({AccountId(1), AccountId(2), MailboxAccess::kRead, true, Timestamp{5}});
  const auto grant = decode_grant(bytes);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->owner, AccountId(1));
  EXPECT_EQ(grant->delegate, AccountId(2));
  EXPECT_EQ(grant->access, MailboxAccess::kRead);
  EXPECT_TRUE(grant->may_send);
  EXPECT_EQ(grant->created, Timestamp{5});
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_grant(std::string_view(bytes).substr(0, size)));
  std::string unknown = bytes;
  unknown[9] = 3;
  EXPECT_FALSE(decode_grant(unknown)) << "no such access";
}

}  // namespace
}  // namespace posthus::store
