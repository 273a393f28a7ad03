// Addresses that users make for themselves, through the API: who may, what is refused with which words, and that nobody reaches
// those of others.
#include <gtest/gtest.h>

#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

class OwnAliasesApiTest : public BrowserTest {
 protected:
  OwnAliasesApiTest() {
    world_.add_domain("other.test");
    for (const char* address : {"anna@example.test", "ben@example.test", "eva@other.test"})
      world_.add_user(address, "password-1");
    world_.add_alias("team@example.test", {"anna@example.test", "ben@example.test"});
    anna_ = browser("anna@example.test", "password-1");
    ben_ = browser("ben@example.test", "password-1");
  }
  void allow(int number) { local("PATCH", "/api/v1/domains/example.test", R"({"own_aliases":)" + std::to_string(number) + "}"); }
  Answer make(const std::string& address, const std::string& who) {
    return call("POST", "/api/v1/me/aliases", R"({"address":")" + address + "\"}", who);
  }
  Answer remove(const std::string& address, const std::string& who) {
    return call("DELETE", "/api/v1/me/aliases/" + address, "", who);
  }
  Answer list(const std::string& who) { return call("GET", "/api/v1/me/aliases", "", who); }
  std::string anna_, ben_;
};

TEST_F(OwnAliasesApiTest, AreOffUntilADomainLetsThem) {
  EXPECT_EQ(list(anna_).body, "{\"domain\":\"example.test\",\"allowed\":0,\"items\":[],\"next\":null}\n");
  const Answer refused = make("shop@example.test", anna_);
  EXPECT_EQ(refused.status, 409);
  EXPECT_TRUE(refused.has("your domain has no addresses of one's own")) << refused.body;
  EXPECT_TRUE(call("GET", "/api/v1/domains/example.test", "", "", true).has("\"own_aliases\":0"));
  allow(1);
  EXPECT_TRUE(call("GET", "/api/v1/domains/example.test", "", "", true).has("\"own_aliases\":1"));
  EXPECT_EQ(call("PATCH", "/api/v1/domains/example.test", R"({"own_aliases":101})", "", true).status, 400);
  const Answer made = make("Shop@example.test", anna_);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.text("address"), "shop@example.test");
  EXPECT_TRUE(list(anna_).has("\"allowed\":1,\"items\":[{\"address\":\"shop@example.test\"")) << list(anna_).body;
  const Answer second = make("second@example.test", anna_);
  EXPECT_EQ(second.status, 409);
  EXPECT_TRUE(second.has("you may have 1 addresses of your own")) << second.body;
  EXPECT_TRUE(call("GET", "/api/v1/aliases/shop@example.test", "", "", true).has("\"own\":true"));
  EXPECT_TRUE(call("GET", "/api/v1/aliases/team@example.test", "", "", true).has("\"own\":false"));
  EXPECT_EQ(remove("shop@example.test", anna_).status, 204);
  EXPECT_EQ(call("GET", "/api/v1/aliases/shop@example.test", "", "", true).status, 404);
}

TEST_F(OwnAliasesApiTest, TakeNothingOfOthersAndNoOffice) {
  allow(10);
  for (const char* taken : {"ben@example.test", "team@example.test", "anna@example.test"})
    EXPECT_EQ(make(taken, anna_).status, 409) << taken;
  for (const char* reserved :
       {"postmaster@example.test", "abuse@example.test", "Admin@example.test", "mailer-daemon@example.test"}) {
    EXPECT_EQ(make(reserved, anna_).status, 409) << reserved;
  }
  for (const char* odd : {"shop@other.test", "shop@elsewhere.test", "ben+x@example.test", "@example.test", "shop", ""}) {
    EXPECT_EQ(make(odd, anna_).status, 400) << odd;
  }
  EXPECT_EQ(call("POST", "/api/v1/me/aliases", R"({"address":7})", anna_).status, 400);
  EXPECT_EQ(call("POST", "/api/v1/me/aliases", R"({"address":"x@example.test","account":2})", anna_).status, 400);
  EXPECT_TRUE(list(anna_).has("\"items\":[]"));
}

TEST_F(OwnAliasesApiTest, AreWrittenDownAndFillNoLog) {
  allow(1);
  const auto lines = [this] {
    const std::string all = local("GET", "/api/v1/audit?limit=1000").body;
    std::size_t count = 0;
    for (std::size_t at = all.find("/api/v1/me/aliases"); at != std::string::npos; at = all.find("/api/v1/me/aliases", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(make("shop@example.test", anna_).status, 201);
  Answer audit = local("GET", "/api/v1/audit?limit=1");
  EXPECT_TRUE(audit.has("\"who\":\"anna@example.test\"")) << audit.body;
  EXPECT_TRUE(audit.has("\"address\":\"shop@example.test\"")) << audit.body;
  EXPECT_EQ(remove("shop@example.test", anna_).status, 204);
  audit = local("GET", "/api/v1/audit?limit=1");
  EXPECT_TRUE(audit.has("\"target\":\"/api/v1/me/aliases/shop@example.test\"")) << audit.body;
  EXPECT_EQ(lines(), 2u);
  for (int i = 0; i < 198; ++i) EXPECT_EQ(remove("shop@example.test", anna_).status, 404);
  EXPECT_EQ(make("shop@example.test", anna_).status, 429);
  EXPECT_EQ(remove("shop@example.test", anna_).status, 429);
  EXPECT_EQ(lines(), 200u);
  EXPECT_EQ(make("bens@example.test", ben_).status, 201) << "each has his own allowance";
}

TEST_F(OwnAliasesApiTest, NobodyReachesThoseOfOthers) {
  allow(10);
  EXPECT_EQ(make("annas@example.test", anna_).status, 201);
  EXPECT_FALSE(list(ben_).has("annas@"));
  const Answer others = remove("annas@example.test", ben_), none = remove("nosuch@example.test", ben_);
  EXPECT_EQ(others.status, 404);
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(others.text("detail").size() - std::string("annas").size(), none.text("detail").size() - std::string("nosuch").size())
      << "one answer, whether it exists or not";
  for (const char* target : {"team@example.test", "ben@example.test", "@example.test", "nonsense"}) {
    EXPECT_EQ(remove(target, ben_).status, 404) << target;
  }
  EXPECT_EQ(list("").status, 401);
  EXPECT_EQ(make("x@example.test", "").status, 401);
  EXPECT_TRUE(list(anna_).has("annas@example.test"));
}

}  // namespace
}  // namespace posthus::web_admin
