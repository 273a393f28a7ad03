// Browsers: signing in, what a session may do and when it ends, other sites' pages, and the files of the panel.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "tests/unit/web_admin/browser.h"
#include "web-admin/api.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/panel.h"
#include "web-admin/server_session.h"

namespace posthus::web_admin {
namespace {

using testing::LoopbackDriver;

constexpr std::int64_t kHour = 3'600'000'000;

class SessionTest : public BrowserTest {
 protected:
  SessionTest() {
    world_.add_user("anna@example.test", "password-1");
    world_.add_user("root@example.test", "password-2");
    local("PATCH", "/api/v1/users/root@example.test", R"({"role":"server_admin"})");
  }
};

TEST_F(SessionTest, CookieIsOfThisHostSecureStrictAndOutOfScriptsReach) {
  const Answer answer = sign_in("Root@Example.TEST", "password-2");
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_TRUE(answer.has("; Path=/; Max-Age=259200; Secure; HttpOnly; SameSite=Strict")) << answer.head;
  EXPECT_TRUE(answer.has("\"role\":\"server_admin\"")) << answer.body;
  EXPECT_TRUE(answer.has("\"login\":\"root@example.test\"")) << answer.body;
  EXPECT_EQ(answer.body.find("__Host-"), std::string::npos);
}

TEST_F(SessionTest, AdminsMayDoAllAndUsersTheirOwn) {
  const std::string root = browser("root@example.test", "password-2"), anna = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("GET", "/api/v1/users", "", root).status, 200);
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"new.test"})", root).status, 201);
  EXPECT_EQ(call("GET", "/api/v1/me", "", root).status, 200);
  for (const Route& route : routes()) {
    if (route.scope == Scope::kOpen || route.scope == Scope::kUser) continue;
    std::string path(route.path);
    for (std::size_t at; (at = path.find('{')) != std::string::npos;) path.replace(at, path.find('}') - at + 1, "x");
    const std::string body = route.body == BodyKind::kNone ? "" : "{}";
    EXPECT_EQ(call(std::string(route.method), path, body, anna).status, 403) << route.method << ' ' << path;
  }
  EXPECT_TRUE(call("GET", "/api/v1/me", "", anna).has("\"address\":\"anna@example.test\""));
}

TEST_F(SessionTest, BackupStaysWithTheSocket) {
  EXPECT_EQ(call("POST", "/api/v1/backup", R"({"directory":"/x"})", browser("root@example.test", "password-2")).status, 403);
}

TEST_F(SessionTest, WrongPasswordsLookAlikeAndAreThrottled) {
  const Answer wrong = sign_in("anna@example.test", "nope"), unknown = sign_in("nobody@example.test", "nope");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.head.find("Basic"), std::string::npos) << "a browser would open its own window";
  for (int i = 0; i < 10; ++i) sign_in("anna@example.test", "nope" + std::to_string(i));
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 429);
}

TEST_F(SessionTest, PasswordsNeedTlsOrThisMachine) {
  is_tls_ = false;
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 403);
  address_ = "127.0.0.1";
  const std::string anna = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 200);
  address_ = "203.0.113.9";
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 401);
}

TEST_F(SessionTest, WhereLoopbackIsAForwardersSecretsNeedTlsThereToo) {
  address_ = "127.0.0.1";
  const std::string over_tls = browser("anna@example.test", "password-1");
  is_tls_ = false;
  const std::string unhidden = browser("anna@example.test", "password-1");
  gate_.proxies.loopback = Loopback::kForwarder;
  EXPECT_EQ(sign_in("anna@example.test", "password-1").status, 403);
  EXPECT_EQ(call("GET", "/api/v1/me", "", unhidden).status, 401);
  const Answer token = call("GET", "/api/v1/users", "", "Authorization: Bearer posthus_0123456789abcdef_x\r\n");
  EXPECT_EQ(token.status, 403);
  EXPECT_TRUE(token.has("TLS")) << token.body;
  EXPECT_EQ(call("GET", "/healthz").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/users", "", "", /*is_local=*/true).status, 200);
  is_tls_ = true;
  EXPECT_EQ(call("GET", "/api/v1/me", "", over_tls).status, 200);
}

TEST_F(SessionTest, PagesOfOtherSitesCannotAskForChanges) {
  const std::string root = browser("root@example.test", "password-2"), bare = without_panel(root);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test", "", bare).status, 403);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test", "", root + "Origin: https://evil.test\r\n").status, 403);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test", "", root + "Origin: null\r\n").status, 403);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test", "", root + "Sec-Fetch-Site: same-site\r\n").status, 403);
  EXPECT_EQ(sign_in_with("anna@example.test", "password-1", "").status, 403) << "nobody is signed in by another site";
  EXPECT_EQ(call("GET", "/api/v1/users", "", bare).status, 200);
  const std::string own = root + "Origin: https://mx.example.test\r\nSec-Fetch-Site: same-origin\r\n";
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test", "", own).status, 204);
}

TEST_F(SessionTest, SessionsEndWhenIdleAndInAnyCase) {
  const std::string idle = browser("anna@example.test", "password-1"), busy = browser("anna@example.test", "password-1");
  for (int hour = 0; hour < 71; ++hour) {
    world_.clock.advance(kHour);
    EXPECT_EQ(call("GET", "/api/v1/me", "", busy).status, 200) << hour;
  }
  EXPECT_EQ(call("GET", "/api/v1/me", "", idle).status, 401);
  world_.clock.advance(kHour);
  EXPECT_EQ(call("GET", "/api/v1/me", "", busy).status, 401);
  EXPECT_TRUE(call("GET", "/api/v1/session", "", busy).has("\"session\":null"));
}

TEST_F(SessionTest, OwnSessionsAreListedAndSignedOut) {
  const std::string one = browser("anna@example.test", "password-1");
  world_.clock.advance(1'000'000);
  const std::string two = browser("anna@example.test", "password-1"), root = browser("root@example.test", "password-2");
  const Answer list = call("GET", "/api/v1/sessions", "", one + "User-Agent: Agent<script>\r\n");
  EXPECT_EQ(list.status, 200);
  const std::size_t first = list.body.find("\"id\":\""), second = list.body.find("\"id\":\"", first + 1);
  ASSERT_NE(second, std::string::npos) << list.body;
  EXPECT_EQ(list.body.find("\"id\":\"", second + 1), std::string::npos) << "somebody else's";
  const std::string newer = list.body.substr(first + 6, 16), older = list.body.substr(second + 6, 16);
  EXPECT_EQ(call("DELETE", "/api/v1/sessions/" + newer, "", root).status, 404);
  EXPECT_EQ(call("DELETE", "/api/v1/sessions/" + newer, "", one).status, 204);
  EXPECT_EQ(call("GET", "/api/v1/me", "", two).status, 401);
  const std::string three = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("DELETE", "/api/v1/sessions", "", one).body, "{\"closed\":1}\n");
  EXPECT_EQ(call("GET", "/api/v1/me", "", three).status, 401);
  const Answer out = call("DELETE", "/api/v1/session", "", one);
  EXPECT_EQ(out.status, 204);
  EXPECT_TRUE(out.has("__Host-posthus=; Path=/; Max-Age=0;")) << out.head;
  EXPECT_EQ(call("GET", "/api/v1/me", "", one).status, 401);
}

TEST_F(SessionTest, NewPasswordSignsOtherBrowsersOut) {
  const std::string one = browser("anna@example.test", "password-1"), two = browser("anna@example.test", "password-1");
  EXPECT_EQ(call("PUT", "/api/v1/me/password", R"({"current":"wrong","password":"password-9"})", one).status, 403);
  EXPECT_EQ(call("PUT", "/api/v1/me/password", R"({"current":"password-1","password":"short"})", one).status, 400);
  EXPECT_EQ(call("PUT", "/api/v1/me/password", R"({"current":"password-1","password":"password-9"})", one).status, 204);
  EXPECT_EQ(call("GET", "/api/v1/me", "", one).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/me", "", two).status, 401);
  call("PUT", "/api/v1/users/anna@example.test/password", R"({"password":"password-7"})", "", /*is_local=*/true);
  EXPECT_EQ(call("GET", "/api/v1/me", "", one).status, 401);
}

TEST_F(SessionTest, DisabledAccountsAndDomainsAreSignedOutAndDemotedAdminsLoseTheirRights) {
  const std::string anna = browser("anna@example.test", "password-1"), root = browser("root@example.test", "password-2");
  call("PATCH", "/api/v1/users/anna@example.test", R"({"disabled":true})", "", /*is_local=*/true);
  EXPECT_EQ(call("GET", "/api/v1/me", "", anna).status, 401);
  call("PATCH", "/api/v1/users/root@example.test", R"({"role":"user"})", "", /*is_local=*/true);
  EXPECT_EQ(call("GET", "/api/v1/users", "", root).status, 403);
  call("PATCH", "/api/v1/domains/example.test", R"({"disabled":true})", "", /*is_local=*/true);
  EXPECT_EQ(call("GET", "/api/v1/me", "", root).status, 401);
}

TEST_F(SessionTest, PlantedSessionsAreNotTakenOver) {
  const std::string planted = browser("anna@example.test", "password-1");
  const Answer answer = sign_in_with("root@example.test", "password-2", planted);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.head.find(planted.substr(20, 40)), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/me", "", planted).status, 401);
  for (const char* cookie : {"Cookie: __Host-posthus=\r\n", "Cookie: __Host-posthus=x\r\n", "Cookie: =; ;;\r\n"}) {
    EXPECT_EQ(call("GET", "/api/v1/me", "", cookie).status, 401) << cookie;
  }
}

TEST_F(SessionTest, TokensAndTheSocketHaveNoSession) {
  EXPECT_EQ(call("GET", "/api/v1/me", "", "", /*is_local=*/true).status, 404);
  EXPECT_EQ(call("GET", "/api/v1/me", "", "Authorization: Basic cm9vdEBleGFtcGxlLnRlc3Q6cGFzc3dvcmQtMg==\r\n").status, 403);
}

TEST(BrowserSessionsTest, TheOldestGoesFirstOfOneAccountAndOfAll) {
  ManualClock clock(Timestamp::from_seconds(1'795'262'400));
  BrowserSessions sessions(clock);
  const auto first = sessions.open({.account = AccountId(1)});
  for (std::size_t i = 0; i < kMaxSessionsPerAccount; ++i) {
    clock.advance(1'000'000);
    sessions.open({.account = AccountId(1), .user_agent = std::string(10'000, 'x')});
  }
  EXPECT_FALSE(sessions.use(first.secret));
  EXPECT_EQ(sessions.of(AccountId(1)).size(), kMaxSessionsPerAccount);
  EXPECT_EQ(sessions.of(AccountId(1)).front().user_agent.size(), kMaxUserAgent);
  clock.advance(1'000'000);
  for (std::uint32_t i = 0; i < kMaxSessions; ++i) sessions.open({.account = AccountId(2 + i)});
  EXPECT_TRUE(sessions.of(AccountId(1)).empty());
}

// The files of the panel.

class PanelTest : public SessionTest {
 protected:
  void SetUp() override {
    if (panel_files().empty()) GTEST_SKIP() << "built without the panel";
  }
  static std::string script() {
    for (const PanelFile& file : panel_files()) {
      if (file.name.starts_with("panel-") && file.name.ends_with(".js")) return std::string(file.name);
    }
    return {};
  }
};

TEST_F(PanelTest, EveryAddressOfThePanelAnswersWithThePage) {
  for (const char* path : {"/", "/queue", "/domains/example.test/keys", "/mailboxes/a%40b", "/?x=1"}) {
    const Answer answer = call("GET", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_TRUE(answer.body.starts_with("<!doctype html>")) << path;
    EXPECT_TRUE(answer.has(script()));
  }
  for (const char* path : {"/queues", "/api", "/api/v1/queue/x", "/favicon.ico", "/assets/x.js", "/assets/..%2Findex.html",
                           "/assets/index.html", "/%2e%2e/etc/passwd"}) {
    EXPECT_NE(call("GET", path).status, 200) << path;
  }
  EXPECT_EQ(call("POST", "/queue").status, 404);
  EXPECT_EQ(call("HEAD", "/queue").body, "");
}

TEST_F(PanelTest, PolicyAllowsOwnFilesOnly) {
  const Answer answer = call("GET", "/");
  EXPECT_TRUE(answer.has("script-src 'self'; style-src 'self';")) << answer.head;
  EXPECT_TRUE(answer.has("frame-ancestors 'none'"));
  EXPECT_FALSE(answer.has("unsafe-"));
  EXPECT_TRUE(answer.has("X-Content-Type-Options: nosniff"));
  EXPECT_TRUE(answer.has("Referrer-Policy: no-referrer"));
  EXPECT_TRUE(answer.has("Cache-Control: no-cache"));
  EXPECT_EQ(answer.body.find("<script>"), std::string::npos);
  EXPECT_EQ(answer.body.find(" style="), std::string::npos);
}

TEST_F(PanelTest, EncodingsAreChosenAndUnchangedFilesStayWhereTheyAre) {
  const std::string target = "/assets/" + script();
  const Answer plain = call("GET", target), gzip = call("GET", target, "", "Accept-Encoding: gzip, deflate\r\n"),
               brotli = call("GET", target, "", "Accept-Encoding: gzip, br;q=0.9\r\n"),
               refused = call("GET", target, "", "Accept-Encoding: br;q=0, gzip;q=0.0\r\n");
  EXPECT_TRUE(plain.has("Cache-Control: public, max-age=31536000, immutable")) << plain.head;
  EXPECT_FALSE(plain.has("Content-Encoding"));
  EXPECT_TRUE(gzip.has("Content-Encoding: gzip"));
  EXPECT_TRUE(brotli.has("Content-Encoding: br"));
  EXPECT_FALSE(refused.has("Content-Encoding"));
  EXPECT_TRUE(brotli.has("Vary: Accept-Encoding"));
  EXPECT_LT(brotli.body.size(), gzip.body.size());
  EXPECT_LT(gzip.body.size(), plain.body.size());
  const std::size_t at = plain.head.find("ETag: ") + 6;
  const std::string tag = plain.head.substr(at, plain.head.find("\r\n", at) - at);
  const Answer unchanged = call("GET", target, "", "If-None-Match: \"other\", " + tag + "\r\n");
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(call("GET", target, "", "Accept-Encoding: br\r\nIf-None-Match: " + tag + "\r\n").status, 200);
}

TEST_F(PanelTest, PagesAreNotCompressed) {
  const Answer page = call("GET", "/", "", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_FALSE(page.has("Content-Encoding")) << page.head;
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
}

// The script's pages and the server's sections are the same.
TEST_F(PanelTest, SectionsAreThoseOfTheScript) {
  std::ifstream file(std::string(POSTHUS_SOURCE_DIR) + "/web-admin/ui/src/shell.tsx");
  std::stringstream text;
  text << file.rdbuf();
  const std::string source = text.str();
  std::size_t found = 0;
  for (std::size_t at = 0; (at = source.find("case \"", at)) != std::string::npos; ++found) {
    at += 6;
    EXPECT_EQ(call("GET", "/" + source.substr(at, source.find('"', at) - at)).status, 200) << source.substr(at, 20);
  }
  EXPECT_GT(found, 8u);
}

}  // namespace
}  // namespace posthus::web_admin
