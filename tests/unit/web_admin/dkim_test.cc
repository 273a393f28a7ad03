// Signing keys of domains over the API: made with the domain, exchanged with an overlap, never shown but for what the DNS holds.
#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "store/queue_reader.h"
#include "tests/support/world.h"
#include "web-admin/api.h"

namespace posthus::web_admin {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;

class DkimTest : public ::testing::Test {
 protected:
  DkimTest()
      : api_({.store = *world_.store,
              .clock = world_.clock,
              .hostname = "mx.example.test",
              .make_signing_key = [this](mailauth::SigningAlgorithm algorithm) -> Result<mailauth::NewKey> {
                if (is_making_broken_) return fail(ErrorKind::kUnavailable, "no keys today");
                return testing::key_made_once(algorithm);
              }}) {}

  Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request{.method = method, .target = target, .content_type = "application/json", .body = body};
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  void add_domain() { EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"bank.test"})").status, 201); }
  Response keys(const std::string& method = "GET", const std::string& path = "") {
    return call(method, "/api/v1/domains/bank.test/dkim" + path);
  }
  std::vector<store::DkimKeyRecord> stored(const std::string& domain = "bank.test") {
    return store::QueueReader(**world_.store->snapshot()).dkim_keys(domain).value();
  }
  /// "r20261121 active, …" as the API lists them.
  std::string states() {
    std::string out, body = keys().body;
    for (std::size_t at = body.find("\"selector\":\""); at != std::string::npos; at = body.find("\"selector\":\"", at + 1)) {
      const std::size_t state = body.find("\"state\":\"", at) + 9;
      out += (out.empty() ? "" : ", ") + body.substr(at + 12, body.find('"', at + 12) - at - 12) + " " +
             body.substr(state, body.find('"', state) - state);
    }
    return out;
  }

  testing::World world_;
  bool is_making_broken_ = false;
  Api api_;
};

TEST_F(DkimTest, ADomainIsMadeWithBothKeys) {
  add_domain();
  EXPECT_EQ(states(), "e20261121 active, r20261121 active");
  const std::string body = keys().body;
  EXPECT_TRUE(body.contains("\"record_name\":\"r20261121._domainkey.bank.test\"")) << body;
  EXPECT_TRUE(body.contains("\"record\":\"v=DKIM1; k=rsa; p=MIIB")) << body;
  EXPECT_TRUE(body.contains("\"record\":\"v=DKIM1; k=ed25519; p=")) << body;
  EXPECT_TRUE(body.contains("\"created\":\"2026-11-21T12:00:00Z\",\"retires\":null")) << body;
}

TEST_F(DkimTest, PrivateKeysAreNeverShown) {
  add_domain();
  const std::string shown = keys().body + keys("POST", "/rotate").body + keys("POST", "/activate").body +
                            call("GET", "/api/v1/domains/bank.test").body + call("GET", "/api/v1/domains").body;
  for (const store::DkimKeyRecord& key : stored()) {
    ASSERT_GT(key.private_key.size(), 40U);
    EXPECT_FALSE(shown.contains(base64_encode(key.private_key).substr(20, 20)));
    EXPECT_FALSE(shown.contains(key.private_key.substr(20, 20)));
  }
}

TEST_F(DkimTest, NewKeysWaitThenOldOnesRetireForAWeek) {
  add_domain();
  world_.clock.advance(kDay);
  EXPECT_EQ(keys("POST", "/rotate").status, 201);
  EXPECT_EQ(states(), "e20261121 active, e20261122 pending, r20261121 active, r20261122 pending");
  EXPECT_EQ(keys("POST", "/rotate").status, 409);
  EXPECT_EQ(keys("POST", "/activate").status, 200);
  EXPECT_EQ(states(), "e20261121 retiring, e20261122 active, r20261121 retiring, r20261122 active");
  EXPECT_TRUE(keys().body.contains("\"retires\":\"2026-11-29T12:00:00Z\"")) << keys().body;
  EXPECT_EQ(keys("POST", "/activate").status, 404);
  world_.clock.advance(7 * kDay);
  EXPECT_EQ(states(), "e20261122 active, r20261122 active");
  EXPECT_EQ(stored().size(), 4U);
  EXPECT_EQ(tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value(), 1U);  // example.test had none
  EXPECT_EQ(stored().size(), 2U);
}

TEST_F(DkimTest, SelectorsOfOneDayDiffer) {
  add_domain();
  keys("POST", "/rotate");
  EXPECT_EQ(states(), "e20261121 active, e20261121b pending, r20261121 active, r20261121b pending");
}

TEST_F(DkimTest, AKeyIsRemovedAtOnceAndWithoutAnyNewOnesSignAtOnce) {
  add_domain();
  EXPECT_EQ(keys("DELETE", "/r20261121").status, 204);
  EXPECT_EQ(keys("DELETE", "/r20261121").status, 404);
  EXPECT_EQ(states(), "e20261121 active");
  EXPECT_EQ(keys("DELETE", "/e20261121").status, 204);
  EXPECT_EQ(keys("POST", "/rotate").status, 201);
  EXPECT_EQ(states(), "e20261121 active, r20261121 active");
}

TEST_F(DkimTest, ADomainWhoseKeysAreRemovedStaysWithoutThem) {
  add_domain();
  EXPECT_EQ(keys("DELETE", "/r20261121").status, 204);
  EXPECT_EQ(keys("DELETE", "/e20261121").status, 204);
  tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value();
  EXPECT_EQ(states(), "");
  // Nor when something else of the domain is changed.
  EXPECT_EQ(call("PATCH", "/api/v1/domains/bank.test", R"({"language":"de"})").status, 200);
  tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value();
  EXPECT_EQ(states(), "");
  // Whoever makes new ones has them, and may remove them again.
  EXPECT_EQ(keys("POST", "/rotate").status, 201);
  tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value();
  EXPECT_EQ(states(), "e20261121 active, r20261121 active");
}

TEST_F(DkimTest, WhenOnlyRetiringKeysAreLeftTheirEndBringsNoNewOnes) {
  add_domain();
  keys("POST", "/rotate");
  keys("POST", "/activate");
  EXPECT_EQ(keys("DELETE", "/r20261121b").status, 204);
  EXPECT_EQ(keys("DELETE", "/e20261121b").status, 204);
  world_.clock.advance(8 * kDay);
  tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value();
  EXPECT_EQ(states(), "");
  EXPECT_EQ(stored().size(), 0U);
}

TEST_F(DkimTest, DomainsWithoutKeysGetThem) {
  is_making_broken_ = true;
  add_domain();
  EXPECT_EQ(states(), "");
  EXPECT_EQ(tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value(), 2U);
  EXPECT_EQ(states(), "e20261121 active, r20261121 active");
  EXPECT_EQ(stored("example.test").size(), 2U);
  EXPECT_EQ(tend_keys(*world_.store, testing::key_made_once, world_.clock.now()).value(), 0U);
}

TEST_F(DkimTest, UnknownDomainsAreNamed) {
  EXPECT_EQ(keys().status, 404);
  EXPECT_EQ(keys("POST", "/rotate").status, 404);
  EXPECT_EQ(keys("POST", "/activate").status, 404);
  EXPECT_EQ(keys("DELETE", "/x").status, 404);
  EXPECT_EQ(call("GET", "/api/v1/domains/%20/dkim").status, 400);
}

}  // namespace
}  // namespace posthus::web_admin
