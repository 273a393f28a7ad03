// Second factors, app passwords, domain admins and the audit log in the store: put, used once, bounded, gone with their owner.
#include <gtest/gtest.h>

#include <algorithm>

#include "store/identity_reader.h"
#include "store/record_identity.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

class IdentityTest : public RequestTest {
 protected:
  IdentityTest() {
    must(PutDomain{{.name = "one.test"}});
    must(PutDomain{{.name = "two.test"}});
    anna = add_user("anna@one.test");
  }
  UserRecord user(std::string_view address) {
    const auto now = snapshot();
    return DirectoryReader(*now).user(address).value().value();
  }
  PutUser with_role(Role role, std::optional<std::vector<std::string>> domains) {
    UserRecord changed = user("anna@one.test");
    changed.role = role;
    return {changed, PutRule::kReplace, std::move(domains)};
  }
  std::vector<std::string> administered() {
    const auto now = snapshot();
    return IdentityReader(*now).administered(anna).value();
  }
  AppPasswordRecord app_password(std::string id) {
    return {.account = anna, .id = std::move(id), .name = "phone", .secret_hash = "h"};
  }
  std::vector<std::string> audits() {
    std::vector<std::string> all;
    const auto now = snapshot();
    EXPECT_TRUE(IdentityReader(*now).audits(0, [&all](std::uint64_t, std::string_view json) {
      all.emplace_back(json);
      return Visit::kContinue;
    }));
    return all;
  }
  AccountId anna;
};

TEST_F(IdentityTest, DomainAdminsHaveDomainsOfOursOnly) {
  must(with_role(Role::kDomainAdmin, std::vector<std::string>{"TWO.test", "one.test"}));
  EXPECT_EQ(administered(), (std::vector<std::string>{"one.test", "two.test"}));
  must(with_role(Role::kDomainAdmin, std::nullopt));
  EXPECT_EQ(administered().size(), 2u) << "another change of the user leaves them";
  EXPECT_EQ(refusal(with_role(Role::kDomainAdmin, std::vector<std::string>{"three.test"})), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(with_role(Role::kDomainAdmin, std::vector<std::string>{"no domain"})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(with_role(Role::kUser, std::vector<std::string>{"one.test"})), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(with_role(Role::kDomainAdmin, std::vector<std::string>(kMaxAdministeredDomains + 1, "one.test"))),
            ErrorKind::kTooLarge);
}

TEST_F(IdentityTest, RightsEndWithTheRoleTheDomainAndTheUser) {
  must(with_role(Role::kDomainAdmin, std::vector<std::string>{"one.test", "two.test"}));
  must(RemoveDomain{"two.test"});
  must(PutDomain{{.name = "two.test"}});
  EXPECT_EQ(administered(), std::vector<std::string>{"one.test"}) << "the domain that came back is somebody else's";
  must(with_role(Role::kUser, std::nullopt));
  must(with_role(Role::kDomainAdmin, std::nullopt));
  EXPECT_TRUE(administered().empty());
  must(with_role(Role::kDomainAdmin, std::vector<std::string>{"two.test"}));
  must(PutSecondFactor{{.account = anna, .secret = "s"}});
  must(PutAppPassword{app_password("1")});
  must(RemoveUser{"anna@one.test"});
  for (const Table table : {Table::kAdministered, Table::kSecondFactors, Table::kAppPasswords}) EXPECT_EQ(rows(table), 0u);
}

TEST_F(IdentityTest, CodesAreTakenOnce) {
  must(PutSecondFactor{{.account = anna, .secret = "s", .recovery_hashes = {"a", "b"}}});
  must(UseSecondFactor{anna, 100, ""});
  EXPECT_EQ(refusal(UseSecondFactor{anna, 100, ""}), ErrorKind::kDenied);
  EXPECT_EQ(refusal(UseSecondFactor{anna, 99, ""}), ErrorKind::kDenied);
  must(UseSecondFactor{anna, 101, ""});
  must(UseSecondFactor{anna, 0, "b"});
  EXPECT_EQ(refusal(UseSecondFactor{anna, 0, "b"}), ErrorKind::kDenied);
  const auto now = snapshot();
  const auto factor = IdentityReader(*now).second_factor(anna).value().value();
  EXPECT_EQ(factor.recovery_hashes, std::vector<std::string>{"a"});
  EXPECT_EQ(factor.created, clock.now());
  must(RemoveSecondFactor{anna});
  EXPECT_EQ(refusal(UseSecondFactor{anna, 200, ""}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RemoveSecondFactor{anna}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutSecondFactor{{.account = AccountId(99), .secret = "s"}}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutSecondFactor{{.account = anna}}), ErrorKind::kInvalid);
}

TEST_F(IdentityTest, AppPasswordsAreBoundedUsedAndRemoved) {
  for (std::size_t i = 0; i < kMaxAppPasswords; ++i) must(PutAppPassword{app_password(std::to_string(i))});
  EXPECT_EQ(refusal(PutAppPassword{app_password("more")}), ErrorKind::kTooLarge);
  must(UseAppPassword{anna, "3", "203.0.113.9"});
  must(RemoveAppPassword{anna, "4"});
  EXPECT_EQ(refusal(RemoveAppPassword{anna, "4"}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RemoveAppPassword{AccountId(99), "3"}), ErrorKind::kNotFound) << "somebody else's";
  const auto now = snapshot();
  const auto all = IdentityReader(*now).app_passwords(anna).value();
  ASSERT_EQ(all.size(), kMaxAppPasswords - 1);
  EXPECT_EQ(std::ranges::count_if(all, [](const auto& one) { return one.last_address == "203.0.113.9"; }), 1);
  EXPECT_EQ(refusal(PutAppPassword{{.account = anna, .id = "x", .secret_hash = ""}}), ErrorKind::kInvalid);
}

TEST_F(IdentityTest, TheAuditLogForgetsTheOldest) {
  must(PutSetting{"audit.entries", "3"});
  for (int i = 0; i < 5; ++i) must(AddAudit{"{\"n\":" + std::to_string(i) + "}"});
  EXPECT_EQ(audits(), (std::vector<std::string>{"{\"n\":4}", "{\"n\":3}", "{\"n\":2}"}));
  must(AddAudit{"{" + std::string(kMaxAuditEvent - 2, 'x') + "}"});
  EXPECT_EQ(audits().front().size(), kMaxAuditEvent);
  EXPECT_EQ(refusal(AddAudit{std::string(kMaxAuditEvent + 1, 'x')}), ErrorKind::kTooLarge);
}

TEST(IdentityRecordTest, RecordsSurviveARoundTrip) {
  const SecondFactorRecord factor{
      .account = AccountId(1), .secret = "key", .last_step = 2, .recovery_hashes = {"x", "y"}, .created = Timestamp{3}};
  const auto read = decode_second_factor(encode_second_factor(factor));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->secret, "key");
  EXPECT_EQ(read->last_step, 2u);
  EXPECT_EQ(read->recovery_hashes, factor.recovery_hashes);
  const AppPasswordRecord password{.account = AccountId(1),
                                   .id = "i",
                                   .name = "n",
                                   .protocols = mail_protocol::kImap,
                                   .secret_hash = "h",
                                   .scram_iterations = 4096,
                                   .scram_salt = "s",
                                   .scram_stored_key = "k",
                                   .scram_server_key = "v",
                                   .expires = Timestamp{5},
                                   .created = Timestamp{6},
                                   .last_used = Timestamp{7},
                                   .last_address = "::1"};
  const auto again = decode_app_password(encode_app_password(password));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->protocols, mail_protocol::kImap);
  EXPECT_EQ(again->scram_server_key, "v");
  EXPECT_EQ(again->expires, password.expires);
  EXPECT_EQ(again->last_address, "::1");
  EXPECT_FALSE(decode_app_password(encode_app_password(password) + "x"));
  EXPECT_FALSE(decode_second_factor("\2"));
}

}  // namespace
}  // namespace posthus::store
