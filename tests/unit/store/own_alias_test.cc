// Addresses that users make for themselves: who may, which, how many; and what becomes of them.
#include "store/own_alias.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class OwnAliasTest : public RequestTest {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org", .limits = {}, .own_aliases = 2}});
    must(PutDomain{{.name = "closed.test"}});
    anna_ = add_user("anna@example.org");
    ben_ = add_user("ben@example.org");
    eva_ = add_user("eva@closed.test");
  }
  UserRecord user(AccountId account) { return DirectoryReader(*snapshot()).user(account).value().value(); }
  std::vector<std::string> own(AccountId account) {
    std::vector<std::string> addresses;
    for (const AliasRecord& alias : own_aliases_of(*snapshot(), user(account)).value()) addresses.push_back(alias.address);
    return addresses;
  }
  bool may_send(AccountId account, std::string local) {
    return DirectoryReader(*snapshot()).may_send_as(account, {std::move(local), "example.org"}).value();
  }
  bool leads_to(const std::string& local, AccountId account) {
    const auto found = DirectoryReader(*snapshot()).resolve({local, "example.org"}, 0).value();
    return found.inboxes == std::vector{mailbox(account, "INBOX")};
  }
  AccountId anna_, ben_, eva_;
};

TEST_F(OwnAliasTest, LeadsToWhoMadeItAndMayBeSender) {
  must(PutOwnAlias{anna_, "Shop.2026@example.org"});
  EXPECT_EQ(own(anna_), std::vector<std::string>{"shop.2026@example.org"});
  EXPECT_TRUE(own(ben_).empty());
  EXPECT_TRUE(leads_to("shop.2026", anna_));
  EXPECT_TRUE(may_send(anna_, "shop.2026"));
  EXPECT_FALSE(may_send(ben_, "shop.2026"));
  must(RemoveOwnAlias{anna_, "shop.2026@example.org"});
  EXPECT_FALSE(leads_to("shop.2026", anna_));
  EXPECT_FALSE(may_send(anna_, "shop.2026"));
}

TEST_F(OwnAliasTest, OnlyWhereTheDomainLetsThemAndOnlySoMany) {
  EXPECT_EQ(refusal(PutOwnAlias{eva_, "x@closed.test"}), ErrorKind::kDenied);
  EXPECT_EQ(refusal(PutOwnAlias{eva_, "x@example.org"}), ErrorKind::kInvalid) << "of another domain";
  EXPECT_EQ(refusal(PutOwnAlias{anna_, "x@closed.test"}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutOwnAlias{AccountId(99), "x@example.org"}), ErrorKind::kNotFound);
  must(PutOwnAlias{anna_, "one@example.org"});
  must(PutOwnAlias{anna_, "two@example.org"});
  EXPECT_EQ(refusal(PutOwnAlias{anna_, "three@example.org"}), ErrorKind::kTooLarge);
  must(PutOwnAlias{ben_, "three@example.org"});
  must(PutDomain{{.name = "example.org", .limits = {}, .own_aliases = 1}, PutRule::kReplace});
  EXPECT_EQ(own(anna_).size(), 2u) << "what was allowed stays";
  must(RemoveOwnAlias{anna_, "one@example.org"});
  EXPECT_EQ(refusal(PutOwnAlias{anna_, "four@example.org"}), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(PutDomain{{.name = "example.org", .limits = {}, .own_aliases = 101}, PutRule::kReplace}),
            ErrorKind::kTooLarge);
  const AccountId shared =
      must(PutUser{UserRecord{.address = "office1@example.org", .is_shared = true}, PutRule::kCreate}).account;
  EXPECT_EQ(refusal(PutOwnAlias{shared, "x@example.org"}), ErrorKind::kDenied);
}

TEST_F(OwnAliasTest, TakesNothingThatIsSomebodysOrReserved) {
  must(PutAlias{{.address = "team@example.org", .targets = {"ben@example.org"}}});
  must(PutOwnAlias{ben_, "bens@example.org"});
  for (const char* taken : {"ben@example.org", "anna@example.org", "BEN@example.org", "team@example.org", "bens@example.org"}) {
    EXPECT_EQ(refusal(PutOwnAlias{anna_, taken}), ErrorKind::kExists) << taken;
  }
  for (const char* reserved :
       {"postmaster", "Abuse", "admin", "administrator", "webmaster",    "hostmaster", "root",   "mailer-daemon",
        "security",   "noc",   "info",  "support",       "sales",        "marketing",  "usenet", "news",
        "www",        "uucp",  "ftp",   "no-reply",      "list-request", "owner-list"}) {
    EXPECT_EQ(refusal(PutOwnAlias{anna_, std::string(reserved) + "@example.org"}), ErrorKind::kDenied) << reserved;
  }
  must(PutSetting{"public.reports@example.org", "tls-berichte"});
  EXPECT_EQ(refusal(PutOwnAlias{anna_, "TLS-Berichte@example.org"}), ErrorKind::kDenied) << "reports about the domain go there";
  for (const char* odd : {"ben+shop@example.org", "@example.org", "\"b n\"@example.org", "p\xC3\xB6stmaster@example.org",
                          "-x@example.org", "x.@example.org", "a!b@example.org", "nonsense"}) {
    EXPECT_EQ(refusal(PutOwnAlias{anna_, odd}), ErrorKind::kInvalid) << odd;
  }
}

TEST_F(OwnAliasTest, IsRemovedByNobodyElse) {
  must(PutOwnAlias{anna_, "mine@example.org"});
  must(PutAlias{{.address = "team@example.org", .targets = {"ben@example.org"}}});
  EXPECT_EQ(refusal(RemoveOwnAlias{ben_, "mine@example.org"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RemoveOwnAlias{ben_, "team@example.org"}), ErrorKind::kNotFound) << "an admin made it";
  EXPECT_EQ(refusal(RemoveOwnAlias{AccountId(0), "team@example.org"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RemoveOwnAlias{ben_, "ben@example.org"}), ErrorKind::kNotFound);
  // What an admin changes is his.
  must(PutAlias{{.address = "mine@example.org", .targets = {"anna@example.org", "ben@example.org"}}, PutRule::kReplace});
  EXPECT_EQ(refusal(RemoveOwnAlias{anna_, "mine@example.org"}), ErrorKind::kNotFound);
}

TEST_F(OwnAliasTest, FollowsItsUser) {
  must(PutOwnAlias{anna_, "mine@example.org"});
  must(RenameUser{"anna@example.org", "berg@example.org"});
  EXPECT_EQ(own(anna_), std::vector<std::string>{"mine@example.org"});
  EXPECT_TRUE(leads_to("mine", anna_));
  EXPECT_TRUE(may_send(anna_, "mine"));
  must(RenameDomain{"example.org", "new.test"});
  EXPECT_EQ(own(anna_), std::vector<std::string>{"mine@new.test"});
  EXPECT_TRUE(leads_to("mine", anna_)) << "by the old name";
  must(RemoveUser{"berg@new.test"});
  EXPECT_FALSE(DirectoryReader(*snapshot()).alias("mine@new.test").value());
  must(PutOwnAlias{ben_, "bens@new.test"});
  must(RenameUser{"ben@new.test", "ben@closed.test"});
  EXPECT_EQ(DirectoryReader(*snapshot()).alias("bens@new.test").value()->targets, std::vector<std::string>{"ben@closed.test"});
  EXPECT_EQ(refusal(RemoveOwnAlias{ben_, "bens@new.test"}), ErrorKind::kNotFound) << "he has left the domain";
}

}  // namespace
}  // namespace posthus::store
