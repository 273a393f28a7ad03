// Second factors, app passwords, domain admins and the audit log in the store: put, used once, bounded, gone with their owner.
#include <gtest/gtest.h>

#include <algorithm>

#include "store/identity_reader.h"
#include "store/record_dns_check.h"
#include "store/record_identity.h"
#include "store/record_login_block.h"
#include "store/record_passkey.h"
#include "store/record_sign_in.h"
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
  PasskeyRecord passkey(std::string credential) {
    return {.account = anna,
            .name = "laptop",
            .relying_party = "mail.one.test",
            .user_handle = std::string(kUserHandle, 'h'),
            .credential_id = std::move(credential),
            .public_key = "key",
            .algorithm = -7};
  }
  PasskeyRecord stored(const std::string& credential) {
    const auto now = snapshot();
    return IdentityReader(*now).passkey(anna, passkey_id(credential)).value().value();
  }
  DnsCheckRecord dns_check() {
    const auto now = snapshot();
    return read_dns_check(*now, "one.test").value().value();
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
  must(PutPasskey{passkey("1")});
  must(RemoveUser{"anna@one.test"});
  for (const Table table : {Table::kAdministered, Table::kSecondFactors, Table::kAppPasswords, Table::kPasskeys})
    EXPECT_EQ(rows(table), 0u);
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

TEST_F(IdentityTest, PasskeysAreBoundedUsedAndRemoved) {
  for (std::size_t i = 0; i < kMaxPasskeys; ++i) must(PutPasskey{passkey(std::to_string(i))});
  EXPECT_EQ(refusal(PutPasskey{passkey("3")}), ErrorKind::kExists);
  EXPECT_EQ(refusal(PutPasskey{passkey("more")}), ErrorKind::kTooLarge);
  EXPECT_EQ(stored("3").created, clock.now());
  EXPECT_EQ(stored("3").last_used, Timestamp{});
  must(UsePasskey{anna, passkey_id("3"), 0, "203.0.113.9"});
  EXPECT_EQ(stored("3").last_used, clock.now());
  EXPECT_EQ(stored("3").last_address, "203.0.113.9");
  must(RemovePasskey{anna, passkey_id("4")});
  EXPECT_EQ(refusal(RemovePasskey{anna, passkey_id("4")}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(RemovePasskey{AccountId(99), passkey_id("3")}), ErrorKind::kNotFound) << "somebody else's";
  EXPECT_EQ(refusal(RemovePasskey{anna, passkey_id("3").substr(0, 14)}), ErrorKind::kNotFound);
  const auto now = snapshot();
  EXPECT_EQ(IdentityReader(*now).passkeys(anna).value().size(), kMaxPasskeys - 1);
}

TEST_F(IdentityTest, BrokenPasskeysAreRefused) {
  PasskeyRecord broken = passkey("1");
  broken.user_handle = "short";
  EXPECT_EQ(refusal(PutPasskey{broken}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutPasskey{passkey("")}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutPasskey{passkey(std::string(kMaxCredentialId + 1, 'c'))}), ErrorKind::kTooLarge);
  must(PutPasskey{passkey(std::string(kMaxCredentialId, 'c'))});
  broken = passkey("2");
  broken.public_key.assign(kMaxPasskeyRecord, 'k');
  EXPECT_EQ(refusal(PutPasskey{broken}), ErrorKind::kTooLarge);
  broken = passkey("2");
  broken.account = AccountId(99);
  EXPECT_EQ(refusal(PutPasskey{broken}), ErrorKind::kNotFound);
}

TEST_F(IdentityTest, ACounterThatGoesBackIsRefused) {
  must(PutPasskey{passkey("1")});
  const std::string id = passkey_id("1");
  must(UsePasskey{anna, id, 0, ""});
  must(UsePasskey{anna, id, 5, ""});
  EXPECT_EQ(refusal(UsePasskey{anna, id, 5, ""}), ErrorKind::kDenied);
  EXPECT_EQ(refusal(UsePasskey{anna, id, 4, ""}), ErrorKind::kDenied);
  EXPECT_EQ(refusal(UsePasskey{anna, id, 0, ""}), ErrorKind::kDenied) << "a counter in use is not given up";
  must(UsePasskey{anna, id, 6, ""});
  EXPECT_EQ(stored("1").sign_count, 6u);
}

TEST_F(IdentityTest, TheOnlySecondFactorStays) {
  EXPECT_EQ(refusal(PutSecondFactor{{.account = anna}}), ErrorKind::kInvalid) << "without key and passkey";
  must(PutPasskey{passkey("1")});
  must(PutPasskey{passkey("2")});
  must(PutSecondFactor{{.account = anna}});
  must(RemovePasskey{anna, passkey_id("1")});
  EXPECT_EQ(refusal(RemovePasskey{anna, passkey_id("2")}), ErrorKind::kExists);
  must(PutSecondFactor{{.account = anna, .secret = "s"}});
  must(RemovePasskey{anna, passkey_id("2")});
}

TEST_F(IdentityTest, SignInsStandInTheirSlots) {
  must(PutSignIns{{{.is_success = true, .slot = 1, .number = 7, .login = "anna"}, {.slot = 1, .number = 8, .login = "eve"}}});
  must(PutSignIns{{{.is_success = true, .slot = 1, .number = 9, .count = 2, .login = "anna"}}});
  EXPECT_EQ(refusal(PutSignIns{{{.slot = kSignInSlots}}}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutSignIns{std::vector<SignInRecord>(kMaxSignInsPerRequest + 1)}), ErrorKind::kTooLarge);
  const auto now = snapshot();
  const auto all = read_sign_ins(*now).value();
  ASSERT_EQ(all.size(), 2u) << "one row each";
  EXPECT_EQ(all[0].number + all[1].number, 17u);
}

TEST_F(IdentityTest, LoginBlocksAreThoseOfNow) {
  must(PutLoginBlocks{{{.kind = 0, .failures = 7, .until = {5}, .login = "anna", .network = "192.0.2.1"},
                       {.kind = 1, .failures = 60, .network = "203.0.113.0/24"}}});
  must(PutLoginBlocks{{{.kind = 2, .failures = 100, .until = {9}, .login = "eve"}}});
  EXPECT_EQ(refusal(PutLoginBlocks{{{.kind = kLoginBlockKinds}}}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutLoginBlocks{{{.login = std::string(kMaxLoginBlockFieldBytes + 1, 'l')}}}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(PutLoginBlocks{std::vector<LoginBlockRecord>(kMaxLoginBlocks + 1)}), ErrorKind::kTooLarge);
  {
    const auto now = snapshot();
    const auto all = read_login_blocks(*now).value();
    ASSERT_EQ(all.size(), 1u) << "those of before are gone, and what was refused changed nothing";
    EXPECT_EQ(all[0].kind, 2);
    EXPECT_EQ(all[0].failures, 100u);
    EXPECT_EQ(all[0].until.microseconds, 9);
    EXPECT_EQ(all[0].login, "eve");
  }
  must(PutLoginBlocks{});
  EXPECT_EQ(rows(Table::kLoginBlocks), 0u);
}

TEST_F(IdentityTest, ChangesInTheDnsAreNoted) {
  const auto finding = [](DnsRecordState state, std::string name = "one.test") {
    return DnsFinding{.type = "MX", .name = std::move(name), .purpose = "mail", .state = state};
  };
  must(PutDnsCheck{"ONE.test", {finding(DnsRecordState::kOk)}});
  EXPECT_TRUE(dns_check().changes.empty()) << "the first check has nothing to compare with";
  const Timestamp before = clock.now();
  clock.advance(1'000'000);
  must(PutDnsCheck{"one.test", {finding(DnsRecordState::kUnknown)}});
  EXPECT_TRUE(dns_check().changes.empty()) << "a DNS that does not answer changes nothing";
  must(PutDnsCheck{"one.test", {finding(DnsRecordState::kWrong), finding(DnsRecordState::kMissing, "new.one.test")}});
  const DnsCheckRecord now = dns_check();
  ASSERT_EQ(now.changes.size(), 1u);
  EXPECT_EQ(now.changes[0].before, DnsRecordState::kOk) << "remembered over the check that learned nothing";
  EXPECT_EQ(now.changes[0].finding.state, DnsRecordState::kWrong);
  EXPECT_GT(now.changes[0].time, before);
  for (std::size_t i = 0; i < kMaxDnsChanges + 5; ++i)
    must(PutDnsCheck{"one.test", {finding(i % 2 == 0 ? DnsRecordState::kOk : DnsRecordState::kMissing)}});
  EXPECT_EQ(dns_check().changes.size(), kMaxDnsChanges);
  must(PutDnsCheck{"two.test", {finding(DnsRecordState::kOk), finding(DnsRecordState::kMissing)}});
  must(PutDnsCheck{"two.test", {finding(DnsRecordState::kOk), finding(DnsRecordState::kMissing)}});
  {
    const auto now_two = snapshot();
    EXPECT_TRUE(read_dns_check(*now_two, "two.test").value().value().changes.empty()) << "two records of one name";
  }
  EXPECT_EQ(refusal(PutDnsCheck{"three.test", {}}), ErrorKind::kNotFound);
  EXPECT_EQ(refusal(PutDnsCheck{"one.test", std::vector<DnsFinding>(kMaxDnsFindings + 1)}), ErrorKind::kTooLarge);
  must(RemoveUser{"anna@one.test"});
  must(RemoveDomain{"one.test"});
  EXPECT_EQ(rows(Table::kDnsChecks), 1u) << "what was noted goes with its domain";
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
  const PasskeyRecord passkey{.account = AccountId(1),
                              .id = "i",
                              .name = "n",
                              .relying_party = "r",
                              .user_handle = "u",
                              .credential_id = "c",
                              .public_key = "k",
                              .algorithm = -257,
                              .sign_count = 7,
                              .transports = 3,
                              .is_backup_eligible = true,
                              .created = Timestamp{1},
                              .last_used = Timestamp{2},
                              .last_address = "::1"};
  const auto key = decode_passkey(encode_passkey(passkey));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm, -257);
  EXPECT_EQ(key->public_key, "k");
  EXPECT_EQ(key->sign_count, 7u);
  EXPECT_TRUE(key->is_backup_eligible);
  EXPECT_EQ(key->last_address, "::1");
  const SignInRecord sign_in{
      .is_success = true, .slot = 3, .count = 9, .is_tls = true, .login = std::string(300, 'l'), .reason = "r"};
  const auto back = decode_sign_in(encode_sign_in(sign_in));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->login.size(), kMaxSignInFieldBytes);
  EXPECT_EQ(back->reason, "r");
  EXPECT_EQ(back->count, 9u);
  EXPECT_FALSE(decode_sign_in(encode_sign_in({.slot = kSignInSlots})));
}

}  // namespace
}  // namespace posthus::store
