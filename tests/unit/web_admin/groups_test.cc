// Groups through the API: made, changed, searched, emptied of members, refused.
#include "tests/unit/web_admin/browser.h"

namespace posthus::web_admin {
namespace {

class GroupsApiTest : public BrowserTest {
 protected:
  GroupsApiTest() {
    world_.add_user("anna@example.test", "password-1");
    local(
        "POST", "/api/v1/groups",
        R"({"address":"team@example.test","display_name":"The team","writers":"members","members":["anna@example.test","X@far.test"]})");
  }
  Answer group() { return local("GET", "/api/v1/groups/TEAM@example.test"); }
  Answer refused(const std::string& method, const std::string& target, const std::string& body = "") {
    return call(method, target, body, "", /*is_local=*/true);
  }
};

TEST_F(GroupsApiTest, AreMadeAndChanged) {
  EXPECT_TRUE(group().has(R"({"address":"team@example.test","display_name":"The team","writers":"members",)"
                          R"("members":["anna@example.test","X@far.test"],"created":)"))
      << group().body;
  EXPECT_TRUE(local("PATCH", "/api/v1/groups/team@example.test", R"({"writers":"domain"})")
                  .has(R"("writers":"domain","members":["anna)"));
  EXPECT_TRUE(local("PATCH", "/api/v1/groups/team@example.test", R"({"display_name":"","members":["b@far.test","b@FAR.test"]})")
                  .has(R"("display_name":"","writers":"domain","members":["b@far.test"])"));
  EXPECT_FALSE(local("GET", "/api/v1/aliases").has("team@")) << "it is no alias";
  local("DELETE", "/api/v1/groups/team@example.test");
  EXPECT_EQ(refused("GET", "/api/v1/groups/team@example.test").status, 404);
}

TEST_F(GroupsApiTest, MembersComeAndGoOneByOne) {
  EXPECT_TRUE(local("PUT", "/api/v1/groups/team@example.test/members/y@far.test").has(R"("X@far.test","y@far.test"])"));
  EXPECT_TRUE(local("PUT", "/api/v1/groups/team@example.test/members/Y@FAR.test").has(R"("X@far.test","y@far.test"])"));
  EXPECT_TRUE(
      local("DELETE", "/api/v1/groups/team@example.test/members/x@far.test").has(R"(["anna@example.test","y@far.test"])"));
  EXPECT_EQ(refused("DELETE", "/api/v1/groups/team@example.test/members/x@far.test").status, 404);
  local("DELETE", "/api/v1/groups/team@example.test/members/y@far.test");
  const Answer last = refused("DELETE", "/api/v1/groups/team@example.test/members/anna@example.test");
  EXPECT_EQ(last.status, 400);
  EXPECT_TRUE(last.has("the last member")) << last.body;
  EXPECT_EQ(refused("PUT", "/api/v1/groups/team@example.test/members/nobody").status, 400);
  EXPECT_EQ(refused("PUT", "/api/v1/groups/none@example.test/members/y@far.test").status, 404);
}

TEST_F(GroupsApiTest, AreWrittenDownWithTheirMembers) {
  local("PUT", "/api/v1/groups/team@example.test/members/new@far.test");
  const Answer audit = local("GET", "/api/v1/audit?limit=1");
  EXPECT_TRUE(audit.has("/api/v1/groups/team@example.test/members/new@far.test")) << audit.body;
  EXPECT_TRUE(audit.has("\"members\":[\"anna@example.test\",\"X@far.test\",\"new@far.test\"]")) << audit.body;
}

TEST_F(GroupsApiTest, AreFoundByAddressNameAndMember) {
  local("POST", "/api/v1/groups", R"({"address":"board@example.test","members":["b@far.test"]})");
  EXPECT_TRUE(local("GET", "/api/v1/groups").has("board@example.test"));
  for (const char* text : {"TEAM", "the%20team", "x@far"}) {
    const Answer found = local("GET", std::string("/api/v1/groups?search=") + text);
    EXPECT_TRUE(found.has("team@example.test")) << text;
    EXPECT_FALSE(found.has("board@example.test")) << text;
  }
  EXPECT_FALSE(local("GET", "/api/v1/groups?limit=1").has(R"("next":null)"));
}

TEST_F(GroupsApiTest, AreChecked) {
  const auto status = [this](const std::string& body) { return refused("POST", "/api/v1/groups", body).status; };
  EXPECT_EQ(status(R"({"address":"team@example.test","members":["a@b.test"]})"), 409);
  EXPECT_EQ(status(R"({"address":"anna@example.test","members":["a@b.test"]})"), 409);
  EXPECT_EQ(status(R"({"address":"t@none.test","members":["a@b.test"]})"), 404);
  EXPECT_EQ(status(R"({"address":"@example.test","members":["a@b.test"]})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test","members":[]})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test","members":["x"]})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test"})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test","members":["a@b.test"],"writers":"nobody"})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test","members":["a@b.test"],"display_name":"a\nb"})"), 400);
  EXPECT_EQ(status(R"({"address":"t@example.test","members":["a@b.test"],"display_name":")" + std::string(201, 'x') + "\"}"),
            400);
  local("POST", "/api/v1/aliases", R"({"address":"info@example.test","targets":["anna@example.test"]})");
  EXPECT_EQ(refused("GET", "/api/v1/groups/info@example.test").status, 404) << "an alias";
  EXPECT_EQ(refused("PATCH", "/api/v1/groups/info@example.test", R"({"writers":"domain"})").status, 404);
  EXPECT_EQ(refused("PUT", "/api/v1/aliases/team@example.test", R"({"targets":["a@b.test"]})").status, 404);
}

}  // namespace
}  // namespace posthus::web_admin
