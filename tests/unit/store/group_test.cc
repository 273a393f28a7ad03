// Groups: aliases with a name that may be closed to others, and who is let in.
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class GroupTest : public RequestTest {
 protected:
  using Kind = Resolution::Kind;
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    must(PutDomain{{.name = "example.net"}, PutRule::kCreate});
    anna_ = add_user("anna@example.org");
    bert_ = add_user("bert@example.org");
    nina_ = add_user("nina@example.net");
  }
  void group(std::string address, std::vector<std::string> members, GroupWriters writers) {
    must(PutAlias{
        {.address = std::move(address), .targets = std::move(members), .created = {}, .group = GroupTraits{"Team", writers}},
        PutRule::kCreate});
  }
  /// Of a message by `from` ("": the null reverse-path) of whoever has signed in.
  Kind kind(const std::string& to, const std::string& from, AccountId account = {}) {
    GroupWriter writer{.address = std::nullopt, .account = account};
    if (!from.empty()) writer.address = mail::parse_mailbox(from, mail::Utf8::kAllow).value();
    return DirectoryReader(*snapshot()).resolve(mail::parse_mailbox(to, mail::Utf8::kAllow).value(), 0, writer).value().kind;
  }
  AccountId anna_, bert_, nina_;
};

TEST_F(GroupTest, IsAnAddressOfItsOwnKind) {
  group("team@example.org", {"anna@example.org", "ANNA@Example.org", "x@far.test"}, GroupWriters::kDomain);
  const auto now = snapshot();
  const DirectoryReader directory(*now);
  const auto found = directory.group("TEAM@example.org").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->targets, (std::vector<std::string>{"anna@example.org", "x@far.test"})) << "each member once";
  EXPECT_EQ(found->group->display_name, "Team");
  EXPECT_EQ(found->group->writers, GroupWriters::kDomain);
  EXPECT_FALSE(directory.alias("team@example.org").value()) << "an alias is another thing";
  EXPECT_TRUE(directory.aliases("", "", 10).value().items.empty());
  EXPECT_EQ(directory.groups("example.org", "", 10).value().items.size(), 1u);
  EXPECT_TRUE(directory.groups("example.net", "", 10).value().items.empty());
  EXPECT_EQ(refusal(PutAlias{{.address = "team@example.org", .targets = {"anna@example.org"}, .created = {}}, PutRule::kCreate}),
            ErrorKind::kExists);
  EXPECT_EQ(refusal(PutAlias{{.address = "team@example.org", .targets = {"anna@example.org"}, .created = {}}, PutRule::kReplace}),
            ErrorKind::kNotFound)
      << "no alias becomes of it";
  EXPECT_EQ(refusal(RemoveDomain{"example.org"}), ErrorKind::kExists);
  must(RemoveAlias{"team@example.org"});
  EXPECT_EQ(rows(Table::kAliases), 0u);
}

TEST_F(GroupTest, RefusesWhatIsNoGroup) {
  const auto refused = [this](std::string address, std::vector<std::string> members, std::string name) {
    return refusal(PutAlias{{.address = std::move(address),
                             .targets = std::move(members),
                             .created = {},
                             .group = GroupTraits{std::move(name), GroupWriters::kAnyone}},
                            PutRule::kCreate});
  };
  EXPECT_EQ(refused("@example.org", {"anna@example.org"}, "All"), ErrorKind::kInvalid);
  EXPECT_EQ(refused("t@example.org", {}, "None"), ErrorKind::kInvalid);
  EXPECT_EQ(refused("t@example.org", {"anna@example.org"}, "two\r\nlines"), ErrorKind::kInvalid);
  EXPECT_EQ(refused("t@example.org", {"anna@example.org"}, std::string(kMaxGroupName + 1, 'a')), ErrorKind::kTooLarge);
  EXPECT_EQ(refused("anna@example.org", {"bert@example.org"}, "Anna"), ErrorKind::kExists);
}

TEST_F(GroupTest, OpenOnesTakeMailOfAnybody) {
  group("open@example.org", {"anna@example.org"}, GroupWriters::kAnyone);
  EXPECT_EQ(kind("open@example.org", "stranger@far.test"), Kind::kLocal);
  EXPECT_EQ(kind("open@example.org", ""), Kind::kLocal);
}

TEST_F(GroupTest, MembersAreKnownByTheirSignInOrByAnAddressElsewhere) {
  group("team@example.org", {"anna@example.org", "Member@far.test", "inner@example.org"}, GroupWriters::kMembers);
  must(PutAlias{{.address = "inner@example.org", .targets = {"nina@example.net", "team@example.org"}, .created = {}},
                PutRule::kCreate});
  EXPECT_EQ(kind("team@example.org", "anna@example.org", anna_), Kind::kRemoteAlias);
  EXPECT_EQ(kind("team@example.org", "anna+x@example.org", anna_), Kind::kRemoteAlias);
  EXPECT_EQ(kind("team@example.org", "other@example.org", anna_), Kind::kRemoteAlias) << "by another address of hers";
  EXPECT_EQ(kind("team@example.org", "", anna_), Kind::kRemoteAlias) << "a read receipt";
  EXPECT_EQ(kind("team@example.org", "nina@example.net", nina_), Kind::kRemoteAlias) << "through an alias that is a member";
  EXPECT_EQ(kind("team@example.org", "MEMBER@far.test"), Kind::kRemoteAlias);
  EXPECT_EQ(kind("team+x@example.org", "member@far.test"), Kind::kRemoteAlias);
  EXPECT_EQ(kind("team@example.org", "bert@example.org", bert_), Kind::kOnlyMembers);
  EXPECT_EQ(kind("team@example.org", "stranger@far.test"), Kind::kOnlyMembers);
  EXPECT_EQ(kind("team@example.org", "anna@example.org"), Kind::kOnlyMembers) << "ours, but she has not signed in";
  EXPECT_EQ(kind("team@example.org", ""), Kind::kOnlyMembers);
  EXPECT_EQ(DirectoryReader(*snapshot()).resolve({"team", "example.org"}, 0).value().kind, Kind::kRemoteAlias)
      << "what the server itself sends";
}

TEST_F(GroupTest, ADomainIsWhoSignsInWithAnAddressOfIt) {
  group("all@example.org", {"anna@example.org"}, GroupWriters::kDomain);
  EXPECT_EQ(kind("all@example.org", "bert@example.org", bert_), Kind::kLocal);
  EXPECT_EQ(kind("all@example.org", "", bert_), Kind::kLocal);
  EXPECT_EQ(kind("all@example.org", "nina@example.net", nina_), Kind::kOnlyDomain);
  EXPECT_EQ(kind("all@example.org", "", nina_), Kind::kOnlyDomain);
  EXPECT_EQ(kind("all@example.org", "bert@example.org"), Kind::kOnlyDomain) << "anybody can write that address";
}

TEST_F(GroupTest, TheAddressThatIsWrittenToDecides) {
  group("closed@example.org", {"anna@example.org"}, GroupWriters::kMembers);
  group("open@example.org", {"closed@example.org"}, GroupWriters::kAnyone);
  EXPECT_EQ(kind("open@example.org", "stranger@far.test"), Kind::kLocal) << "an admin put one into the other";
  UserRecord user = *DirectoryReader(*snapshot()).user("bert@example.org").value();
  user.forward_to = {"closed@example.org"};
  user.keeps_copy = false;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(kind("bert@example.org", "anna@example.org", anna_), Kind::kOnlyMembers) << "a forward opens no door";
  user.keeps_copy = true;
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(kind("bert@example.org", "stranger@far.test"), Kind::kLocal) << "but his copy arrives";
  user = *DirectoryReader(*snapshot()).user("anna@example.org").value();
  user.forward_to = {"closed@example.org"};
  must(PutUser{user, PutRule::kReplace});
  EXPECT_EQ(kind("anna@example.org", "stranger@far.test"), Kind::kLocal) << "a member may forward to it";
}

TEST_F(GroupTest, GroupsInACircleEnd) {
  group("a@example.org", {"b@example.org"}, GroupWriters::kMembers);
  group("b@example.org", {"a@example.org", "anna@example.org"}, GroupWriters::kMembers);
  EXPECT_EQ(kind("a@example.org", "anna@example.org", anna_), Kind::kLocal);
  EXPECT_EQ(kind("a@example.org", "stranger@far.test"), Kind::kOnlyMembers);
}

TEST_F(GroupTest, NobodySendsAsAGroupHeIsIn) {
  group("team@example.org", {"anna@example.org"}, GroupWriters::kAnyone);
  EXPECT_FALSE(DirectoryReader(*snapshot()).may_send_as(anna_, {"team", "example.org"}).value());
}

}  // namespace
}  // namespace posthus::store
