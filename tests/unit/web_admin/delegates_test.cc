// Shared mailboxes and delegates through the API: what an admin grants, what somebody grants himself, what is refused.
#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

class DelegatesApiTest : public BrowserTest {
 protected:
  DelegatesApiTest() {
    world_.add_user("anna@example.test", "password-1");
    world_.add_user("bert@example.test", "password-2");
    local("POST", "/api/v1/users", R"({"address":"info@example.test","shared":true})");
  }
  int status(const std::string& method, const std::string& target, const std::string& body = "") {
    return call(method, target, body, "", /*is_local=*/true).status;
  }
  Answer delegates(const std::string& of) { return local("GET", "/api/v1/users/" + of + "/delegates"); }
};

TEST_F(DelegatesApiTest, AnAdminGrantsAndTakesBack) {
  EXPECT_TRUE(delegates("info@example.test").has(R"({"items":[],"next":null})"));
  const Answer granted =
      local("PUT", "/api/v1/users/info@example.test/delegates/ANNA@example.test", R"({"access":"full","send_as":true})");
  EXPECT_TRUE(granted.has(R"({"address":"anna@example.test","access":"full","send_as":true,"shared":false,"created":)"))
      << granted.body;
  EXPECT_TRUE(local("PUT", "/api/v1/users/info@example.test/delegates/anna@example.test", R"({"access":"read"})")
                  .has(R"("access":"read","send_as":false)"));
  const Answer whose = local("GET", "/api/v1/users/anna@example.test/delegations");
  EXPECT_TRUE(whose.has(R"({"address":"info@example.test","access":"read","send_as":false,"shared":true,)")) << whose.body;
  EXPECT_EQ(status("DELETE", "/api/v1/users/info@example.test/delegates/anna@example.test"), 204);
  EXPECT_EQ(status("DELETE", "/api/v1/users/info@example.test/delegates/anna@example.test"), 404);
  EXPECT_EQ(status("DELETE", "/api/v1/users/info@example.test/delegates/nobody@example.test"), 404);
}

TEST_F(DelegatesApiTest, WhatMakesNoSenseIsRefused) {
  const std::string target = "/api/v1/users/info@example.test/delegates/";
  EXPECT_EQ(status("PUT", target + "anna@example.test", R"({"access":"none"})"), 400);
  EXPECT_EQ(status("PUT", target + "anna@example.test", R"({"access":"all"})"), 400);
  EXPECT_EQ(status("PUT", target + "anna@example.test", R"({"send_as":true})"), 400);
  EXPECT_EQ(status("PUT", target + "nobody@example.test", R"({"access":"full"})"), 404);
  EXPECT_EQ(status("PUT", target + "info@example.test", R"({"access":"full"})"), 400);
  EXPECT_EQ(status("PUT", "/api/v1/users/none@example.test/delegates/anna@example.test", R"({"access":"full"})"), 404);
  EXPECT_EQ(status("PUT", "/api/v1/users/anna@example.test/delegates/info@example.test", R"({"access":"full"})"), 400)
      << "nobody signs in to a shared mailbox";
}

TEST_F(DelegatesApiTest, ASharedMailboxHasNoPassword) {
  EXPECT_TRUE(local("GET", "/api/v1/users/info@example.test").has(R"("has_password":false,"shared":true)"));
  EXPECT_EQ(status("PUT", "/api/v1/users/info@example.test/password", R"({"password":"password-3"})"), 400);
  EXPECT_EQ(status("POST", "/api/v1/users", R"({"address":"x@example.test","shared":true,"password":"password-3"})"), 400);
  EXPECT_EQ(status("POST", "/api/v1/users", R"({"address":"x@example.test","shared":true,"role":"server_admin"})"), 400);
  EXPECT_TRUE(local("GET", "/api/v1/users?state=shared").has("info@example.test"));
  EXPECT_FALSE(local("GET", "/api/v1/users?state=shared").has("anna@example.test"));
}

TEST_F(DelegatesApiTest, AnAccountBecomesSharedAndAPersonsAgain) {
  const std::string anna = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 200);
  EXPECT_TRUE(
      local("PATCH", "/api/v1/users/anna@example.test", R"({"shared":true})").has(R"("has_password":false,"shared":true)"));
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 401) << "who was signed in is no more";
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 401);
  EXPECT_TRUE(local("PATCH", "/api/v1/users/anna@example.test", R"({"shared":false})").has(R"("shared":false)"));
  EXPECT_EQ(status("PUT", "/api/v1/users/anna@example.test/password", R"({"password":"password-9"})"), 204);
  EXPECT_EQ(sign_in("anna@example.test", "password-9").status, 201);
}

TEST_F(DelegatesApiTest, SomebodyLetsOthersInHimself) {
  const std::string anna = browser("anna@example.test", "password-1"), bert = browser("bert@example.test", "password-2");
  EXPECT_EQ(call("PUT", "/api/v1/me/delegates/bert@example.test", R"({"access":"read","send_as":true})", anna).status, 200);
  EXPECT_TRUE(call("GET", "/api/v1/me/delegates", "", anna).has(R"("address":"bert@example.test","access":"read")"));
  EXPECT_TRUE(call("GET", "/api/v1/me/delegations", "", bert).has(R"("address":"anna@example.test","access":"read")"));
  EXPECT_TRUE(call("GET", "/api/v1/me/delegates", "", bert).has(R"({"items":[],"next":null})"));
  EXPECT_EQ(call("DELETE", "/api/v1/me/delegates/anna@example.test", "", bert).status, 404) << "not his to take";
  EXPECT_EQ(call("DELETE", "/api/v1/me/delegates/bert@example.test", "", anna).status, 204);
  EXPECT_TRUE(call("GET", "/api/v1/me/delegations", "", bert).has(R"({"items":[],"next":null})"));
  EXPECT_EQ(call("GET", "/api/v1/me/delegates").status, 401);
}

}  // namespace
}  // namespace posthus::web_admin
