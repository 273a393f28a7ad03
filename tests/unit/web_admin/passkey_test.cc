// Passkeys through the API: made in a session, used to sign in, alone and after a password; challenges, counters, names, removal.
#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "store/identity_reader.h"
#include "tests/support/authenticator_twin.h"
#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

using testing::AuthenticatorTwin;

class PasskeyTest : public BrowserTest {
 protected:
  PasskeyTest() {
    world_.add_user("anna@example.test", "password-1");
    world_.add_user("root@example.test", "password-2");
    local("PATCH", "/api/v1/users/root@example.test", R"({"role":"server_admin"})");
    anna_ = browser("anna@example.test", "password-1");
  }
  Answer begin(const std::string& fields, const std::string& password = "password-1") {
    return call("POST", "/api/v1/me/passkeys/challenge", R"({"current":")" + password + "\"}", fields);
  }
  /// Makes a passkey with the twin.
  Answer add(AuthenticatorTwin& twin, const std::string& fields, const std::string& password = "password-1") {
    const Answer begun = begin(fields, password);
    EXPECT_EQ(begun.status, 200) << begun.body;
    twin.user_handle = base64url_decode(begun.text("user_id")).value();
    return call("POST", "/api/v1/me/passkeys", twin.registration("laptop", begun.text("challenge")), fields);
  }
  /// Cookie of a browser that is to sign in, and the challenge.
  std::pair<std::string, std::string> ask() {
    const Answer asked = call("POST", "/api/v1/session/passkey/challenge", "", kPanel);
    EXPECT_EQ(asked.status, 200) << asked.body;
    return {cookie(asked) + kPanel, asked.text("challenge")};
  }
  static std::string cookie(const Answer& answer) {
    const std::size_t at = answer.head.find("__Host-posthus-passkey=");
    return at == std::string::npos ? std::string() : "Cookie: " + answer.head.substr(at, answer.head.find(';', at) - at) + "\r\n";
  }
  Answer prove(const AuthenticatorTwin& twin) {
    const auto [fields, challenge] = ask();
    return call("POST", "/api/v1/session/passkey", twin.proof(challenge), fields);
  }
  std::string session_after(const Answer& answer) {
    EXPECT_EQ(answer.status, 201) << answer.body;
    const std::size_t at = answer.head.find("__Host-posthus=");
    return "Cookie: " + answer.head.substr(at, answer.head.find(';', at) - at) + "\r\n" + kPanel;
  }
  std::string last_reason() { return call("GET", "/api/v1/sign-ins?result=failed", "", "", true).text("reason"); }
  void make_disabled() { world_.disable_user("anna@example.test"); }

  std::string anna_;
};

TEST_F(PasskeyTest, ItSignsInWithoutAPassword) {
  EXPECT_TRUE(call("GET", "/api/v1/session").has(R"("passkeys":false)")) << "nobody has one: the page offers none";
  AuthenticatorTwin twin;
  const Answer added = add(twin, anna_);
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_TRUE(added.has(R"("name":"laptop")") && added.has(R"("hostname":"mx.example.test")")) << added.body;
  EXPECT_TRUE(call("GET", "/api/v1/session").has(R"("passkeys":true)"));
  const Answer signed_in = prove(twin);
  EXPECT_TRUE(signed_in.has(R"("login":"anna@example.test")")) << signed_in.body;
  const std::string fields = session_after(signed_in);
  const Answer list = call("GET", "/api/v1/me/passkeys", "", fields);
  EXPECT_TRUE(list.has(R"("last_address":"203.0.113.9")") && list.has(R"("available":true)")) << list.body;
  EXPECT_TRUE(call("GET", "/api/v1/sign-ins?result=accepted", "", "", true).has(R"("mechanism":"passkey")"));
}

TEST_F(PasskeyTest, MakingOneNeedsThePasswordAndARightAnswer) {
  EXPECT_EQ(begin(anna_, "password-2").status, 403);
  EXPECT_EQ(begin(without_panel(anna_)).status, 403);
  AuthenticatorTwin twin;
  const std::string challenge = begin(anna_).text("challenge");
  twin.origin = "https://evil.test";
  Answer refused = call("POST", "/api/v1/me/passkeys", twin.registration("x", challenge), anna_);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.text("code"), "passkey.not_made");
  twin.origin = "https://mx.example.test";
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration("", challenge), anna_).status, 400);
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration(std::string(101, 'n'), challenge), anna_).status, 400);
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", R"({"name":"x","client_data":"+","attestation_object":""})", anna_).status, 400);
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration("x", challenge), anna_).status, 201);
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration("x", challenge), anna_).status, 403)
      << "a challenge is used once";
  EXPECT_EQ(add(twin, anna_).status, 409) << "this credential is there already";
}

TEST_F(PasskeyTest, ChallengesAreOfOneSessionAndShort) {
  AuthenticatorTwin twin;
  const std::string other = browser("anna@example.test", "password-1");
  std::string challenge = begin(anna_).text("challenge");
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration("x", challenge), other).status, 403);
  world_.clock.advance(std::chrono::microseconds(kChallengeLife).count());
  EXPECT_EQ(call("POST", "/api/v1/me/passkeys", twin.registration("x", challenge), anna_).status, 403);
  EXPECT_EQ(add(twin, anna_).status, 201);
  const auto [fields, asked] = ask();
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(asked), kPanel).status, 401) << "without the cookie";
  const auto [others, ignored] = ask();
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(asked), others).status, 401) << "another browser";
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(begin(anna_).text("challenge")), fields).status, 401)
      << "a challenge for making one";
  std::string forged = asked;
  forged[3] = forged[3] == 'A' ? 'B' : 'A';
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(forged), fields).status, 401);
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(asked), fields).status, 201);
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(asked), fields).status, 401) << "used";
  const auto [late, old] = ask();
  world_.clock.advance(std::chrono::microseconds(kChallengeLife).count());
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(old), late).status, 401);
}

TEST_F(PasskeyTest, WrongProofsAreRefusedAlikeAndListed) {
  AuthenticatorTwin twin, thief;
  ASSERT_EQ(add(twin, anna_).status, 201);
  thief.user_handle = twin.user_handle;
  const Answer refused = prove(thief);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.text("code"), "passkey.refused");
  EXPECT_EQ(last_reason(), "wrong signature");
  AuthenticatorTwin unknown;
  unknown.credential_id = "another";
  unknown.user_handle = twin.user_handle;
  EXPECT_EQ(prove(unknown).body, refused.body) << "who tries learns nothing";
  EXPECT_EQ(last_reason(), "nobody has this passkey");
  AuthenticatorTwin wrong = twin;
  wrong.user_handle = std::string(16, 'x');
  EXPECT_EQ(prove(wrong).status, 401);
  wrong = twin;
  wrong.user_handle.clear();
  EXPECT_EQ(prove(wrong).status, 401) << "nobody said whose it is";
  wrong = twin;
  wrong.flags = 0x01;
  EXPECT_EQ(prove(wrong).status, 401);
  EXPECT_EQ(last_reason(), "the person was not verified");
  wrong = twin;
  wrong.origin = "https://mx.example.test.evil.test";
  EXPECT_EQ(prove(wrong).status, 401);
  const auto [fields, challenge] = ask();
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(challenge), without_panel(fields)).status, 403);
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", R"({"id":"x"})", fields).status, 400);
}

TEST_F(PasskeyTest, ACopyIsToldByItsCounter) {
  AuthenticatorTwin twin;
  twin.sign_count = 10;
  ASSERT_EQ(add(twin, anna_).status, 201);
  twin.sign_count = 11;
  EXPECT_EQ(prove(twin).status, 201);
  EXPECT_EQ(prove(twin).status, 401);
  EXPECT_EQ(last_reason(), "the counter did not go up");
  twin.sign_count = 12;
  EXPECT_EQ(prove(twin).status, 201);
}

TEST_F(PasskeyTest, OfAnAccountThatMayNotSignInItIsNoGood) {
  AuthenticatorTwin twin;
  ASSERT_EQ(add(twin, anna_).status, 201);
  make_disabled();
  EXPECT_EQ(prove(twin).status, 401);
  EXPECT_EQ(last_reason(), "account disabled");
}

TEST_F(PasskeyTest, TheyBelongToTheNameOfThePanel) {
  AuthenticatorTwin twin;
  host_ = "203.0.113.1";
  EXPECT_EQ(begin(anna_).status, 409);
  EXPECT_EQ(call("POST", "/api/v1/session/passkey/challenge", "", kPanel).text("code"), "passkey.name");
  EXPECT_TRUE(call("GET", "/api/v1/me/passkeys", "", anna_).has(R"("available":false)"));
  host_ = "panel.example.test:8443";
  EXPECT_EQ(begin(anna_).status, 409);
  host_ = "mx.example.test";
  local("PUT", "/api/v1/settings/panel.names", R"({"value":"panel.example.test"})");
  host_ = "panel.example.test:8443";
  twin.relying_party = "panel.example.test";
  twin.origin = "https://panel.example.test:8443";
  EXPECT_EQ(add(twin, anna_).status, 201);
  EXPECT_EQ(prove(twin).status, 201);
  host_ = "mx.example.test";
  twin.origin = "https://mx.example.test";
  EXPECT_EQ(prove(twin).status, 401) << "made under another name";
  EXPECT_EQ(last_reason(), "nobody has this passkey");
}

TEST_F(PasskeyTest, AfterThePasswordItIsTheSecondFactor) {
  AuthenticatorTwin twin;
  EXPECT_EQ(call("POST", "/api/v1/me/second-factor/passkeys", R"({"current":"password-1"})", anna_).text("code"), "passkey.none");
  const std::string id = add(twin, anna_).text("id");
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 201) << "as long as nobody asked for more";
  EXPECT_EQ(call("POST", "/api/v1/me/second-factor/passkeys", R"({"current":"password-2"})", anna_).status, 403);
  const Answer on = call("POST", "/api/v1/me/second-factor/passkeys", R"({"current":"password-1"})", anna_);
  ASSERT_EQ(on.status, 201) << on.body;
  const std::string recovery = on.body.substr(on.body.find('[') + 2, 19);
  const Answer half = sign_in("anna@example.test", "password-1");
  EXPECT_EQ(half.status, 202);
  EXPECT_TRUE(half.has(R"("takes_app_code":false)") && half.has("\"id\":\"" + base64url_encode(twin.credential_id))) << half.body;
  EXPECT_TRUE(half.has(R"("transports":["internal"])")) << half.body;
  EXPECT_EQ(sign_in("anna@example.test", "password-1", R"(,"code":"000000")").status, 401);
  const std::string handle = std::exchange(twin.user_handle, {});  // not every authenticator tells it when it is asked by name
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", twin.proof(half.text("challenge")), cookie(half) + kPanel).status, 201);
  twin.user_handle = handle;
  EXPECT_EQ(prove(twin).status, 201) << "it is both factors in one";
  EXPECT_EQ(call("DELETE", "/api/v1/me/passkeys/" + id, "", anna_).status, 409) << "the only second factor";
  EXPECT_EQ(sign_in("anna@example.test", "password-1", R"(,"code":")" + recovery + "\"").status, 201);
  EXPECT_EQ(sign_in("anna@example.test", "password-1", R"(,"code":")" + recovery + "\"").status, 401);
}

TEST_F(PasskeyTest, OfAnotherAccountItIsNoSecondFactor) {
  AuthenticatorTwin annas, roots;
  const std::string root = browser("root@example.test", "password-2");
  ASSERT_EQ(add(annas, anna_).status, 201);
  ASSERT_EQ(call("POST", "/api/v1/me/second-factor/passkeys", R"({"current":"password-1"})", anna_).status, 201);
  ASSERT_EQ(add(roots, root, "password-2").status, 201);
  const Answer half = sign_in("anna@example.test", "password-1");
  EXPECT_EQ(call("POST", "/api/v1/session/passkey", roots.proof(half.text("challenge")), cookie(half) + kPanel).status, 401);
  EXPECT_EQ(last_reason(), "it is of another account");
}

TEST_F(PasskeyTest, WhoLosesItIsSignedOutAndAnAdminHelps) {
  AuthenticatorTwin twin;
  const std::string id = add(twin, anna_).text("id");
  const std::string with_passkey = session_after(prove(twin));
  const std::string root = browser("root@example.test", "password-2");
  EXPECT_TRUE(call("GET", "/api/v1/users/anna@example.test/passkeys", "", root).has(id));
  EXPECT_EQ(call("GET", "/api/v1/users/root@example.test/passkeys", "", anna_).status, 403);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test/passkeys/" + id, "", root).status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test/passkeys/" + id, "", root).status, 404);
  EXPECT_EQ(call("GET", "/api/v1/me", "", with_passkey).status, 401) << "the browser that had it";
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna_).status, 200) << "the one that came with the password stays";
  EXPECT_EQ(prove(twin).status, 401);
  EXPECT_TRUE(call("GET", "/api/v1/audit", "", root).has("/api/v1/users/anna@example.test/passkeys/" + id));
}

TEST_F(PasskeyTest, WhatAdminsDoToTheirOwnIsInTheAuditLogWithoutKeys) {
  AuthenticatorTwin twin;
  const std::string root = browser("root@example.test", "password-2");
  const std::string id = add(twin, root, "password-2").text("id");
  EXPECT_EQ(call("DELETE", "/api/v1/me/passkeys/" + id, "", root).status, 204);
  const Answer audit = call("GET", "/api/v1/audit", "", root);
  EXPECT_TRUE(audit.has(R"("target":"/api/v1/me/passkeys")") && audit.has("\"name\":\"laptop\"")) << audit.body;
  EXPECT_TRUE(audit.has("/api/v1/me/passkeys/" + id)) << audit.body;
  EXPECT_FALSE(audit.has(base64url_encode(twin.credential_id)));
}

}  // namespace
}  // namespace posthus::web_admin
