// Second factors, app passwords, the audit log, sign-ins and blocks through the API, as a browser meets them.
#include <gtest/gtest.h>

#include "core/sasl/totp.h"
#include "store/identity_reader.h"
#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

class IdentityApiTest : public BrowserTest {
 protected:
  IdentityApiTest() {
    world_.add_user("anna@example.test", "password-1");
    world_.add_user("root@example.test", "password-2");
    local("PATCH", "/api/v1/users/root@example.test", R"({"role":"server_admin"})");
  }
  /// Switches the second factor on; the recovery codes.
  std::vector<std::string> enrol(const std::string& fields, const std::string& password = "password-1") {
    const Answer begun = call("POST", "/api/v1/me/second-factor", R"({"current":")" + password + "\"}", fields);
    EXPECT_EQ(begun.status, 200) << begun.body;
    const Answer done =
        call("PUT", "/api/v1/me/second-factor", R"({"code":")" + code("anna@example.test", begun.text("secret")) + "\"}", fields);
    EXPECT_EQ(done.status, 201) << done.body;
    std::vector<std::string> codes;
    for (std::size_t at = done.body.find('[') + 1; at < done.body.size() && done.body[at] == '"'; at += 22) {
      codes.push_back(done.body.substr(at + 1, 19));
    }
    return codes;
  }
  static std::string from_base32(const std::string& text) {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const char c : text) {
      buffer = (buffer << 5) | static_cast<std::uint32_t>(alphabet.find(c));
      bits += 5;
      if (bits < 8) continue;
      bits -= 8;
      out.push_back(static_cast<char>(buffer >> bits));
    }
    return out;
  }
  /// The code of the app now; with `secret` (base32) before it is stored.
  std::string code(const std::string& login, const std::string& secret = "") {
    const auto step = static_cast<std::uint64_t>(world_.clock.now().seconds() / sasl::kTotpSeconds);
    if (!secret.empty()) return sasl::totp_code(from_base32(secret), step);
    const auto snapshot = world_.store->snapshot();
    const auto user = store::DirectoryReader(**snapshot).user(login).value().value();
    return sasl::totp_code(store::IdentityReader(**snapshot).second_factor(user.account).value().value().secret, step);
  }
  void next_step() { world_.clock.advance(sasl::kTotpSeconds * 1'000'000); }
  Answer sign_in_with(const std::string& code) {
    return sign_in("anna@example.test", "password-1", R"(,"code":")" + code + "\"");
  }
  sasl::LoginVerdict mail_login(const std::string& password, std::string_view protocol = "imap") {
    auto exchange = world_.authenticator->begin_password("anna@example.test", Secret(password),
                                                         {.protocol = protocol, .remote_address = "203.0.113.9", .is_tls = true});
    if (exchange->state() == sasl::LoginExchange::State::kVerify) exchange->verify();
    return exchange->verdict();
  }
};

TEST_F(IdentityApiTest, ASecondFactorIsAskedForAtSignIn) {
  const std::string anna = browser("anna@example.test", "password-1"), other = browser("anna@example.test", "password-1");
  EXPECT_TRUE(call("GET", "/api/v1/me/second-factor", "", anna).has("\"enabled\":false"));
  EXPECT_EQ(enrol(anna).size(), 10u);
  EXPECT_TRUE(call("GET", "/api/v1/me/second-factor", "", anna).has("\"recovery_codes_left\":10"));
  EXPECT_TRUE(call("GET", "/api/v1/me", "", anna).has("\"second_factor\":true"));
  EXPECT_EQ(call("GET", "/api/v1/me", "", other).status, 401) << "it signed in without";
  next_step();
  const Answer half = sign_in("anna@example.test", "password-1");
  EXPECT_EQ(half.status, 202);
  EXPECT_TRUE(half.has("\"session\":null") && half.has("\"needs_code\":true")) << half.body;
  EXPECT_FALSE(half.has("Set-Cookie"));
  const std::string now = code("anna@example.test");
  EXPECT_EQ(sign_in_with(now).status, 201);
  EXPECT_EQ(sign_in_with(now).status, 401) << "a code is good once";
  EXPECT_EQ(sign_in_with("").status, 401);
  EXPECT_EQ(sign_in("anna@example.test", "wrong", R"(,"code":")" + code("anna@example.test") + "\"").status, 401);
}

TEST_F(IdentityApiTest, TheCodeThatSwitchedItOnSignsNobodyIn) {
  enrol(browser("anna@example.test", "password-1"));
  EXPECT_EQ(sign_in_with(code("anna@example.test")).status, 401);
}

TEST_F(IdentityApiTest, SettingItUpNeedsThePasswordAndARightCode) {
  const std::string anna = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("POST", "/api/v1/me/second-factor", R"({"current":"wrong"})", anna).status, 403);
  EXPECT_EQ(call("PUT", "/api/v1/me/second-factor", R"({"code":"123456"})", anna).status, 404) << "nothing was begun";
  const Answer begun = call("POST", "/api/v1/me/second-factor", R"({"current":"password-1"})", anna);
  EXPECT_TRUE(begun.has("otpauth://totp/mx.example.test:anna%40example.test?secret=")) << begun.body;
  EXPECT_EQ(call("PUT", "/api/v1/me/second-factor", R"({"code":"12345"})", anna).status, 403);
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 201) << "not on yet";
  const std::string elsewhere = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("PUT", "/api/v1/me/second-factor", R"({"code":")" + code("", begun.text("secret")) + "\"}", elsewhere).status,
            404);
  enrol(anna);
  EXPECT_EQ(call("POST", "/api/v1/me/second-factor", R"({"current":"password-1"})", anna).status, 409);
  for (const char* method : {"POST", "PUT"}) {
    EXPECT_EQ(call(method, "/api/v1/me/second-factor", "{}", without_panel(anna)).status, 403) << "another site's page";
  }
}

TEST_F(IdentityApiTest, RecoveryCodesWorkOnceAndAreRenewed) {
  const std::string anna = browser("anna@example.test", "password-1");
  const auto codes = enrol(anna);
  EXPECT_EQ(sign_in_with(codes.at(3)).status, 201);
  EXPECT_EQ(sign_in_with(codes.at(3)).status, 401);
  std::string shouted = codes.at(4);
  for (char& c : shouted) c = c == '-' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  EXPECT_EQ(sign_in_with(shouted).status, 201) << "as people type it";
  const Answer renewed =
      call("POST", "/api/v1/me/second-factor/recovery-codes", R"({"current":"password-1","code":")" + codes.at(5) + "\"}", anna);
  EXPECT_EQ(renewed.status, 201) << renewed.body;
  EXPECT_FALSE(renewed.has(codes.at(6)));
  EXPECT_EQ(sign_in_with(codes.at(6)).status, 401) << "void";
}

TEST_F(IdentityApiTest, SwitchingItOffNeedsBoth) {
  const std::string anna = browser("anna@example.test", "password-1");
  const auto codes = enrol(anna);
  const auto remove = [&](const std::string& password, const std::string& with) {
    return call("POST", "/api/v1/me/second-factor/remove", R"({"current":")" + password + R"(","code":")" + with + "\"}", anna)
        .status;
  };
  EXPECT_EQ(remove("wrong", codes.at(0)), 403);
  EXPECT_EQ(remove("password-1", "000000"), 403);
  EXPECT_EQ(remove("password-1", codes.at(0)), 204);
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 200);
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 201);
}

TEST_F(IdentityApiTest, WrongCodesAreThrottledThoughThePasswordIsRight) {
  enrol(browser("anna@example.test", "password-1"));
  next_step();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sign_in_with("00000" + std::to_string(i)).status, 401);
  EXPECT_EQ(sign_in_with(code("anna@example.test")).status, 429);
  const Answer blocks = call("GET", "/api/v1/blocks", "", browser("root@example.test", "password-2"));
  EXPECT_TRUE(blocks.has("\"of\":\"codes\"")) << blocks.body;
  EXPECT_TRUE(blocks.has("\"login\":\"anna@example.test\""));
  local("DELETE", "/api/v1/blocks/" + blocks.text("id"));
  EXPECT_EQ(sign_in_with(code("anna@example.test")).status, 201);
  EXPECT_EQ(call("DELETE", "/api/v1/blocks/x", "", "", /*is_local=*/true).status, 404);
}

TEST_F(IdentityApiTest, AnAdminHelpsWhoHasLostIt) {
  enrol(browser("anna@example.test", "password-1"));
  const std::string root = browser("root@example.test", "password-2");
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test/second-factor", "", root).status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test/second-factor", "", root).status, 404);
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 201);
}

TEST_F(IdentityApiTest, BasicIsNoWayAroundTheSecondFactor) {
  const std::string basic = "Authorization: Basic cm9vdEBleGFtcGxlLnRlc3Q6cGFzc3dvcmQtMg==\r\n";
  EXPECT_EQ(call("GET", "/api/v1/users", "", basic).status, 200);
  const std::string root = browser("root@example.test", "password-2");
  const Answer begun = call("POST", "/api/v1/me/second-factor", R"({"current":"password-2"})", root);
  call("PUT", "/api/v1/me/second-factor", R"({"code":")" + code("", begun.text("secret")) + "\"}", root);
  EXPECT_EQ(call("GET", "/api/v1/users", "", basic).status, 403);
}

TEST_F(IdentityApiTest, AppPasswordsAreForMailProgramsOnly) {
  const std::string anna = browser("anna@example.test", "password-1");
  const std::string wish = R"({"name":"phone","protocols":["imap","smtp"],"current":"password-1"})";
  const Answer made = call("POST", "/api/v1/me/app-passwords", wish, anna);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string password = made.text("password"), id = made.text("id");
  EXPECT_EQ(password.size(), 24u);
  EXPECT_EQ(mail_login(password), sasl::LoginVerdict::kAccepted);
  EXPECT_EQ(mail_login(password, "smtp"), sasl::LoginVerdict::kAccepted);
  EXPECT_EQ(mail_login(password, "pop3"), sasl::LoginVerdict::kRejected);
  EXPECT_EQ(sign_in("anna@example.test", password).status, 401);
  local("PATCH", "/api/v1/users/root@example.test", "{}");  // requests are done in order: that it was used is written now
  const Answer list = call("GET", "/api/v1/me/app-passwords", "", anna);
  EXPECT_TRUE(list.has("\"last_address\":\"203.0.113.9\"")) << list.body;
  EXPECT_TRUE(list.has("\"protocols\":[\"imap\",\"smtp\"]"));
  EXPECT_FALSE(list.has(password)) << "shown once";
  enrol(anna);
  EXPECT_EQ(mail_login("password-1"), sasl::LoginVerdict::kRejected) << "with a second factor";
  EXPECT_EQ(mail_login(password), sasl::LoginVerdict::kAccepted);
  local("PUT", "/api/v1/settings/login.main_password_with_second_factor", R"({"value":"1"})");
  EXPECT_EQ(mail_login("password-1"), sasl::LoginVerdict::kAccepted);
  const std::string root = browser("root@example.test", "password-2");
  EXPECT_EQ(call("DELETE", "/api/v1/me/app-passwords/" + id, "", root).status, 404) << "somebody else's";
  EXPECT_TRUE(call("GET", "/api/v1/users/anna@example.test/app-passwords", "", root).has(id));
  EXPECT_EQ(call("DELETE", "/api/v1/me/app-passwords/" + id, "", anna).status, 204);
  EXPECT_EQ(mail_login(password), sasl::LoginVerdict::kRejected);
}

TEST_F(IdentityApiTest, AppPasswordsEndAndAreRefusedByName) {
  const std::string anna = browser("anna@example.test", "password-1");
  const auto wish = [&](const std::string& fields) { return call("POST", "/api/v1/me/app-passwords", "{" + fields + "}", anna); };
  EXPECT_EQ(wish(R"("name":"p","protocols":["imap"],"current":"wrong")").status, 403);
  EXPECT_EQ(wish(R"("name":"","protocols":["imap"],"current":"password-1")").status, 400);
  EXPECT_EQ(wish(R"("name":"p","protocols":[],"current":"password-1")").status, 400);
  EXPECT_EQ(wish(R"("name":"p","protocols":["http"],"current":"password-1")").status, 400);
  EXPECT_EQ(wish(R"("name":"p","protocols":["imap"],"current":"password-1","expires":"2020-01-01T00:00:00Z")").status, 400);
  const Answer made = wish(R"("name":"p","protocols":["imap"],"current":"password-1","expires":"2026-11-21T13:00:00Z")");
  EXPECT_EQ(mail_login(made.text("password")), sasl::LoginVerdict::kAccepted);
  world_.clock.advance(3'600'000'000);
  EXPECT_EQ(mail_login(made.text("password")), sasl::LoginVerdict::kRejected);
}

TEST_F(IdentityApiTest, TheAuditLogTellsWhoChangedWhat) {
  const std::string root = browser("root@example.test", "password-2");
  call("PATCH", "/api/v1/users/anna@example.test", R"({"quota_bytes":1000000})", root);
  const Answer audit = call("GET", "/api/v1/audit?limit=1", "", root);
  EXPECT_TRUE(
      audit.has("\"who\":\"root@example.test\",\"by\":\"browser\",\"from\":\"203.0.113.9\",\"method\":\"PATCH\","
                "\"target\":\"/api/v1/users/anna@example.test\",\"status\":200,\"before\":{\"quota_bytes\":0},"
                "\"after\":{\"quota_bytes\":1000000}"))
      << audit.body;
  EXPECT_TRUE(audit.has("\"next\":\""));
  local("DELETE", "/api/v1/users/anna@example.test");
  EXPECT_TRUE(call("GET", "/api/v1/audit?who=local&limit=1", "", root).has("\"before\":{\"address\":\"anna@example.test\""));
  EXPECT_TRUE(call("GET", "/api/v1/audit?search=NONE", "", root).has("\"items\":[]"));
  call("PATCH", "/api/v1/users/nobody@example.test", R"({"quota_bytes":1})", root);
  EXPECT_TRUE(call("GET", "/api/v1/audit?limit=1", "", root).has("\"status\":404"));
  EXPECT_EQ(call("GET", "/api/v1/audit?after=x", "", root).status, 400);
}

TEST_F(IdentityApiTest, TheAuditLogIsReadPageByPage) {
  for (int i = 0; i < 5; ++i) local("POST", "/api/v1/domains", R"({"name":"d)" + std::to_string(i) + R"(.test"})");
  std::string target = "/api/v1/audit?limit=2", all;
  for (int pages = 0; pages < 4; ++pages) {
    const Answer page = local("GET", target);
    all += page.body;
    if (page.text("next").empty()) break;
    target = "/api/v1/audit?limit=2&after=" + page.text("next");
  }
  std::size_t last = 0;
  for (const char* name : {"d4.test", "d3.test", "d2.test", "d1.test", "d0.test"}) {
    const std::size_t at = all.find(name, last);
    EXPECT_NE(at, std::string::npos) << name << all;
    last = at;
  }
}

TEST_F(IdentityApiTest, NothingSecretIsInTheAuditLog) {
  const std::string root = browser("root@example.test", "password-2");
  const std::string token = call("POST", "/api/v1/tokens", R"({"name":"t","scopes":["read"]})", root).text("token");
  call("PUT", "/api/v1/users/anna@example.test/password", R"({"password":"new-password-7"})", root);
  call("POST", "/api/v1/users", R"({"address":"eva@example.test","password":"new-password-8"})", root);
  call("PUT", "/api/v1/settings/acme.eab_key", R"({"value":"c2VjcmV0LWtleQ"})", root);
  call("PUT", "/api/v1/routes/far.test", R"({"hops":["smtps://far.test:465"],"login":"u","password":"new-password-9"})", root);
  const Answer begun = call("POST", "/api/v1/me/second-factor", R"({"current":"password-2"})", root);
  const Answer codes = call("PUT", "/api/v1/me/second-factor", R"({"code":")" + code("", begun.text("secret")) + "\"}", root);
  const Answer app =
      call("POST", "/api/v1/me/app-passwords", R"({"name":"p","protocols":["imap"],"current":"password-2"})", root);
  const Answer audit = call("GET", "/api/v1/audit", "", root);
  EXPECT_TRUE(audit.has("/api/v1/tokens")) << audit.body;
  EXPECT_TRUE(audit.has("/api/v1/me/second-factor")) << "an admin's own account";
  EXPECT_TRUE(audit.has("eva@example.test"));
  const std::string recovery = codes.body.substr(codes.body.find('[') + 2, 19);
  for (const std::string& secret : {token.substr(25), std::string("new-password"), std::string("c2VjcmV0"),
                                    std::string("password-2"), begun.text("secret"), recovery, app.text("password")}) {
    ASSERT_FALSE(secret.empty());
    EXPECT_FALSE(audit.has(secret)) << secret;
  }
}

TEST_F(IdentityApiTest, WhoWantsWhatIsNotHisIsWrittenDownButNotOften) {
  world_.add_domain("other.test");
  world_.add_user("chief@example.test", "password-3");
  local("PATCH", "/api/v1/users/chief@example.test", R"({"role":"domain_admin","admin_of":["example.test"]})");
  const std::string chief = browser("chief@example.test", "password-3");
  EXPECT_EQ(call("GET", "/api/v1/domains/other.test", "", chief).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/domains/none.test", "", chief).status, 403);
  EXPECT_EQ(call("DELETE", "/api/v1/users/root@other.test", "", chief).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/domains/example.test", "", chief).status, 200);
  const Answer audit = local("GET", "/api/v1/audit?who=chief@example.test");
  EXPECT_TRUE(
      audit.has(R"("by":"browser","from":"203.0.113.9","method":"GET","target":"/api/v1/domains/other.test","status":403)"))
      << audit.body;
  EXPECT_TRUE(audit.has(R"("method":"DELETE","target":"/api/v1/users/root@other.test","status":403)"));
  EXPECT_FALSE(audit.has("example.test\",\"status\":200"));
  for (int i = 0; i < 100; ++i) call("GET", "/api/v1/domains/guess" + std::to_string(i) + ".test", "", chief);
  const std::string all = local("GET", "/api/v1/audit?limit=1000&who=chief@example.test").body;
  std::size_t entries = 0;
  for (std::size_t at = all.find("\"status\":403"); at != std::string::npos; at = all.find("\"status\":403", at + 1)) ++entries;
  EXPECT_EQ(entries, 20u) << "whoever tries every name fills no log";
}

TEST_F(IdentityApiTest, WhatUsersDoToThemselvesDoesNotPushOutWhatAdminsDid) {
  const std::string anna = browser("anna@example.test", "password-1");
  call("PATCH", "/api/v1/me", R"({"forward_to":[]})", anna);
  EXPECT_FALSE(local("GET", "/api/v1/audit").has("/api/v1/me"));
}

TEST_F(IdentityApiTest, OnesOwnFoldersAreListedWithWhatTheyHold) {
  world_.deliver("anna@example.test", "Subject: a\n\n" + std::string(4000, 'x') + "\n");
  const std::string anna = browser("anna@example.test", "password-1");
  const Answer folders = call("GET", "/api/v1/me/folders", "", anna);
  EXPECT_EQ(folders.status, 200) << folders.body;
  EXPECT_TRUE(folders.has(R"({"items":[{"name":"INBOX","use":"inbox","messages":1,"unseen":1,"bytes":4)")) << folders.body;
  EXPECT_TRUE(folders.has(R"("use":"trash","messages":0,"unseen":0,"bytes":0})")) << folders.body;
  EXPECT_EQ(call("GET", "/api/v1/me/folders", "", "", /*is_local=*/true).status, 404) << "nobody's own";
}

TEST_F(IdentityApiTest, SignInsAreListed) {
  sign_in("anna@example.test", "wrong");
  mail_login("password-1", "smtp");
  const std::string root = browser("root@example.test", "password-2");
  const Answer all = call("GET", "/api/v1/sign-ins", "", root);
  EXPECT_TRUE(all.has("\"login\":\"root@example.test\",\"protocol\":\"http\"")) << all.body;
  EXPECT_TRUE(all.has("\"protocol\":\"smtp\""));
  const Answer failed = call("GET", "/api/v1/sign-ins?result=failed&search=ANNA", "", root);
  EXPECT_TRUE(failed.has("\"result\":\"rejected\",\"reason\":\"wrong password\"")) << failed.body;
  EXPECT_FALSE(failed.has("smtp"));
  const Answer first = call("GET", "/api/v1/sign-ins?limit=1", "", root);
  EXPECT_TRUE(first.has("root@example.test"));
  EXPECT_TRUE(call("GET", "/api/v1/sign-ins?limit=1&after=" + first.text("next"), "", root).has("smtp"));
  EXPECT_EQ(call("GET", "/api/v1/sign-ins?result=x", "", root).status, 400);
}

}  // namespace
}  // namespace posthus::web_admin
