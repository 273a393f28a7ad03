// Domains, users, aliases and tokens: requests, refusals, and what recipients resolve to.
#include "store/key.h"
#include "store/pending_removals.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class DirectoryTest : public RequestTest {
 protected:
  void SetUp() override { must(PutDomain{{.name = "Example.ORG"}, PutRule::kCreate}); }
  Resolution resolve(std::string local, std::string domain = "example.org", std::uint64_t size = 0) {
    return DirectoryReader(*snapshot()).resolve({std::move(local), std::move(domain)}, size).value();
  }
  void alias(std::string address, std::vector<std::string> targets) {
    must(PutAlias{{.address = std::move(address), .targets = std::move(targets), .created = {}}, PutRule::kCreate});
  }
  bool may_send(AccountId account, std::string local, std::string domain = "example.org") {
    return DirectoryReader(*snapshot()).may_send_as(account, {std::move(local), std::move(domain)}).value();
  }
  MailboxId inbox(AccountId account) { return mailbox(account, "INBOX"); }
};
using Kind = Resolution::Kind;

TEST_F(DirectoryTest, DomainsAreNormalisedAndUnique) {
  const auto now = snapshot();
  const auto domain = DirectoryReader(*now).domain("example.org").value();
  ASSERT_TRUE(domain);
  EXPECT_EQ(domain->name, "example.org");
  EXPECT_EQ(domain->created, clock.now());
  EXPECT_EQ(refusal(PutDomain{{.name = "EXAMPLE.org."}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutDomain{{.name = "example.net"}, PutRule::kReplace}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutDomain{{.name = "no domain"}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RemoveDomain{"example.net"}), ErrorKind::kNotFound);
  must(RemoveDomain{"example.org"});
  EXPECT_EQ(rows(Table::kDomains), 0u);
}

TEST_F(DirectoryTest, ANewUserHasSixSubscribedMailboxes) {
  const AccountId account = add_user("Anna@Example.org");
  const auto now = snapshot();
  const auto user = DirectoryReader(*now).user("ANNA@example.ORG").value();
  ASSERT_TRUE(user);
  EXPECT_EQ(user->account, account);
  EXPECT_EQ(user->address, "anna@example.org");
  const auto listings = list_mailboxes(*now, account).value();
  ASSERT_EQ(listings.size(), 6u);
  EXPECT_EQ(listings[0].record.name, "INBOX");
  EXPECT_EQ(listings[0].record.mailbox, user->inbox);
  const std::vector<std::pair<std::string, SpecialUse>> expected{
      {"INBOX", SpecialUse::kNone}, {"Archive", SpecialUse::kArchive}, {"Drafts", SpecialUse::kDrafts},
      {"Junk", SpecialUse::kJunk},  {"Sent", SpecialUse::kSent},       {"Trash", SpecialUse::kTrash}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(listings[i].record.name, expected[i].first);
    EXPECT_EQ(listings[i].record.special_use, expected[i].second);
    EXPECT_NE(listings[i].record.uid_validity, 0u);
    EXPECT_FALSE(listings[i].has_children);
  }
  EXPECT_EQ(list_subscriptions(*now, account).value().size(), 6u);
  EXPECT_EQ(list_subscriptions(*now, account).value()[0], "INBOX");
}

TEST_F(DirectoryTest, AnAddressBelongsToOneUserOrAlias) {
  add_user("anna@example.org");
  alias("info@example.org", {"anna@example.org"});
  EXPECT_EQ(refusal(PutUser{{.address = "ANNA@example.org"}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutUser{{.address = "Info@example.org"}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutAlias{{"anna@example.org", {"x@y.test"}, {}}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutAlias{{"info@example.org", {"x@y.test"}, {}}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutAlias{{"sales@example.org", {"x@y.test"}, {}}, PutRule::kReplace}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutUser{{.address = "x@elsewhere.test"}, PutRule::kCreate}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutAlias{{"x@elsewhere.test", {"x@y.test"}, {}}, PutRule::kCreate}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutUser{{.address = "@example.org"}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutUser{{.address = "\"\"@example.org"}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutUser{{.address = "b@example.org", .password_hash = std::string(4000, 'h')}, PutRule::kCreate}),
            ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(RemoveDomain{"example.org"}), ErrorKind::kExists);
}

TEST_F(DirectoryTest, ReplacingAUserKeepsAccountInboxAndCreation) {
  add_user("anna@example.org");
  UserRecord user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
  const UserRecord before = user;
  clock.advance(1'000'000);
  user.quota_bytes = 77;
  user.created = clock.now();
  must(PutUser{user, PutRule::kReplace});
  const UserRecord after = *DirectoryReader(*snapshot()).user(before.account).value();
  EXPECT_EQ(after.quota_bytes, 77u);
  EXPECT_EQ(after.created, before.created);
  user.account = AccountId(99);
  EXPECT_EQ(refusal(PutUser{user, PutRule::kReplace}), ErrorKind::kInvalid);
  user = before;
  user.inbox = MailboxId(99);
  EXPECT_EQ(refusal(PutUser{user, PutRule::kReplace}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutUser{{.address = "b@example.org"}, PutRule::kReplace}), ErrorKind::kNotFound);
}

TEST_F(DirectoryTest, AliasTargetsAreNormalisedDistinctAndBounded) {
  alias("info@example.org", {"Anna@EXAMPLE.org", "anna@example.org", "B@x.TEST"});
  const auto read = DirectoryReader(*snapshot()).alias("INFO@example.org").value();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->targets, (std::vector<std::string>{"Anna@example.org", "B@x.test"}));
  EXPECT_EQ(refusal(PutAlias{{"a@example.org", {}, {}}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutAlias{{"a@example.org", {"nonsense"}, {}}, PutRule::kCreate}), ErrorKind::kInvalid);
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kMaxAliasTargets; ++i)
    many.push_back("user" + std::to_string(i) + "@long-domain-name.example.test");
  alias("all@example.org", many);
  EXPECT_EQ(DirectoryReader(*snapshot()).alias("all@example.org").value()->targets, many);
  EXPECT_GT(rows(Table::kAliases), 10u);
  must(PutAlias{{"all@example.org", {"a@b.test"}, {}}, PutRule::kReplace});
  EXPECT_EQ(rows(Table::kAliases), 2u);
  many.push_back("one@more.test");
  EXPECT_EQ(refusal(PutAlias{{"a@example.org", many, {}}, PutRule::kCreate}), ErrorKind::kTooLarge);
  must(RemoveAlias{"all@example.org"});
  EXPECT_EQ(refusal(RemoveAlias{"all@example.org"}), ErrorKind::kNotFound);
  EXPECT_EQ(rows(Table::kAliases), 1u);
}

TEST_F(DirectoryTest, TokensComeAndGo) {
  must(PutToken{{.id = "one", .name = "n", .secret_hash = "h", .scopes = {"admin"}}});
  EXPECT_EQ(DirectoryReader(*snapshot()).token("one").value()->scopes, std::vector<std::string>{"admin"});
  EXPECT_EQ(DirectoryReader(*snapshot()).token("one").value()->created, clock.now());
  EXPECT_FALSE(DirectoryReader(*snapshot()).token("two").value());
  EXPECT_EQ(refusal(PutToken{{.id = ""}}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutToken{{.id = "x", .name = std::string(3000, 'n')}}), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(RemoveToken{"two"}), ErrorKind::kNotFound);
  must(RemoveToken{"one"});
  EXPECT_EQ(rows(Table::kTokens), 0u);
}

TEST_F(DirectoryTest, RecipientsAreFoundExactlyThenWithoutDetailThenByCatchAll) {
  const AccountId anna = add_user("anna@example.org"), detail = add_user("anna+vip@example.org"),
                  rest = add_user("rest@example.org");
  alias("info+x@example.org", {"anna@example.org"});
  alias("info@example.org", {"rest@example.org"});
  EXPECT_EQ(resolve("ANNA").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("anna+shop").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("anna+vip").inboxes, std::vector{inbox(detail)});
  EXPECT_EQ(resolve("info+x").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("info+y").inboxes, std::vector{inbox(rest)});
  EXPECT_EQ(resolve("nobody").kind, Kind::kNoSuchUser);
  EXPECT_EQ(resolve("anna", "example.net").kind, Kind::kNoSuchDomain);
  alias("@example.org", {"rest@example.org"});
  EXPECT_EQ(resolve("nobody").inboxes, std::vector{inbox(rest)});
  EXPECT_EQ(resolve("anna").inboxes, std::vector{inbox(anna)});
}

TEST_F(DirectoryTest, PostmasterAlwaysResolves) {
  EXPECT_EQ(resolve("postmaster").kind, Kind::kNoSuchUser);  // nobody at all to take it
  const AccountId plain = add_user("anna@example.org");
  const AccountId admin = add_user("admin@example.org", 0, Role::kServerAdmin);
  add_user("second@example.org", 0, Role::kServerAdmin);
  alias("@example.org", {"anna@example.org"});
  EXPECT_EQ(resolve("PostMaster").inboxes, std::vector{inbox(admin)});
  EXPECT_EQ(resolve("postmaster", "").inboxes, std::vector{inbox(admin)});
  EXPECT_EQ(resolve("postmaster", "example.net").kind, Kind::kNoSuchDomain);
  alias("postmaster@example.org", {"anna@example.org"});
  EXPECT_EQ(resolve("postmaster").inboxes, std::vector{inbox(plain)});
  UserRecord user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
  user.is_disabled = true;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(resolve("postmaster").inboxes, std::vector{inbox(admin)});
  user = *DirectoryReader(*snapshot()).user("admin@example.org").value();
  user.role = Role::kUser;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(resolve("postmaster", "").inboxes, std::vector{mailbox(AccountId(3), "INBOX")});
}

TEST_F(DirectoryTest, WithoutAnAdminTheOldestUserIsPostmaster) {
  const AccountId oldest = add_user("anna@example.org");
  const AccountId next = add_user("bert@example.org");
  EXPECT_EQ(resolve("postmaster").inboxes, std::vector{inbox(oldest)});
  EXPECT_EQ(resolve("Postmaster", "").inboxes, std::vector{inbox(oldest)});
  UserRecord user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
  user.is_disabled = true;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(resolve("postmaster").inboxes, std::vector{inbox(next)});
}

TEST_F(DirectoryTest, AnAddressOfTheServerBelongsToItsOnlyDomain) {
  const AccountId anna = add_user("anna@example.org");
  EXPECT_EQ(resolve("anna", "").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("bert", "").kind, Kind::kNoSuchUser);
  must(PutDomain{.domain = {.name = "example.net"}});
  EXPECT_EQ(resolve("anna", "").kind, Kind::kNoSuchDomain);
}

TEST_F(DirectoryTest, AliasesAreFollowedOnceAndNotTooDeep) {
  const AccountId anna = add_user("anna@example.org"), bert = add_user("bert@example.org");
  alias("a@example.org", {"anna@example.org", "b@example.org"});
  alias("b@example.org", {"a@example.org", "bert@example.org", "anna+x@example.org", "Far@away.test"});
  const Resolution both = resolve("a");
  EXPECT_EQ(both.kind, Kind::kRemoteAlias);
  EXPECT_EQ(both.inboxes, (std::vector{inbox(anna), inbox(bert)}));
  EXPECT_EQ(both.remote_targets, std::vector<std::string>{"Far@away.test"});
  EXPECT_EQ(both.forwarder, "a@example.org") << "the recipient's address, not what it leads to";
  alias("loop1@example.org", {"loop2@example.org"});
  alias("loop2@example.org", {"loop1@example.org"});
  EXPECT_EQ(resolve("loop1").kind, Kind::kAliasLoop);
  for (int i = 0; i < kMaxAliasDepth + 1; ++i) {
    alias("deep" + std::to_string(i) + "@example.org", {"deep" + std::to_string(i + 1) + "@example.org"});
  }
  add_user("deep" + std::to_string(kMaxAliasDepth + 1) + "@example.org");
  EXPECT_EQ(resolve("deep0").kind, Kind::kAliasLoop);
  EXPECT_EQ(resolve("deep1").kind, Kind::kLocal);
}

TEST_F(DirectoryTest, UsersForwardWithAndWithoutACopy) {
  const AccountId anna = add_user("anna@example.org");
  add_user("bert@example.org");
  const auto forward = [this](std::string address, std::vector<std::string> to, bool keeps_copy) {
    UserRecord user = *DirectoryReader(*snapshot()).user(address).value();
    user.forward_to = std::move(to);
    user.keeps_copy = keeps_copy;
    must(PutUser{user, PutRule::kReplace});
  };
  forward("anna@example.org", {"Anna@AWAY.test", "anna@away.TEST"}, true);
  Resolution there = resolve("anna");
  EXPECT_EQ(there.kind, Kind::kRemoteAlias);
  EXPECT_EQ(there.inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(there.remote_targets, std::vector<std::string>{"Anna@away.test"});
  forward("anna@example.org", {"anna@away.test"}, false);
  EXPECT_TRUE(resolve("anna+x").inboxes.empty());
  EXPECT_EQ(resolve("anna+x").forwarder, "anna@example.org");
  alias("@example.org", {"all@away.test"});
  EXPECT_EQ(resolve("anything").forwarder, "@example.org");
  forward("bert@example.org", {"anna@example.org", "bert@example.org"}, false);
  there = resolve("bert");
  EXPECT_EQ(there.remote_targets, std::vector<std::string>{"anna@away.test"});
  EXPECT_TRUE(there.inboxes.empty());
  forward("anna@example.org", {"bert@example.org"}, false);
  EXPECT_EQ(resolve("bert").kind, Kind::kAliasLoop);
  forward("anna@example.org", {"bert@example.org"}, true);
  EXPECT_EQ(resolve("bert").inboxes, std::vector{inbox(anna)});
  UserRecord user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
  user.forward_to = {"no address"};
  EXPECT_EQ(refusal(PutUser{user, PutRule::kReplace}), ErrorKind::kInvalid);
  user.forward_to.clear();
  for (std::size_t i = 0; i <= kMaxForwards; ++i) user.forward_to.push_back(std::to_string(i) + "@b.test");
  EXPECT_EQ(refusal(PutUser{user, PutRule::kReplace}), ErrorKind::kTooLarge);
}

TEST_F(DirectoryTest, RelayDomainsHaveTheirMailboxesElsewhere) {
  must(PutDomain{{.name = "branch.test", .kind = DomainKind::kRelay, .checks_recipients = true}, PutRule::kCreate});
  EXPECT_EQ(resolve("anybody", "branch.test").kind, Kind::kRelay);
  EXPECT_TRUE(resolve("anybody", "branch.test").checks_recipients);
  EXPECT_EQ(resolve("Postmaster", "branch.test").kind, Kind::kRelay);
  EXPECT_FALSE(resolve("Postmaster", "branch.test").checks_recipients);
  alias("out@example.org", {"x@branch.test"});
  EXPECT_EQ(resolve("out").remote_targets, std::vector<std::string>{"x@branch.test"});
  EXPECT_TRUE(resolve("out").checks_recipients) << "the alias stands for that address alone";
  alias("master@example.org", {"postmaster@branch.test"});
  EXPECT_FALSE(resolve("master").checks_recipients);
  const AccountId anna = add_user("anna@example.org", 1000);
  alias("two@example.org", {"x@branch.test", "anna@example.org"});
  EXPECT_FALSE(resolve("two").checks_recipients);
  add(inbox(anna), 1000);
  EXPECT_FALSE(resolve("two").checks_recipients) << "anna's copy waits";
  alias("three@example.org", {"x@branch.test", "y@branch.test"});
  EXPECT_FALSE(resolve("three").checks_recipients);
  EXPECT_EQ(refusal(PutUser{{.address = "a@branch.test"}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutAlias{{"a@branch.test", {"x@y.test"}, {}}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutDomain{{.name = "example.org", .kind = DomainKind::kRelay}, PutRule::kReplace}), ErrorKind::kExists);
  must(PutDomain{{.name = "branch.test", .is_disabled = true, .kind = DomainKind::kRelay}, PutRule::kReplace});
  EXPECT_EQ(resolve("anybody", "branch.test").kind, Kind::kDisabled);
  must(RemoveDomain{"branch.test"});
}

TEST_F(DirectoryTest, DisabledAndFullRecipientsAreTold) {
  const AccountId anna = add_user("anna@example.org", 1000);
  EXPECT_EQ(resolve("anna", "example.org", 1000).kind, Kind::kLocal);
  EXPECT_EQ(resolve("anna", "example.org", 1001).kind, Kind::kOverQuota);
  add(inbox(anna), 1000);
  EXPECT_EQ(resolve("anna").kind, Kind::kOverQuota);
  add_user("bert@example.org");
  UserRecord bert = *DirectoryReader(*snapshot()).user("bert@example.org").value();
  bert.is_disabled = true;
  must(PutUser{bert, PutRule::kReplace});
  EXPECT_EQ(resolve("bert").kind, Kind::kDisabled);
  const AccountId carl = add_user("carl@example.org");
  alias("all@example.org", {"anna@example.org", "bert@example.org", "carl@example.org", "gone@example.org"});
  const Resolution all = resolve("all");
  EXPECT_EQ(all.kind, Kind::kLocal);
  EXPECT_EQ(all.inboxes, std::vector{inbox(carl)});
  EXPECT_EQ(all.full_members, std::vector<std::string>{"anna@example.org"}) << "her copy waits for room";
  ASSERT_EQ(all.skipped.size(), 2u);
  EXPECT_EQ(all.skipped[0].address, "bert@example.org");
  EXPECT_EQ(to_string(all.skipped[0].reason), "disabled");
  EXPECT_EQ(all.skipped[1].address, "gone@example.org");
  EXPECT_EQ(to_string(all.skipped[1].reason), "unknown");
  alias("few@example.org", {"anna@example.org", "bert@example.org"});
  EXPECT_EQ(resolve("few").kind, Kind::kOverQuota) << "nobody is left";
  EXPECT_TRUE(resolve("few").full_members.empty());
  EXPECT_TRUE(DirectoryReader(*snapshot()).resolve({"all", "example.org"}, 0, QuotaCheck::kNone).value().full_members.empty());
  must(PutDomain{{.name = "example.org", .is_disabled = true}, PutRule::kReplace});
  EXPECT_EQ(resolve("carl").kind, Kind::kDisabled);
}

TEST_F(DirectoryTest, WhoForwardsIsAskedAgainWhenHisCopyHasNoRoom) {
  const AccountId anna = add_user("anna@example.org", 1000), carl = add_user("carl@example.org");
  const auto forward = [this](bool keeps_copy) {
    UserRecord user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
    user.forward_to = {"anna@away.test"};
    user.keeps_copy = keeps_copy;
    must(PutUser{user, PutRule::kReplace});
  };
  add(inbox(anna), 1000);
  forward(true);
  EXPECT_EQ(resolve("anna").kind, Kind::kOverQuota) << "rather than a copy elsewhere and none here";
  EXPECT_EQ(resolve("anna+x").kind, Kind::kOverQuota);
  alias("all@example.org", {"anna@example.org", "also@example.org", "carl@example.org"});
  alias("also@example.org", {"anna+x@example.org"});
  const Resolution all = resolve("all");
  EXPECT_EQ(all.kind, Kind::kLocal) << "what she forwards waits for her own recipient";
  EXPECT_EQ(all.inboxes, std::vector{inbox(carl)});
  EXPECT_EQ(all.full_members, std::vector<std::string>{"anna@example.org"});
  UserRecord user = *DirectoryReader(*snapshot()).user("carl@example.org").value();
  user.forward_to = {"anna@example.org"};
  user.keeps_copy = false;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(resolve("carl").kind, Kind::kOverQuota) << "he keeps nothing";
  user.keeps_copy = true;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(resolve("carl").inboxes, std::vector{inbox(carl)});
  EXPECT_EQ(resolve("carl").full_members, std::vector<std::string>{"anna@example.org"});
  forward(false);
  EXPECT_EQ(resolve("anna").remote_targets, std::vector<std::string>{"anna@away.test"}) << "nothing is kept, nothing is full";
  EXPECT_TRUE(resolve("all").full_members.empty());
}

TEST_F(DirectoryTest, SendersAreTheOwnAddressAndAliasesThatNameIt) {
  const AccountId anna = add_user("anna@example.org"), bert = add_user("bert@example.org");
  add_user("anna+bank@example.org");
  alias("info@example.org", {"anna+i@example.org", "x@away.test"});
  alias("@example.org", {"bert@example.org"});
  EXPECT_TRUE(may_send(anna, "Anna"));
  EXPECT_TRUE(may_send(anna, "anna+shop"));
  EXPECT_TRUE(may_send(anna, "info"));
  EXPECT_TRUE(may_send(anna, "info+1"));
  EXPECT_FALSE(may_send(bert, "anna"));
  EXPECT_FALSE(may_send(bert, "info"));
  EXPECT_FALSE(may_send(bert, "anything"));
  EXPECT_FALSE(may_send(anna, "anna", "example.net"));
  EXPECT_FALSE(may_send(AccountId(99), "anna"));
}

TEST_F(DirectoryTest, RetentionIsTheUsersOrElseTheDomains) {
  const AccountId anna = add_user("anna@example.org");
  must(PutDomain{{.name = "example.org", .pop3_retention_days = 30}, PutRule::kReplace});
  EXPECT_EQ(DirectoryReader(*snapshot()).pop3_retention_days(anna).value(), 30u);
  UserRecord user = *DirectoryReader(*snapshot()).user(anna).value();
  user.pop3_retention_days = 0;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(DirectoryReader(*snapshot()).pop3_retention_days(anna).value(), 0u);
  EXPECT_FALSE(DirectoryReader(*snapshot()).pop3_retention_days(AccountId(9)));
}

TEST_F(DirectoryTest, ListsArePagedInOrder) {
  must(PutDomain{{.name = "a.test"}, PutRule::kCreate});
  for (const char* address : {"c@example.org", "a@example.org", "b@example.org", "z@a.test"}) add_user(address);
  alias("@example.org", {"a@example.org"});
  alias("long@example.org", std::vector<std::string>(1, std::string(60, 'l') + "@away.test"));
  alias("m@a.test", {"a@example.org"});
  const auto now = snapshot();
  const DirectoryReader reader(*now);
  const auto first = reader.users({}, {}, 2).value();
  ASSERT_EQ(first.items.size(), 2u);
  EXPECT_EQ(first.items[0].address, "z@a.test");
  EXPECT_EQ(first.items[1].address, "a@example.org");
  const auto second = reader.users({}, first.next, 2).value();
  ASSERT_EQ(second.items.size(), 2u);
  EXPECT_EQ(second.items[1].address, "c@example.org");
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(reader.users("not a domain", {}, 10).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(reader.users("Example.ORG", {}, 10).value().items.size(), 3u);
  EXPECT_EQ(reader.users("example.org", "a@example.org", 10).value().items.size(), 2u);
  const auto aliases = reader.aliases("example.org", {}, 1).value();
  ASSERT_EQ(aliases.items.size(), 1u);
  EXPECT_EQ(aliases.items[0].address, "@example.org");
  const auto more = reader.aliases("example.org", aliases.next, 5).value();
  ASSERT_EQ(more.items.size(), 1u);
  EXPECT_EQ(more.items[0].address, "long@example.org");
  EXPECT_EQ(reader.aliases({}, {}, 10).value().items.size(), 3u);
  const auto domains = reader.domains({}, 1).value();
  EXPECT_EQ(domains.items[0].name, "a.test");
  EXPECT_EQ(reader.domains(domains.next, 1).value().items[0].name, "example.org");
}

TEST_F(DirectoryTest, ARenamedUserKeepsTheAccountAndTheOldAddress) {
  const AccountId anna = add_user("Anna@example.org", 0, Role::kServerAdmin), ben = add_user("ben@example.org");
  must(PutAlias{{.address = "team@example.org", .targets = {"anna@example.org", "ben@example.org"}}});
  add(inbox(anna), 20);
  must(RenameUser{"anna@example.org", "Anna.Berg@example.org"});
  const auto user = DirectoryReader(*snapshot()).user("anna.berg@example.org").value();
  ASSERT_TRUE(user);
  EXPECT_EQ(user->account, anna);
  EXPECT_EQ(user->address, "anna.berg@example.org");
  EXPECT_EQ(user->role, Role::kServerAdmin);
  EXPECT_FALSE(DirectoryReader(*snapshot()).user("anna@example.org").value());
  EXPECT_EQ(resolve("anna").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("anna.berg").inboxes, std::vector{inbox(anna)});
  EXPECT_EQ(resolve("team").inboxes, (std::vector{inbox(anna), inbox(ben)}));
  EXPECT_EQ(refusal(RenameUser{"anna@example.org", "x@example.org"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RenameUser{"ben@example.org", "anna@example.org"}), ErrorKind::kExists);  // it goes on as her alias
  EXPECT_EQ(refusal(RenameUser{"ben@example.org", "anna.berg@example.org"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameUser{"ben@example.org", "ben@elsewhere.test"}), ErrorKind::kNotFound);
  must(RenameUser{"ben@example.org", "Ben@example.org"});  // the same address: there is no alias of oneself
  EXPECT_EQ(resolve("ben").inboxes, std::vector{inbox(ben)});
  EXPECT_EQ(rows(Table::kAliases), 2u);
}

TEST_F(DirectoryTest, ARemovedUserLeavesNothingBehind) {
  const std::string before = dump();
  const AccountId anna = add_user("anna@example.org", 0, Role::kServerAdmin);
  const std::size_t rows_of_users = rows(Table::kUsers);
  must(CreateMailbox{anna, "a/b/c"});
  const MailboxId boxes[] = {inbox(anna), mailbox(anna, "a/b")};
  constexpr int kMessages = kSliceMessages + 500;
  for (int i = 0; i < kMessages; ++i) add(boxes[i % 2], 20, flag::kSeen, {"k"});
  must(Expunge{inbox(anna), uids({{1, 3}}), ExpungeRule::kAllNamed});
  const WriteRequest request = RemoveUser{"Anna@example.org"};
  std::optional<SliceProgress> progress;
  ASSERT_TRUE(run_slice(request, progress));
  ASSERT_TRUE(progress);
  EXPECT_EQ(rows(Table::kUsers), rows_of_users - 1);
  EXPECT_EQ(resolve("anna").kind, Kind::kNoSuchUser);
  EXPECT_FALSE(DirectoryReader(*snapshot()).user("anna@example.org").value());
  EXPECT_EQ(refusal(PutUser{{.address = "anna@example.org"}, PutRule::kCreate}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RemoveDomain{"example.org"}), ErrorKind::kExists);
  progress.reset();  // the server stopped here; a repeated request goes on
  EXPECT_EQ(pending_removals(*snapshot()).value(), std::vector<std::string>{"anna@example.org"});
  must(request);
  EXPECT_TRUE(pending_removals(*snapshot()).value().empty());
  EXPECT_GE(slices, 2u);
  EXPECT_EQ(released.size(), static_cast<std::size_t>(kMessages));
  for (const Table table :
       {Table::kUsers, Table::kLogins, Table::kUsage, Table::kMailboxes, Table::kMailboxNames, Table::kSubscriptions,
        Table::kKeywords, Table::kMessages, Table::kExpunged, Table::kSummaries, Table::kBlobs}) {
    EXPECT_EQ(rows(table), 0u) << static_cast<int>(table);
  }
  EXPECT_EQ(refusal(request), ErrorKind::kNotFound);
  EXPECT_NE(add_user("anna@example.org"), anna);
}

}  // namespace
}  // namespace posthus::store
