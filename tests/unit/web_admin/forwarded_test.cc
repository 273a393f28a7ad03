// Reverse proxies: whom their fields name, whom they cannot name, and what follows for pages and cookies.
#include "web-admin/forwarded.h"
#include "core/base/shared_addresses.h"

#include <gtest/gtest.h>

#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/panel.h"
#include "web-admin/server_session.h"

namespace posthus::web_admin {
namespace {

TrustedProxies proxies(ProxyFields fields = ProxyFields::kXForwarded) {
  return {.networks = {*parse_ip_network("127.0.0.1"), *parse_ip_network("10.0.0.0/8")}, .fields = fields};
}

struct Seen {
  std::string address, host;
  bool is_tls = false, is_surely_plain = false, is_proxy = false, is_proxy_unnamed = false;
};

Seen seen(const HttpHead& head, const std::string& peer = "10.0.0.2", ProxyFields fields = ProxyFields::kXForwarded) {
  const auto facts = forwarded_facts(Origin{.remote_address = peer}, head, proxies(fields));
  if (!facts) return {.address = "refused", .host = {}};
  const Origin& origin = facts->origin;
  return {origin.remote_address, facts->host, origin.is_tls, origin.is_surely_plain, origin.is_proxy, origin.is_proxy_unnamed};
}

HttpHead x_forwarded(std::string addresses, std::string proto = "", std::string host = "") {
  HttpHead head;
  head.x_forwarded_for = std::move(addresses);
  head.x_forwarded_proto = std::move(proto);
  head.x_forwarded_host = std::move(host);
  return head;
}

Seen forwarded(std::string value, const std::string& peer = "10.0.0.2") {
  HttpHead head;
  head.forwarded = std::move(value);
  return seen(head, peer, ProxyFields::kForwarded);
}

TEST(Forwarded, ATrustedProxyNamesClientSchemeAndHost) {
  const Seen one = seen(x_forwarded("203.0.113.9", "https", "mail.example.org"));
  EXPECT_EQ(one.address, "203.0.113.9");
  EXPECT_TRUE(one.is_tls);
  EXPECT_FALSE(one.is_proxy);
  EXPECT_EQ(one.host, "mail.example.org");
  const Seen plain = seen(x_forwarded("2001:db8::9", "http"));
  EXPECT_EQ(plain.address, "2001:db8::9");
  EXPECT_FALSE(plain.is_tls);
  EXPECT_TRUE(plain.is_surely_plain);
}

TEST(Forwarded, OthersAreNotBelieved) {
  const Seen one = seen(x_forwarded("127.0.0.1", "https", "mail.example.org"), "203.0.113.66");
  EXPECT_EQ(one.address, "203.0.113.66");
  EXPECT_FALSE(one.is_tls);
  EXPECT_FALSE(one.is_surely_plain) << "it may be a proxy that has done TLS";
  EXPECT_TRUE(one.is_proxy_unnamed);
  EXPECT_EQ(one.host, "");
  EXPECT_EQ(forwarded("for=127.0.0.1;proto=https", "203.0.113.66").address, "203.0.113.66");
  EXPECT_TRUE(seen({}, "203.0.113.66").is_surely_plain);
  EXPECT_FALSE(seen({}, "203.0.113.66").is_proxy_unnamed);
}

TEST(Forwarded, LoopbackIsThisMachineOnlyWhereNoForwarderUsesIt) {
  TrustedProxies named = proxies();
  const auto hides_a_client = [&](const Origin& peer, const HttpHead& head) {
    return forwarded_facts(peer, head, named).value().origin.is_proxy;
  };
  EXPECT_FALSE(hides_a_client({.remote_address = "127.0.0.1"}, {}));
  named.loopback = Loopback::kForwarder;
  EXPECT_TRUE(hides_a_client({.remote_address = "127.0.0.1"}, {}));
  EXPECT_TRUE(hides_a_client({.remote_address = "::1"}, {}));
  EXPECT_TRUE(hides_a_client({.remote_address = "127.8.9.1"}, x_forwarded("127.0.0.1", "http"))) << "a stranger's fields";
  EXPECT_TRUE(hides_a_client({.remote_address = "127.0.0.1"}, x_forwarded("127.0.0.2", "http"))) << "a client beside the proxy";
  EXPECT_FALSE(hides_a_client({.remote_address = "127.0.0.1"}, x_forwarded("203.0.113.9", "https")));
  EXPECT_FALSE(hides_a_client({.remote_address = "203.0.113.9"}, {}));
  EXPECT_FALSE(hides_a_client({.is_unix_socket = true}, {})) << "whoever can open the socket is here";
}

TEST(Forwarded, TheRightmostAddressThatIsNoProxyWins) {
  EXPECT_EQ(seen(x_forwarded("127.0.0.1, 198.51.100.1, 203.0.113.9, 10.0.0.7")).address, "203.0.113.9");
  EXPECT_EQ(seen(x_forwarded("10.0.0.9, 10.0.0.7")).address, "10.0.0.9") << "all are proxies: the first one asked";
  EXPECT_EQ(seen(x_forwarded("nonsense\", 203.0.113.9")).address, "203.0.113.9");
  EXPECT_EQ(seen(x_forwarded("203.0.113.9,, ,")).address, "203.0.113.9");
}

TEST(Forwarded, OnlyTheFieldThatTheProxyWritesCounts) {
  HttpHead both = x_forwarded("203.0.113.9", "https");
  both.forwarded = "for=198.51.100.1;proto=http";
  EXPECT_EQ(seen(both).address, "203.0.113.9");
  EXPECT_EQ(seen(both, "10.0.0.2", ProxyFields::kForwarded).address, "198.51.100.1");
  EXPECT_FALSE(seen(both, "10.0.0.2", ProxyFields::kForwarded).is_tls);
}

TEST(Forwarded, SchemeAndHostAreOfTheSameHopAsTheAddress) {
  const Seen two = seen(x_forwarded("203.0.113.9, 10.0.0.7", "https, http", "mail.example.org, inside"));
  EXPECT_TRUE(two.is_tls);
  EXPECT_EQ(two.host, "mail.example.org");
  const Seen forged = seen(x_forwarded("192.0.2.1, 203.0.113.9", "https, http"));
  EXPECT_FALSE(forged.is_tls);
  EXPECT_TRUE(seen(x_forwarded("203.0.113.9, 10.0.0.7", "https")).is_tls) << "one value for all";
}

TEST(Forwarded, WhatAProxyWritesMustBeUnderstood) {
  for (const char* value : {"nonsense", "203.0.113.9, 999.1.1.1", "203.0.113.9:port", "[2001:db8::1", "[2001:db8::1]x"}) {
    EXPECT_EQ(seen(x_forwarded(value)).address, "refused") << value;
  }
  for (const char* value : {"for", "for=", "=x", "for=203.0.113.9 proto=https", "for=\"203.0.113.9",
                            "for=203.0.113.9;for=192.0.2.1", "for=2001:db8::1", "for=\"203.0.113.9\"x", "for=[2001:db8::1]"}) {
    EXPECT_EQ(forwarded(value).address, "refused") << value;
  }
}

TEST(Forwarded, NodesHaveTheFormsOfTheStandard) {
  EXPECT_EQ(forwarded("for=203.0.113.9").address, "203.0.113.9");
  EXPECT_EQ(forwarded("For=\"[2001:db8:cafe::17]:4711\";Proto=HTTPS").address, "2001:db8:cafe::17");
  EXPECT_TRUE(forwarded("For=\"[2001:db8:cafe::17]:4711\";Proto=HTTPS").is_tls);
  EXPECT_EQ(forwarded("for=203.0.113.9;host=\"mail.example.org:443\"; by=_x").host, "mail.example.org:443");
  EXPECT_EQ(forwarded("for=\"203.0.113\\.9\"").address, "203.0.113.9");
  EXPECT_EQ(seen(x_forwarded("203.0.113.9:4711")).address, "203.0.113.9");
  EXPECT_EQ(seen(x_forwarded("[2001:db8::1]:4711")).address, "2001:db8::1");
  EXPECT_EQ(seen(x_forwarded("::ffff:203.0.113.9")).address, "203.0.113.9");
}

TEST(Forwarded, AClientsQuotationMarkSwallowsNothing) {
  EXPECT_EQ(forwarded("for=\"192.0.2.1, for=203.0.113.9").address, "203.0.113.9");
  EXPECT_EQ(forwarded("for=\"x\\, for=\"[2001:db8::1]\";proto=https").address, "2001:db8::1");
}

TEST(Forwarded, WhoIsNotNamedIsTheProxyAndNotThisMachine) {
  for (const char* node : {"unknown", "_hidden"}) {
    const Seen one = forwarded(std::string("for=") + node + ";proto=http", "127.0.0.1");
    EXPECT_EQ(one.address, "127.0.0.1");
    EXPECT_TRUE(one.is_proxy);
  }
  const Seen loopback = seen(x_forwarded("127.0.0.1", "http"));
  EXPECT_EQ(loopback.address, "10.0.0.2");
  EXPECT_TRUE(loopback.is_proxy);
  EXPECT_FALSE(seen(x_forwarded("127.0.0.1", "http"), "127.0.0.1").is_proxy) << "a browser on the proxy's machine, which is ours";
  const Seen nothing = seen({}, "127.0.0.1");
  EXPECT_FALSE(nothing.is_proxy) << "a program beside the proxy";
  const Seen only_proto = seen(x_forwarded("", "https"), "127.0.0.1");
  EXPECT_TRUE(only_proto.is_proxy);
  EXPECT_TRUE(only_proto.is_tls);
}

TEST(Forwarded, ListsWithoutEndAreReadFromTheirEnd) {
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "10.0.0.1,";
  EXPECT_EQ(seen(x_forwarded("203.0.113.9," + many)).address, "10.0.0.1");
}

class BehindProxyTest : public ::testing::Test {
 protected:
  BehindProxyTest()
      : api_({.store = *world_.store,
              .authenticator = world_.authenticator.get(),
              .clock = world_.clock,
              .hostname = "mail.example.test",
              .listeners = {{.name = "http", .address = "*", .port = 2080}, {.name = "https", .address = "*", .port = 2443}},
              .password_cost = testing::kCheapCost,
              .make_signing_key = testing::key_made_once,
              .shared = &shared_}),
        http_(api_),
        gate_{http_, world_.clock, proxies()} {
    world_.add_user("anna@example.test", "password-1");
  }
  std::string ask(const std::string& peer, const std::string& request_line, const std::string& fields,
                  const std::string& body = "") {
    testing::LoopbackDriver driver;
    driver.open(make_server_session(gate_, {.remote_address = peer}, driver.waker()));
    std::string text = request_line + " HTTP/1.1\r\n" + fields;
    if (!body.empty()) text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    driver.send(text + "\r\n" + body);
    return driver.take_output();
  }
  std::string sign_in(const std::string& peer, const std::string& fields) {
    return ask(peer, "POST /api/v1/session", "Host: mail.example.test\r\nX-Posthus-Panel: 1\r\n" + fields,
               R"({"login":"anna@example.test","password":"password-1"})");
  }

  testing::World world_;
  SharedAddresses shared_{world_.clock, {}};
  Api api_;
  HttpServer http_;
  GateContext gate_;
};

TEST_F(BehindProxyTest, BrowsersSignInThroughTheProxyWhenTheyCameOverTls) {
  const std::string tls = sign_in("10.0.0.2", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n");
  EXPECT_TRUE(tls.starts_with("HTTP/1.1 201")) << tls;
  EXPECT_NE(tls.find("__Host-posthus="), std::string::npos);
  EXPECT_NE(tls.find("\"remote_address\":\"203.0.113.9\""), std::string::npos) << tls;
  EXPECT_TRUE(sign_in("10.0.0.2", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(sign_in("127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(sign_in("203.0.113.66", "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(sign_in("10.0.0.2", "X-Forwarded-For: rubbish\r\n").starts_with("HTTP/1.1 400"));
}

TEST_F(BehindProxyTest, EachRequestOfAConnectionHasItsOwnClient) {
  testing::LoopbackDriver driver;
  driver.open(make_server_session(gate_, {.remote_address = "10.0.0.2"}, driver.waker()));
  const auto request = [](const std::string& fields) {
    const std::string body = R"({"login":"anna@example.test","password":"password-1"})";
    return "POST /api/v1/session HTTP/1.1\r\nHost: mail.example.test\r\nX-Posthus-Panel: 1\r\n" + fields +
           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  driver.send(request("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 201"));
  driver.send(request(""));
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 403")) << "what the last request said counts no longer";
}

TEST_F(BehindProxyTest, TheOriginOfAPageIsTheHostThatTheBrowserAsked) {
  const std::string fields =
      "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: panel.example.test\r\n";
  EXPECT_TRUE(sign_in("10.0.0.2", fields + "Origin: https://panel.example.test\r\n").starts_with("HTTP/1.1 201"));
  EXPECT_TRUE(sign_in("10.0.0.2", fields + "Origin: https://evil.example\r\n").starts_with("HTTP/1.1 403"));
}

TEST_F(BehindProxyTest, PagesMoveToTlsOnlyWhereThereIsNone) {
  const auto page = [this](const std::string& peer, const std::string& fields) {
    const std::string output = ask(peer, "GET /queue?x=1", fields);
    const std::size_t at = output.find("Location: ");
    return at == std::string::npos ? std::string() : output.substr(at + 10, output.find("\r\n", at) - at - 10);
  };
  EXPECT_EQ(page("203.0.113.9", "Host: Mail.Example.test\r\n"), "https://mail.example.test/queue?x=1");
  EXPECT_EQ(page("203.0.113.9", "Host: mail.example.test:2080\r\n"), "https://mail.example.test:2443/queue?x=1");
  EXPECT_EQ(
      page("10.0.0.2", "Host: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: b.example\r\n"),
      "https://b.example/queue?x=1");
  EXPECT_EQ(page("10.0.0.2", "Host: a.example\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"), "");
  EXPECT_EQ(page("10.0.0.2", "Host: a.example\r\nX-Forwarded-For: 203.0.113.9\r\n"), "") << "it would go round in circles";
  EXPECT_EQ(page("172.18.0.2", "Host: a.example\r\nX-Forwarded-Proto: https\r\n"), "") << "nobody has named this proxy yet";
  EXPECT_EQ(page("127.0.0.1", "Host: a.example\r\n"), "");
  EXPECT_EQ(page("203.0.113.9", "Host: 192.0.2.1\r\n"), "");
  EXPECT_EQ(ask("203.0.113.9", "GET /healthz", "Host: a.example\r\n").find("Location"), std::string::npos);
}

TEST_F(BehindProxyTest, TheStatusTellsWhatHidesTheClients) {
  const auto status = [this] {
    testing::LoopbackDriver driver;
    driver.open(make_server_session(gate_, {.is_unix_socket = true}, driver.waker()));
    driver.send("GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string output = driver.take_output();
    return output.substr(std::min(output.size(), output.find("\"warnings\":")));
  };
  EXPECT_EQ(status(), "\"warnings\":[]}\n");
  ask("172.18.0.2", "GET /healthz", "Host: a\r\nX-Forwarded-For: 203.0.113.9\r\n");
  ask("10.0.0.2", "GET /healthz", "Host: a\r\nX-Forwarded-For: 203.0.113.9\r\n");
  const std::string unnamed = status();
  EXPECT_TRUE(unnamed.starts_with(R"("warnings":[{"kind":"proxy_unnamed","address":"172.18.0.2","detail":")")) << unnamed;
  EXPECT_EQ(unnamed.find("10.0.0.2"), std::string::npos) << unnamed;
  shared_.set_gateways({*parse_ip_address("172.17.0.1")});
  for (const char* login : {"anna@example.test", "ben@example.test"}) shared_.logged_in("172.17.0.1", login);
  EXPECT_NE(status().find(R"({"kind":"gateway_hides_clients","address":"172.17.0.1")"), std::string::npos) << status();
}

}  // namespace
}  // namespace posthus::web_admin
