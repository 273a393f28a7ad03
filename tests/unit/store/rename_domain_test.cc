// RenameDomain and alias domains: what moves, what stays, what is refused.
#include <chrono>

#include "store/grant_reader.h"
#include "store/identity_reader.h"
#include "store/key.h"
#include "store/queue_reader.h"
#include "store/sending_reader.h"
#include "store/sent_today.h"
#include "store/shared_name.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class RenameDomainTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "old.test", .default_quota_bytes = 5, .language = mail::ReportLanguage::kGerman, .limits = {}}});
    must(PutDomain{{.name = "other.test"}});
    anna_ = add_user("anna@old.test");
    ben_ = add_user("ben@old.test");
    eva_ = add_user("eva@other.test");
  }
  Resolution resolve(std::string local, std::string domain) {
    return DirectoryReader(*snapshot()).resolve({std::move(local), std::move(domain)}, 0).value();
  }
  UserRecord user(AccountId account) { return DirectoryReader(*snapshot()).user(account).value().value(); }
  void forward(AccountId account, std::vector<std::string> to, bool keeps_copy) {
    UserRecord changed = user(account);
    changed.forward_to = std::move(to);
    changed.keeps_copy = keeps_copy;
    must(PutUser{changed, PutRule::kReplace});
  }
  void alias(std::string address, std::vector<std::string> targets) {
    must(PutAlias{{.address = std::move(address), .targets = std::move(targets), .created = {}}, PutRule::kCreate});
  }
  std::vector<std::string> targets(std::string_view address) {
    return DirectoryReader(*snapshot()).alias(address).value().value().targets;
  }
  std::optional<DomainRecord> domain(std::string_view name) { return DirectoryReader(*snapshot()).domain(name).value(); }
  std::optional<std::string> setting(std::string_view name) { return QueueReader(*snapshot()).setting(name).value(); }
  bool may_send(AccountId account, std::string local, std::string domain) {
    return DirectoryReader(*snapshot()).may_send_as(account, {std::move(local), std::move(domain)}).value();
  }
  MailboxId inbox(AccountId account) { return mailbox(account, "INBOX"); }
  void put_key(std::string domain, std::string selector) {
    must(PutDkimKey{{.domain = std::move(domain), .selector = std::move(selector), .private_key = "p", .public_key = "q"}});
  }
  AccountId anna_, ben_, eva_;
};
using Kind = Resolution::Kind;

TEST_F(RenameDomainTest, MovesUsersWithTheirAccountsAndTheOldNameIsAnAlias) {
  add(inbox(anna_), 20);
  EXPECT_EQ(must(RenameDomain{"Old.test", "New.TEST."}).messages, 2u);
  EXPECT_EQ(user(anna_).address, "anna@new.test");
  EXPECT_EQ(user(eva_).address, "eva@other.test");
  EXPECT_EQ(messages(inbox(anna_)).size(), 1u);
  const auto now = snapshot();
  const DirectoryReader reader(*now);
  EXPECT_EQ(reader.user("anna@new.test").value()->account, anna_);
  EXPECT_FALSE(reader.user("anna@old.test").value()) << "an address is one thing";
  EXPECT_EQ(reader.user_of_login("Anna@OLD.test").value()->account, anna_) << "mail programs go on signing in";
  EXPECT_EQ(reader.user_of_login("anna@new.test").value()->account, anna_);
  EXPECT_FALSE(reader.user_of_login("nobody@old.test").value());
  EXPECT_FALSE(reader.user_of_login("no address").value());
  EXPECT_EQ(reader.users("new.test", {}, 10).value().items.size(), 2u);
  EXPECT_EQ(reader.users("old.test", {}, 10).value().items.size(), 0u);
  for (const char* name : {"old.test", "new.test"}) {
    EXPECT_EQ(resolve("anna", name).inboxes, std::vector{inbox(anna_)}) << name;
    EXPECT_EQ(resolve("anna+shop", name).inboxes, std::vector{inbox(anna_)}) << name;
    EXPECT_EQ(resolve("nobody", name).kind, Kind::kNoSuchUser) << name;
    EXPECT_TRUE(may_send(anna_, "anna", name)) << name;
    EXPECT_FALSE(may_send(anna_, "ben", name)) << name;
  }
  EXPECT_EQ(domain("new.test")->default_quota_bytes, 5u);
  EXPECT_EQ(domain("new.test")->language, mail::ReportLanguage::kGerman);
  EXPECT_EQ(domain("new.test")->alias_of, "");
  EXPECT_EQ(domain("old.test")->alias_of, "new.test");
  EXPECT_EQ(refusal(PutUser{UserRecord{.address = "x@old.test"}, PutRule::kCreate}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutAlias{{.address = "x@old.test", .targets = {"anna@new.test"}}}), ErrorKind::kInvalid);
}

TEST_F(RenameDomainTest, MovesAliasesAndWhateverLeadsToTheDomain) {
  alias("team@old.test", {"anna@old.test", "ben@old.test", "x@far.test"});
  alias("@old.test", {"ben@old.test"});
  alias("sales@other.test", {"team@old.test", "anna@not-old.test", "eva@other.test"});
  must(PutAlias{{.address = "all@old.test",
                 .targets = {"eva@other.test", "anna@old.test"},
                 .created = {},
                 .group = GroupTraits{"All", GroupWriters::kDomain}}});
  forward(eva_, {"ben@old.test", "y@far.test"}, true);
  EXPECT_EQ(must(RenameDomain{"old.test", "new.test"}).messages, 5u);
  EXPECT_EQ(targets("team@new.test"), (std::vector<std::string>{"anna@new.test", "ben@new.test", "x@far.test"}));
  EXPECT_EQ(targets("@new.test"), std::vector<std::string>{"ben@new.test"});
  EXPECT_EQ(targets("sales@other.test"), (std::vector<std::string>{"team@new.test", "anna@not-old.test", "eva@other.test"}));
  EXPECT_EQ(user(eva_).forward_to, (std::vector<std::string>{"ben@new.test", "y@far.test"}));
  const auto group = DirectoryReader(*snapshot()).group("all@new.test").value();
  ASSERT_TRUE(group);
  EXPECT_EQ(group->group->display_name, "All");
  EXPECT_EQ(DirectoryReader(*snapshot()).aliases("old.test", {}, 10).value().items.size(), 0u);
  EXPECT_EQ(resolve("whoever", "old.test").inboxes, std::vector{inbox(ben_)}) << "the catch-all holds for both names";
  EXPECT_TRUE(may_send(anna_, "team", "old.test"));
  // Who writes with the old name is of the domain, and a target with the old name is who it was.
  const GroupWriter by_old_name{mail::Address{"anna", "old.test"}, anna_};
  EXPECT_EQ(DirectoryReader(*snapshot()).resolve({"all", "new.test"}, 0, by_old_name).value().kind, Kind::kRemoteAlias)
      << "eva forwards";
  alias("late@other.test", {"ben@old.test"});
  EXPECT_EQ(resolve("late", "other.test").inboxes, std::vector{inbox(ben_)});
  EXPECT_TRUE(may_send(ben_, "late", "other.test"));
}

TEST_F(RenameDomainTest, NothingLeadsToItselfAfterwards) {
  forward(anna_, {"anna@new.test", "z@far.test"}, false);  // while she had another mailbox there
  alias("list@old.test", {"list@new.test", "anna@old.test"});
  must(RenameDomain{"old.test", "new.test"});
  EXPECT_EQ(user(anna_).forward_to, std::vector<std::string>{"z@far.test"});
  EXPECT_TRUE(user(anna_).keeps_copy);
  EXPECT_EQ(targets("list@new.test"), std::vector<std::string>{"anna@new.test"});
  alias("gone@other.test", {"gone@third.test"});
  const std::string before = dump();
  EXPECT_EQ(refusal(RenameDomain{"other.test", "third.test"}), ErrorKind::kInvalid) << "nobody would get its mail";
  EXPECT_EQ(dump(), before);
}

TEST_F(RenameDomainTest, TakesSettingsRoutesAdminsAndGrantsAlong) {
  must(PutSetting{"public.reports@old.test", "reports"});
  must(PutSetting{"dns.update_zone@old.test", "old.test"});
  must(PutSetting{"queue.connections@old.test", "3"});
  must(PutRoute{{.name = "from:old.test", .hops = {{.host = "relay.test"}}, .login = "l", .password = "p"}});
  put_key("old.test", "s1");
  must(PutUser{[&] {
                 UserRecord chief = user(ben_);
                 chief.role = Role::kDomainAdmin;
                 return chief;
               }(),
               PutRule::kReplace, std::vector<std::string>{"old.test", "other.test"}});
  must(PutGrant{{.owner = anna_, .delegate = eva_, .access = MailboxAccess::kFull, .created = {}}});
  must(RenameDomain{"old.test", "new.test"});
  EXPECT_EQ(setting("public.reports@new.test"), "reports");
  EXPECT_EQ(setting("public.reports@old.test"), "reports") << "what is published of the old name goes on holding";
  EXPECT_FALSE(setting("dns.update_zone@new.test"));
  EXPECT_FALSE(setting("queue.connections@new.test"));
  const auto route = QueueReader(*snapshot()).route("from:new.test").value();
  ASSERT_TRUE(route);
  EXPECT_EQ(route->hops[0].host, "relay.test");
  EXPECT_EQ(route->password, "p");
  EXPECT_EQ(QueueReader(*snapshot()).dkim_keys("old.test").value().size(), 1u);
  EXPECT_EQ(QueueReader(*snapshot()).dkim_keys("new.test").value().size(), 0u) << "keys are of a name";
  EXPECT_EQ(IdentityReader(*snapshot()).administered(ben_).value(),
            (std::vector<std::string>{"new.test", "old.test", "other.test"}));
  EXPECT_TRUE(GrantReader(*snapshot()).grant(anna_, eva_).value());
  const auto subscriptions = list_subscriptions(*snapshot(), eva_).value();
  EXPECT_NE(std::ranges::find(subscriptions, shared_name("anna@new.test", "INBOX")), subscriptions.end());
  EXPECT_EQ(std::ranges::find(subscriptions, shared_name("anna@old.test", "INBOX")), subscriptions.end());
}

TEST_F(RenameDomainTest, AnotherNameIsNoNewDay) {
  must(NoteLimit{"old.test", MetLimit::kMessages, 5});
  must(NoteLimit{"anna@old.test", MetLimit::kForwards, 6});
  must(NoteLimit{"other.test", MetLimit::kMessages, 7});
  must(RenameDomain{"old.test", "new.test"});
  const auto now = snapshot();
  const SendingReader reader(*now);
  EXPECT_EQ(reader.sent_today("new.test", clock.now()).value().met_limit, 5u);
  EXPECT_EQ(reader.sent_today("anna@new.test", clock.now()).value().met_limit, 6u);
  EXPECT_EQ(reader.sent_today("other.test", clock.now()).value().met_limit, 7u);
  EXPECT_EQ(reader.sent_today("old.test", clock.now()).value().met_limit, 0u);
  EXPECT_EQ(rows(Table::kSentToday), 3u);
}

TEST_F(RenameDomainTest, TheWayBackIsTheSame) {
  put_key("old.test", "s1");
  must(PutSetting{"public.reports@old.test", "reports"});
  must(PutDomain{{.name = "third.test", .alias_of = "old.test"}});
  must(RenameDomain{"old.test", "new.test"});
  EXPECT_EQ(domain("third.test")->alias_of, "new.test") << "one step only";
  put_key("new.test", "s2");
  must(PutSetting{"public.reports@new.test", ""});
  must(RenameDomain{"new.test", "old.test"});
  EXPECT_EQ(domain("old.test")->alias_of, "");
  EXPECT_EQ(domain("new.test")->alias_of, "old.test");
  EXPECT_EQ(domain("third.test")->alias_of, "old.test");
  EXPECT_EQ(user(anna_).address, "anna@old.test");
  EXPECT_EQ(resolve("anna", "third.test").inboxes, std::vector{inbox(anna_)});
  EXPECT_EQ(QueueReader(*snapshot()).dkim_keys("old.test").value()[0].selector, "s1");
  EXPECT_FALSE(setting("public.reports@old.test")) << "as it was last";
  must(RemoveDomain{"new.test"});
  must(RemoveDomain{"third.test"});
  EXPECT_EQ(resolve("anna", "new.test").kind, Kind::kNoSuchDomain);
}

TEST_F(RenameDomainTest, IsRefusedWhole) {
  must(PutDomain{{.name = "relay.test", .kind = DomainKind::kRelay, .limits = {}}});
  must(PutDomain{{.name = "name.test", .alias_of = "other.test"}});
  const std::string before = dump();
  EXPECT_EQ(refusal(RenameDomain{"none.test", "new.test"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RenameDomain{"old.test", "OLD.test"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RenameDomain{"old.test", "no domain"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RenameDomain{"old.test", "other.test"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameDomain{"old.test", "relay.test"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(RenameDomain{"old.test", "name.test"}), ErrorKind::kExists) << "a name of another domain";
  EXPECT_EQ(refusal(RenameDomain{"relay.test", "new.test"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(RenameDomain{"name.test", "new.test"}), ErrorKind::kInvalid);
  EXPECT_EQ(dump(), before);
  // A forward that would no longer fit its record keeps all from moving.
  std::vector<std::string> many;
  for (int i = 0; i < 10; ++i) many.push_back(std::string(50, 'a') + std::to_string(i) + "@old.test");
  forward(eva_, many, true);
  const std::string full = dump();
  EXPECT_EQ(refusal(RenameDomain{"old.test", "a-much-longer-name.test"}), ErrorKind::kTooLarge);
  EXPECT_EQ(dump(), full);
}

TEST_F(RenameDomainTest, WaitsForUsersWhoAreBeingRemoved) {
  std::optional<SliceProgress> progress;
  ASSERT_TRUE(run_slice(RemoveUser{"ben@old.test"}, progress));
  EXPECT_EQ(refusal(RenameDomain{"old.test", "new.test"}), ErrorKind::kBusy);
  must(RemoveUser{"ben@old.test"});
  must(RenameDomain{"old.test", "new.test"});
}

TEST_F(RenameDomainTest, ManyAddressesMoveInOneSlice) {
  for (int i = 0; i < 3000; ++i) alias("alias" + std::to_string(i) + "@old.test", {"anna@old.test"});
  EXPECT_EQ(must(RenameDomain{"old.test", "new.test"}).messages, 3002u);
  EXPECT_EQ(slices, 1u);
  EXPECT_EQ(resolve("alias2999", "old.test").inboxes, std::vector{inbox(anna_)});
}

TEST_F(RenameDomainTest, AliasDomainsStandForOneDomainWithMailboxes) {
  must(PutDomain{{.name = "name.test", .alias_of = "Old.Test"}});
  EXPECT_EQ(domain("name.test")->alias_of, "old.test");
  EXPECT_EQ(refusal(PutDomain{{.name = "a.test", .alias_of = "none.test"}}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutDomain{{.name = "a.test", .alias_of = "name.test"}}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutDomain{{.name = "a.test", .kind = DomainKind::kRelay, .limits = {}, .alias_of = "old.test"}}),
            ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutDomain{{.name = "other.test", .alias_of = "old.test"}, PutRule::kReplace}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutDomain{{.name = "name.test"}, PutRule::kReplace}), ErrorKind::kInvalid);
  must(RemoveUser{"anna@old.test"});
  must(RemoveUser{"ben@old.test"});
  EXPECT_EQ(refusal(RemoveDomain{"old.test"}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutDomain{{.name = "old.test", .kind = DomainKind::kRelay, .limits = {}}, PutRule::kReplace}),
            ErrorKind::kExists);
}

TEST_F(RenameDomainTest, ADisabledNameTakesNothing) {
  must(PutDomain{{.name = "name.test", .alias_of = "old.test"}});
  EXPECT_EQ(resolve("anna", "name.test").kind, Kind::kLocal);
  must(PutDomain{{.name = "name.test", .is_disabled = true, .limits = {}, .alias_of = "old.test"}, PutRule::kReplace});
  EXPECT_EQ(resolve("anna", "name.test").kind, Kind::kDisabled);
  EXPECT_EQ(resolve("anna", "old.test").kind, Kind::kLocal);
  must(PutDomain{{.name = "name.test", .alias_of = "old.test"}, PutRule::kReplace});
  must(PutDomain{{.name = "old.test", .is_disabled = true, .limits = {}}, PutRule::kReplace});
  EXPECT_EQ(resolve("anna", "name.test").kind, Kind::kDisabled);
}

TEST_F(RenameDomainTest, ARenamedUserTakesHisDelegatesSubscriptionsAlong) {
  must(PutGrant{{.owner = anna_, .delegate = eva_, .access = MailboxAccess::kRead, .created = {}}});
  must(RenameUser{"anna@old.test", "berg@old.test"});
  const auto subscriptions = list_subscriptions(*snapshot(), eva_).value();
  EXPECT_NE(std::ranges::find(subscriptions, shared_name("berg@old.test", "INBOX")), subscriptions.end());
  EXPECT_EQ(std::ranges::find(subscriptions, shared_name("anna@old.test", "INBOX")), subscriptions.end());
}

}  // namespace
}  // namespace posthus::store
