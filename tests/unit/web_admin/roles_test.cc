// Domain admins and users: what they may do, and that the whole table of routes refuses them everything else without telling what
// exists.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

class RolesTest : public BrowserTest {
 protected:
  RolesTest() {
    world_.add_domain("one.test");
    world_.add_domain("two.test");
    for (const char* address : {"chief@one.test", "anna@one.test", "boss@one.test", "both@one.test", "bob@two.test"}) {
      world_.add_user(address, "password-1");
    }
    world_.add_alias("info@one.test", {"anna@one.test"});
    world_.add_alias("info@two.test", {"bob@two.test"});
    world_.add_alias("@two.test", {"bob@two.test"});
    world_.add_group("all@two.test", store::GroupWriters::kDomain, {"bob@two.test"});
    local("PATCH", "/api/v1/users/chief@one.test", R"({"role":"domain_admin","admin_of":["one.test"]})");
    local("PATCH", "/api/v1/users/both@one.test", R"({"role":"domain_admin","admin_of":["one.test","two.test"]})");
    local("PATCH", "/api/v1/users/boss@one.test", R"({"role":"server_admin"})");
    local("POST", "/api/v1/domains/two.test/dkim/rotate");
    bobs_ =
        queue("bob@two.test", {"x@far.test"},
              R"({"event":"accepted","login":"bob@two.test","from":"anna@one.test","subject":"to chief@one.test","recipients":[)"
              R"({"recipient":"x@far.test","event":"queued"}]})");
    annas_ = queue("anna@one.test", {"y@far.test"},
                   R"({"event":"accepted","login":"anna@one.test","from":"anna@one.test","recipients":[)"
                   R"({"recipient":"y@far.test","event":"queued"}]})");
    mixed_ = queue("bob@two.test", {"z@far.test"},
                   R"({"event":"accepted","login":"bob@two.test","address":"192.0.2.7","from":"bob@two.test","skipped":[)"
                   R"({"address":"off@two.test","reason":"disabled","via":"info@one.test"},)"
                   R"({"address":"hidden@two.test","reason":"unknown","via":"info@two.test"}],"recipients":[)"
                   R"({"recipient":"info@one.test","event":"delivered"},{"recipient":"secret@far.test","event":"queued"}]})");
    chief_ = browser("chief@one.test", "password-1");
    anna_ = browser("anna@one.test", "password-1");
  }

  /// Values of a placeholder: one of somebody else that exists, and one that does not.
  std::pair<std::string, std::string> values(const Route& route, const std::string& placeholder) const {
    const std::string path(route.path);
    if (path.starts_with("/api/v1/domains/") && placeholder == "name") return {"two.test", "none.test"};
    if (path.starts_with("/api/v1/users/")) return {"bob@two.test", "none@two.test"};
    if (path.starts_with("/api/v1/aliases/")) return {"info@two.test", "none@two.test"};
    if (path.starts_with("/api/v1/groups/") && placeholder == "address") return {"all@two.test", "none@two.test"};
    if (path.starts_with("/api/v1/queue/") || path.starts_with("/api/v1/trace/")) return {bobs_, to_text(QueueId(7))};
    return {"two.test", "none.test"};
  }
  /// The path with its placeholders filled in: first() or second of values().
  std::string fill(const Route& route, bool is_there) const {
    std::string path(route.path);
    for (std::size_t at; (at = path.find('{')) != std::string::npos;) {
      const std::size_t end = path.find('}', at);
      const auto pair = values(route, path.substr(at + 1, end - at - 1));
      path.replace(at, end - at + 1, is_there ? pair.first : pair.second);
    }
    return path;
  }
  /// A body that would be taken from a server admin, where an empty object would not.
  std::string body_of(const Route& route, bool is_there) const {
    static const std::map<std::string, std::pair<std::string, std::string>> kBodies{
        {"POST /api/v1/users", {R"({"address":"bob@two.test"})", R"({"address":"none@none.test"})"}},
        {"POST /api/v1/aliases",
         {R"({"address":"info@two.test","targets":["anna@one.test"]})",
          R"({"address":"none@none.test","targets":["anna@one.test"]})"}},
        {"POST /api/v1/groups",
         {R"({"address":"all@two.test","members":["anna@one.test"]})",
          R"({"address":"none@none.test","members":["anna@one.test"]})"}},
    };
    if (route.body == BodyKind::kNone) return "";
    if (route.path == "/api/v1/queue") return R"({"action":"remove","id":")" + (is_there ? bobs_ : to_text(QueueId(7))) + "\"}";
    const auto found = kBodies.find(std::string(route.method) + " " + std::string(route.path));
    if (found != kBodies.end()) return is_there ? found->second.first : found->second.second;
    return "{}";
  }
  static std::string without(std::string text, const std::string& word) {
    for (std::size_t at; !word.empty() && (at = text.find(word)) != std::string::npos;) text.replace(at, word.size(), "*");
    return text;
  }

  std::string bobs_, annas_, mixed_, chief_, anna_;
};

TEST_F(RolesTest, TheWholeTableRefusesADomainAdminWhatIsOfOtherDomains) {
  const std::set<std::string> lists{"/api/v1/domains", "/api/v1/users", "/api/v1/aliases",
                                    "/api/v1/groups",  "/api/v1/queue", "/api/v1/trace"};
  for (const Route& route : routes()) {
    if (route.scope == Scope::kOpen || route.scope == Scope::kUser) continue;
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    if (route.reach == Reach::kNarrowed && route.method == "GET" && !route.path.ends_with('}')) {
      ASSERT_TRUE(lists.contains(std::string(route.path))) << name << " is new: does it show what is of other domains?";
      const Answer list = call("GET", std::string(route.path) + "?limit=1000", "", chief_);
      EXPECT_EQ(list.status, 200) << name << list.body;
      for (const std::string& foreign : {std::string("two.test"), bobs_, std::string("far.test\",\"event\":\"queued\"},{")}) {
        if (route.path == "/api/v1/trace" && foreign == "two.test") continue;  // who wrote to one is no secret
        EXPECT_FALSE(list.has(foreign)) << name << ' ' << foreign << list.body;
      }
      continue;
    }
    const Answer there = call(std::string(route.method), fill(route, true), body_of(route, true), chief_),
                 absent = call(std::string(route.method), fill(route, false), body_of(route, false), chief_);
    const std::set<std::string> makers{"/api/v1/users", "/api/v1/aliases", "/api/v1/groups"};
    const int expected = route.reach == Reach::kNarrowed && !makers.contains(std::string(route.path)) ? 404 : 403;
    EXPECT_EQ(there.status, expected) << name << there.body;
    EXPECT_EQ(absent.status, expected) << name << absent.body;
    EXPECT_EQ(without(there.body, bobs_), without(absent.body, to_text(QueueId(7)))) << name << " tells what exists";
  }
  for (const char* target : {"/api/v1/domains/TWO.test.", "/api/v1/users/bob@TWO.test", "/api/v1/users/%40two.test",
                             "/api/v1/aliases/@two.test", "/api/v1/users?domain=two.test", "/api/v1/users?domain=none.test",
                             "/api/v1/aliases?domain=Two.Test", "/api/v1/users/no%20address"}) {
    EXPECT_EQ(call("GET", target, "", chief_).status, 403) << target;
  }
  EXPECT_EQ(local("GET", "/api/v1/queue/" + bobs_).status, 200) << "it is still there";
}

TEST_F(RolesTest, TheWholeTableRefusesAUserAllButHisOwn) {
  for (const Route& route : routes()) {
    if (route.scope == Scope::kOpen || route.scope == Scope::kUser) continue;
    for (const bool is_there : {true, false}) {
      const Answer answer = call(std::string(route.method), fill(route, is_there), body_of(route, is_there), anna_);
      EXPECT_EQ(answer.status, 403) << route.method << ' ' << route.path << answer.body;
    }
  }
}

TEST_F(RolesTest, ADomainAdminLooksAfterHisDomains) {
  const auto ok = [this](const std::string& method, const std::string& target, const std::string& body = "") {
    const Answer answer = call(method, target, body, chief_);
    EXPECT_LT(answer.status, 300) << method << ' ' << target << answer.body;
    return answer;
  };
  EXPECT_TRUE(ok("GET", "/api/v1/session").has("\"role\":\"domain_admin\""));
  EXPECT_TRUE(ok("GET", "/api/v1/me").has("\"admin_of\":[\"one.test\"]"));
  EXPECT_TRUE(ok("GET", "/api/v1/domains").has("one.test"));
  ok("PATCH", "/api/v1/domains/ONE.test", R"({"language":"de"})");
  ok("GET", "/api/v1/domains/one.test/dkim");
  ok("POST", "/api/v1/users", R"({"address":"new@one.test","password":"password-1"})");
  ok("PATCH", "/api/v1/users/new@one.test", R"({"disabled":true,"role":"user"})");
  ok("PUT", "/api/v1/users/new@one.test/password", R"({"password":"password-2"})");
  ok("PUT", "/api/v1/users/new@one.test/address", R"({"address":"newer@one.test"})");
  ok("DELETE", "/api/v1/users/newer@one.test");
  ok("DELETE", "/api/v1/aliases/new@one.test");
  ok("POST", "/api/v1/aliases", R"({"address":"@one.test","targets":["anna@one.test"]})");
  ok("DELETE", "/api/v1/aliases/@one.test");
  ok("POST", "/api/v1/groups", R"({"address":"all@one.test","members":["anna@one.test"]})");
  ok("PUT", "/api/v1/groups/all@one.test/members/bob@two.test");
  ok("DELETE", "/api/v1/groups/all@one.test");
  ok("PUT", "/api/v1/users/anna@one.test/delegates/chief@one.test", R"({"access":"read"})");
  for (const char* other : {"bob@two.test", "none@two.test", "none@none.test"}) {
    EXPECT_EQ(call("PUT", std::string("/api/v1/users/anna@one.test/delegates/") + other, R"({"access":"read"})", chief_).status,
              403)
        << other;
  }
  EXPECT_EQ(call("PUT", "/api/v1/users/boss@one.test/delegates/chief@one.test", R"({"access":"read"})", chief_).status, 403)
      << "the mail of a server admin";
  ok("DELETE", "/api/v1/users/anna@one.test/delegates/chief@one.test");
  EXPECT_TRUE(ok("GET", "/api/v1/users").has("boss@one.test"));
  EXPECT_TRUE(ok("GET", "/api/v1/queue").has(annas_));
  ok("GET", "/api/v1/queue/" + annas_);
  ok("POST", "/api/v1/queue", R"({"action":"retry","account":"anna@one.test"})");
  ok("POST", "/api/v1/queue", R"({"action":"remove","id":")" + annas_ + "\"}");
}

TEST_F(RolesTest, ADomainAdminGetsNoFurtherThanThat) {
  const auto refused = [this](const std::string& method, const std::string& target, const std::string& body = "") {
    const Answer answer = call(method, target, body, chief_);
    EXPECT_EQ(answer.status, 403) << method << ' ' << target << body << answer.body;
  };
  refused("PATCH", "/api/v1/users/anna@one.test", R"({"role":"server_admin"})");
  refused("PATCH", "/api/v1/users/anna@one.test", R"({"role":"domain_admin","admin_of":["one.test"]})");
  refused("PATCH", "/api/v1/users/chief@one.test", R"({"admin_of":["one.test","two.test"]})");
  refused("POST", "/api/v1/users", R"({"address":"new@one.test","role":"server_admin"})");
  refused("PUT", "/api/v1/users/chief@one.test/password", R"({"password":"password-9"})");
  refused("DELETE", "/api/v1/users/chief@one.test/second-factor");
  refused("PUT", "/api/v1/users/anna@one.test/address", R"({"address":"anna@two.test"})");
  refused("PATCH", "/api/v1/users/anna@one.test", R"({"messages_per_day":100000})");
  refused("PATCH", "/api/v1/domains/one.test", R"({"messages_per_day":100000})");
  refused("PATCH", "/api/v1/domains/one.test", R"({"domain_messages_per_day":100000})");
  refused("PATCH", "/api/v1/domains/one.test", R"({"disabled":true})");
  refused("DELETE", "/api/v1/domains/one.test");
  refused("POST", "/api/v1/users/anna@one.test/hold", "{}");
  refused("POST", "/api/v1/users/anna@one.test/release");
  for (const char* stronger : {"boss@one.test", "both@one.test"}) {
    refused("PUT", "/api/v1/users/" + std::string(stronger) + "/password", R"({"password":"password-9"})");
    refused("PATCH", "/api/v1/users/" + std::string(stronger), R"({"forward_to":["chief@one.test"]})");
    refused("DELETE", "/api/v1/users/" + std::string(stronger));
    refused("PUT", "/api/v1/users/" + std::string(stronger) + "/address", R"({"address":"weaker@one.test"})");
  }
  for (const char* body :
       {R"({"action":"remove","everything":true})", R"({"action":"remove","domain":"far.test"})",
        R"({"action":"remove","sender":"claimed@one.test"})", R"({"action":"remove","account":"bob@two.test"})",
        R"({"action":"remove","account":"none@two.test"})", R"({"action":"hold","account":"anna@one.test"})",
        R"({"action":"release","account":"anna@one.test"})"}) {
    refused("POST", "/api/v1/queue", body);
  }
  refused("POST", "/api/v1/queue", R"({"action":"reroute","route":"smtp://127.0.0.1:25","id":")" + annas_ + "\"}");
}

TEST_F(RolesTest, TheTraceIsNarrowedToOnesOwnPart) {
  const Answer list = call("GET", "/api/v1/trace", "", chief_);
  EXPECT_TRUE(list.has(annas_));
  EXPECT_TRUE(list.has(mixed_)) << list.body;
  EXPECT_FALSE(list.has(bobs_)) << "a claimed sender and a subject are no proof";
  const Answer mixed = call("GET", "/api/v1/trace/" + mixed_, "", chief_);
  EXPECT_TRUE(mixed.has("info@one.test")) << mixed.body;
  EXPECT_FALSE(mixed.has("secret@far.test")) << "another recipient";
  EXPECT_TRUE(mixed.has("off@two.test")) << "a member of his alias";
  EXPECT_FALSE(mixed.has("hidden@two.test")) << "a member of another alias";
  EXPECT_FALSE(mixed.has("192.0.2.7")) << "where the sender sat";
  EXPECT_TRUE(call("GET", "/api/v1/trace?address=secret@far.test", "", chief_).has("\"items\":[]"))
      << "a search tells nothing else";
  EXPECT_TRUE(call("GET", "/api/v1/trace?address=info@one.test", "", chief_).has(mixed_));
  const Answer own = call("GET", "/api/v1/me/trace", "", anna_);
  EXPECT_TRUE(own.has(annas_));
  EXPECT_TRUE(own.has(mixed_)) << "by an alias that leads to her";
  EXPECT_FALSE(own.has(bobs_));
  EXPECT_EQ(call("GET", "/api/v1/me/trace/" + annas_, "", anna_).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/me/trace/" + bobs_, "", anna_).status, 404);
  EXPECT_EQ(call("GET", "/api/v1/me/trace/" + annas_, "", chief_).status, 404) << "an admin's own trace is his own";
}

TEST_F(RolesTest, UsersForwardTheirOwnMailAndNothingElse) {
  EXPECT_TRUE(call("PATCH", "/api/v1/me", R"({"forward_to":["a@far.test"],"keeps_copy":false})", anna_).has("a@far.test"));
  EXPECT_TRUE(local("GET", "/api/v1/users/anna@one.test").has("a@far.test"));
  for (const char* body : {R"({"role":"server_admin"})", R"({"quota_bytes":0})", R"({"disabled":false})"}) {
    EXPECT_EQ(call("PATCH", "/api/v1/me", body, anna_).status, 400) << body;
  }
}

TEST_F(RolesTest, RightsEndAtOnce) {
  local("PATCH", "/api/v1/users/chief@one.test", R"({"admin_of":["two.test"]})");
  EXPECT_EQ(call("GET", "/api/v1/domains/one.test", "", chief_).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/domains/two.test", "", chief_).status, 200);
  local("PATCH", "/api/v1/users/chief@one.test", R"({"role":"user"})");
  EXPECT_EQ(call("GET", "/api/v1/domains/two.test", "", chief_).status, 403);
  const auto refusal = [this](const std::string& body) {
    return call("PATCH", "/api/v1/users/chief@one.test", body, "", /*is_local=*/true).status;
  };
  EXPECT_EQ(refusal(R"({"role":"domain_admin"})"), 400) << "of what?";
  EXPECT_EQ(refusal(R"({"role":"domain_admin","admin_of":["none.test"]})"), 404);
  EXPECT_EQ(refusal(R"({"role":"user","admin_of":["one.test"]})"), 400);
}

}  // namespace
}  // namespace posthus::web_admin
