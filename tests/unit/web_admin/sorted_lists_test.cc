// Lists in another order than the store's: what comes first, that pages join without gaps, and whom they show what.
#include <gtest/gtest.h>

#include <regex>

#include "tests/unit/web_admin/browser.h"
#include "web-admin/ranked.h"

namespace posthus::web_admin {
namespace {

class SortedListsTest : public BrowserTest {
 protected:
  std::string list(const std::string& target) { return local("GET", "/api/v1/" + target).body; }
  /// Every value of a member on a page, one after another.
  static std::string values(const std::string& body, const std::string& member) {
    std::string all;
    const std::regex pattern("\"" + member + "\":\"([^\"]*)\"");
    for (std::sregex_iterator i(body.begin(), body.end(), pattern), end; i != end; ++i) {
      all += (all.empty() ? "" : " ") + (*i)[1].str();
    }
    return all;
  }
  /// The values of all pages of two, and that each page is full.
  std::string paged(const std::string& target, const std::string& member) {
    std::string all, after;
    do {
      const std::string body = list(target + "&limit=2" + (after.empty() ? "" : "&after=" + after));
      all += (all.empty() ? "" : " ") + values(body, member);
      after = values(body, "next");
    } while (!after.empty());
    return all;
  }
  void add(const std::string& path, const std::string& body) {
    world_.clock.advance(1'000'000);
    local("POST", "/api/v1/" + path, body);
  }
};

TEST_F(SortedListsTest, DomainsByWhatTheyHaveAndByAge) {
  for (const char* const name : {"b.test", "c.test", "a.test", "c.test.other.test"})
    add("domains", std::string(R"({"name":")") + name + "\"}");
  for (const char* const user : {"x@c.test", "y@c.test", "x@a.test"}) world_.add_user(user, "password-1");
  world_.add_user("x@c.test.other.test", "password-1");
  const std::string rest = " c.test.other.test";
  EXPECT_EQ(values(list("domains?search=test&sort=mailboxes&limit=2"), "name"), "c.test a.test");
  EXPECT_NE(list("domains/c.test").find("\"mailboxes\":2,"), std::string::npos)
      << "those of domains with a longer name are theirs";
  EXPECT_EQ(paged("domains?search=.test&sort=mailboxes", "name"), "c.test a.test" + rest + " b.test example.test");
  EXPECT_EQ(values(list("domains?sort=created&search=a.test"), "name"), "a.test");
  EXPECT_EQ(values(list("domains?sort=created&limit=4"), "name"), "c.test.other.test a.test c.test b.test");
  EXPECT_EQ(values(list("domains?sort=name&limit=3"), "name"), "a.test b.test c.test");
  const Answer refused = call("GET", "/api/v1/domains?sort=shoe_size", "", "", /*is_local=*/true);
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.has("parameter 'sort' must be one of: name, mailboxes, created")) << refused.body;
  EXPECT_EQ(call("GET", "/api/v1/domains?sort=created&after=AAAA", "", "", /*is_local=*/true).status, 400);
}

TEST_F(SortedListsTest, DomainAdminsSeeTheirsInEveryOrder) {
  for (const char* const name : {"one.test", "two.test"}) add("domains", std::string(R"({"name":")") + name + "\"}");
  world_.add_user("dora@one.test", "password-1");
  world_.add_user("eve@two.test", "password-1");
  local("PATCH", "/api/v1/users/dora@one.test", R"({"role":"domain_admin","admin_of":["one.test"]})");
  add("aliases", R"({"address":"info@one.test","targets":["dora@one.test"]})");
  add("aliases", R"({"address":"info@two.test","targets":["eve@two.test","x@far.test"]})");
  add("groups", R"({"address":"all@one.test","members":["dora@one.test"]})");
  add("groups", R"({"address":"all@two.test","members":["eve@two.test"]})");
  queue("dora@one.test", {"a@far.test"}, "");
  queue("eve@two.test", {"b@far.test"}, "");
  const std::string dora = browser("dora@one.test", "password-1");
  EXPECT_EQ(values(call("GET", "/api/v1/domains?sort=mailboxes", "", dora).body, "name"), "one.test");
  EXPECT_EQ(values(call("GET", "/api/v1/aliases?sort=targets", "", dora).body, "address"), "info@one.test");
  EXPECT_EQ(values(call("GET", "/api/v1/groups?sort=created", "", dora).body, "address"), "all@one.test");
  EXPECT_EQ(values(call("GET", "/api/v1/queue?sort=newest", "", dora).body, "account"), "dora@one.test");
  EXPECT_EQ(call("GET", "/api/v1/queue/destinations?sort=waiting", "", dora).status, 403);
}

TEST_F(SortedListsTest, AliasesAndGroupsByHowManyTheyReach) {
  world_.add_user("anna@example.test", "password-1");
  add("aliases", R"({"address":"b@example.test","targets":["anna@example.test","x@far.test"]})");
  add("aliases", R"({"address":"a@example.test","targets":["anna@example.test"]})");
  add("aliases", R"({"address":"@example.test","targets":["1@far.test","2@far.test","3@far.test"]})");
  EXPECT_EQ(paged("aliases?sort=targets", "address"), "@example.test b@example.test a@example.test");
  EXPECT_EQ(paged("aliases?sort=created&domain=example.test", "address"), "@example.test a@example.test b@example.test");
  EXPECT_EQ(values(list("aliases?sort=created&search=anna"), "address"), "a@example.test b@example.test");
  add("groups", R"({"address":"small@example.test","members":["anna@example.test"]})");
  add("groups", R"({"address":"large@example.test","members":["anna@example.test","x@far.test"]})");
  add("groups", R"({"address":"new@example.test","members":["x@far.test"]})");
  EXPECT_EQ(paged("groups?sort=members", "address"), "large@example.test new@example.test small@example.test");
  EXPECT_EQ(paged("groups?sort=created", "address"), "new@example.test large@example.test small@example.test");
}

TEST_F(SortedListsTest, TheQueueByAgeAndBySize) {
  world_.add_user("anna@example.test", "password-1");
  const std::string first = queue("anna@example.test", {"a@far.test"}, ""),
                    second = queue("anna@example.test", {"b@near.test"}, ""),
                    third = queue("anna@example.test", {"c@far.test"}, "");
  EXPECT_EQ(paged("queue?sort=oldest", "id"), first + " " + second + " " + third);
  EXPECT_EQ(paged("queue?sort=newest", "id"), third + " " + second + " " + first);
  EXPECT_EQ(paged("queue?sort=newest&domain=far.test", "id"), third + " " + first);
  const std::string larger = queue("anna@example.test", {"a@far.test"}, "", 5000);
  EXPECT_EQ(paged("queue?sort=size", "id"), larger + " " + third + " " + second + " " + first) << "of one size: the newest first";
  EXPECT_EQ(paged("queue?sort=size&domain=far.test", "id"), larger + " " + third + " " + first);
}

TEST_F(SortedListsTest, DestinationsByWhatWaits) {
  world_.add_user("anna@example.test", "password-1");
  queue("anna@example.test", {"a@one.test"}, "");
  queue("anna@example.test", {"a@three.test", "b@three.test", "c@three.test"}, "");
  queue("anna@example.test", {"a@two.test", "b@two.test"}, "");
  EXPECT_EQ(paged("queue/destinations?sort=waiting", "destination"), "three.test two.test one.test");
  EXPECT_EQ(paged("queue/destinations?sort=name", "destination"), "one.test three.test two.test");
  EXPECT_EQ(paged("queue/destinations?sort=next_attempt", "destination"), "one.test three.test two.test");
  EXPECT_EQ(call("GET", "/api/v1/queue/destinations?sort=mood", "", "", /*is_local=*/true).status, 400);
}

TEST_F(SortedListsTest, SignInsByHowOftenTheyCame) {
  const auto come = [this](const std::string& who, int times) {
    for (int i = 0; i < times; ++i) world_.authenticator->passkey_checked(who, {.protocol = "http"}, "wrong signature");
    world_.clock.advance(1'000'000);
  };
  come("often@example.test", 3);
  come("once@example.test", 1);
  come("twice@example.test", 2);
  EXPECT_EQ(paged("sign-ins?sort=count", "login"), "often@example.test twice@example.test once@example.test");
  EXPECT_EQ(paged("sign-ins?sort=last", "login"), "twice@example.test once@example.test often@example.test");
}

TEST(RankedTest, WhatComesFirstIsFirst) {
  EXPECT_GT(early_first(Timestamp{1}), early_first(Timestamp{2}));
  EXPECT_GT(late_first(Timestamp{2}), late_first(Timestamp{1}));
  EXPECT_EQ(late_first(Timestamp{-5}), 0u);
}

}  // namespace
}  // namespace posthus::web_admin
