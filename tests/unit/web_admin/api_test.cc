// Every route through the gate: what it does, what it refuses, and to whom.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "core/base/base64.h"
#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/server_session.h"

namespace posthus::web_admin {
namespace {

using testing::LoopbackDriver;

struct ApiAnswer {
  int status = 0;
  std::string fields, body;
};

struct Caller {
  std::string authorization;
  std::string remote_address = "127.0.0.1";
  bool is_unix_socket = false;
  bool is_tls = false;
};
const Caller kLocal{.remote_address = "", .is_unix_socket = true};

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(std::unique_ptr<store::Store> (*make_store)(const Clock&) = &store::Store::create_in_memory)
      : world_(make_store),
        api_({.store = *world_.store,
              .authenticator = world_.authenticator.get(),
              .clock = world_.clock,
              .hostname = "mx.example.test",
              .version = "9.9",
              .started = world_.clock.now(),
              .listeners = {{"imaps", "0.0.0.0", 2993, true}},
              .is_ready = [this] { return is_ready_; },
              .make_signing_key = testing::key_made_once}),
        http_(api_),
        gate_{http_, world_.clock} {}

  ApiAnswer call(const std::string& method, const std::string& target, const std::string& body = "",
                 const Caller& caller = kLocal, const std::string& type = "application/json") {
    LoopbackDriver driver;
    const session::ConnectionFacts facts{.remote_address = caller.remote_address, .is_unix_socket = caller.is_unix_socket};
    driver.open(make_server_session(gate_, facts, driver.waker()), caller.is_tls ? testing::Tls::kImplicit : testing::Tls::kNo);
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: a\r\n";
    if (!caller.authorization.empty()) request += "Authorization: " + caller.authorization + "\r\n";
    if (!body.empty()) request += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    driver.send(request + "\r\n" + body);
    const std::string output = driver.take_output();
    const std::size_t end = output.find("\r\n\r\n");
    EXPECT_NE(end, std::string::npos) << output;
    return {std::stoi(output.substr(9, 3)), output.substr(0, end), output.substr(end + 4)};
  }
  // Status and detail of a refusal.
  std::string refusal(const std::string& method, const std::string& target, const std::string& body = "") {
    const ApiAnswer answer = call(method, target, body);
    EXPECT_NE(answer.fields.find("application/problem+json"), std::string::npos) << answer.fields;
    const std::string mark = "\"detail\":\"";
    const std::size_t at = answer.body.find(mark);
    return std::to_string(answer.status) + " " +
           (at == std::string::npos ? answer.body
                                    : answer.body.substr(at + mark.size(), answer.body.size() - at - mark.size() - 3));
  }
  std::string make_token(const std::string& scopes, const std::string& more = "") {
    const ApiAnswer made = call("POST", "/api/v1/tokens", "{\"name\":\"t\",\"scopes\":[" + scopes + "]" + more + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::size_t at = made.body.find("\"token\":\"") + 9;
    return made.body.substr(at, made.body.find('"', at) - at);
  }
  Caller bearer(const std::string& token) { return {.authorization = "Bearer " + token}; }

  testing::World world_;
  bool is_ready_ = true;
  Api api_;
  HttpServer http_;
  GateContext gate_;
};

const std::string kCreated = "\"created\":\"2026-11-21T12:00:00Z\"";

TEST_F(ApiTest, RootSaysWhatThisIs) {
  const ApiAnswer answer = call("GET", "/", "", {});
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("Posthus"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1", "", {}).status, 404);
  EXPECT_EQ(call("GET", "/favicon.ico", "", {}).status, 404);
}

TEST_F(ApiTest, HealthIsOpenAndReadinessFollowsTheServer) {
  EXPECT_EQ(call("GET", "/healthz", "", {}).body, "ok\n");
  EXPECT_EQ(call("GET", "/readyz", "", {}).body, "ready\n");
  is_ready_ = false;
  EXPECT_EQ(call("GET", "/readyz", "", {}).status, 503);
  EXPECT_EQ(call("GET", "/healthz", "", {}).status, 200);
}

TEST_F(ApiTest, StatusCounts) {
  world_.add_user("anna@example.test", "password-1");
  world_.clock.advance(90'000'000);
  const ApiAnswer answer = call("GET", "/api/v1/status");
  EXPECT_EQ(answer.status, 200);
  for (const char* part : {"\"version\":\"9.9\"", "\"hostname\":\"mx.example.test\"", "\"uptime_seconds\":90",
                           "{\"name\":\"imaps\",\"address\":\"0.0.0.0\",\"port\":2993,\"implicit_tls\":true,\"connections\":",
                           "\"counts\":{\"domains\":1,\"users\":1,\"aliases\":0}", "\"resident_bytes\":"}) {
    EXPECT_NE(answer.body.find(part), std::string::npos) << part << answer.body;
  }
}

TEST_F(ApiTest, WrongMethodsAreNamed) {
  const ApiAnswer answer = call("PUT", "/api/v1/domains");
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(answer.fields.find("Allow: GET, HEAD, POST"), std::string::npos) << answer.fields;
}

TEST_F(ApiTest, DomainsLiveAndDie) {
  const ApiAnswer made =
      call("POST", "/api/v1/domains", R"({"name":"BÜCHER.test","default_quota_bytes":1000,"pop3_retention_days":7})");
  EXPECT_EQ(made.status, 201) << made.body;
  const std::string expected =
      "{\"name\":\"xn--bcher-kva.test\",\"display_name\":\"bücher.test\",\"disabled\":false,"
      "\"default_quota_bytes\":1000,\"pop3_retention_days\":7," +
      kCreated +
      ",\"kind\":\"mailboxes\",\"language\":\"en\",\"check_recipients\":false,\"mailboxes\":0,\"alias_of\":null,\"own_aliases\":"
      "0,\"messages_per_"
      "day\":null,"
      "\"new_recipients_per_day\":null,\"domain_messages_per_day\":null,\"domain_new_recipients_per_day\":null,\"sending\":{"
      "\"messages_today\":0,\"new_recipients_today\":0,\"forwards_today\":0,\"messages_limit\":10000,"
      "\"new_recipients_limit\":2000}}\n";
  EXPECT_EQ(made.body, expected);
  EXPECT_EQ(call("GET", "/api/v1/domains/b%C3%BCcher.test").body, expected);
  EXPECT_NE(call("PATCH", "/api/v1/domains/xn--bcher-kva.test", R"({"disabled":true})")
                .body.find("\"disabled\":true,\"default_quota_bytes\":1000"),
            std::string::npos);
  EXPECT_EQ(call("DELETE", "/api/v1/domains/xn--bcher-kva.test").status, 204);
  EXPECT_EQ(refusal("GET", "/api/v1/domains/xn--bcher-kva.test"), "404 there is no domain xn--bcher-kva.test");
}

TEST_F(ApiTest, DomainsAreChecked) {
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"example.test"})"), "409 domain example.test exists already");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"not a domain"})"), "400 'not a domain' is not a domain name");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"[192.0.2.1]"})"), "400 a domain literal cannot be a mail domain");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", "{}"), "400 field 'name' is missing");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"a.test","quota":1})"), "400 field 'quota' is not known here");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"a.test","pop3_retention_days":40000})"),
            "400 field 'pop3_retention_days' must be a whole number from 0 to 36500");
  EXPECT_EQ(refusal("POST", "/api/v1/domains?dry=1", R"({"name":"a.test"})"), "400 parameter 'dry' is not known here");
  EXPECT_EQ(refusal("POST", "/api/v1/domains"), "415 The body must be of type application/json.");
  EXPECT_EQ(refusal("PATCH", "/api/v1/domains/none.test", "{}"), "404 there is no domain none.test");
  EXPECT_EQ(refusal("PATCH", "/api/v1/domains/example.test", R"({"name":"b.test"})"), "400 field 'name' is not known here");
  EXPECT_EQ(refusal("DELETE", "/api/v1/domains/none.test"), "404 there is no domain none.test");
  world_.add_user("anna@example.test", "password-1");
  EXPECT_EQ(refusal("DELETE", "/api/v1/domains/example.test"),
            "409 domain example.test still has users, aliases, groups or alias domains");
}

TEST_F(ApiTest, BodiesMustSayTheirType) {
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"a.test"})", kLocal, "text/plain").status, 415);
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"a.test"})", kLocal, "Application/JSON; charset=utf-8").status, 201);
}

TEST_F(ApiTest, ListsArePaged) {
  for (const char* name : {"a.test", "b.test", "c.test"}) world_.add_domain(name);
  std::string after, seen;
  int pages = 0;
  do {
    const ApiAnswer page = call("GET", "/api/v1/domains?limit=2" + (after.empty() ? "" : "&after=" + after));
    ASSERT_EQ(page.status, 200) << page.body;
    for (std::size_t at = page.body.find("{\"name\":\""); at != std::string::npos; at = page.body.find("{\"name\":\"", at + 1)) {
      seen += page.body.substr(at + 9, page.body.find('"', at + 9) - at - 9) + " ";
    }
    const std::size_t next = page.body.find("\"next\":\"");
    after = next == std::string::npos ? "" : page.body.substr(next + 8, page.body.find('"', next + 8) - next - 8);
    ++pages;
  } while (!after.empty() && pages < 9);
  EXPECT_EQ(seen, "a.test b.test c.test example.test ");
  EXPECT_GE(pages, 2);
  EXPECT_EQ(refusal("GET", "/api/v1/domains?limit=0"), "400 parameter 'limit' must be a number from 1 to 1000");
  EXPECT_EQ(refusal("GET", "/api/v1/users?dom=x"), "400 parameter 'dom' is not known here");
}

TEST_F(ApiTest, DomainsMayBeRelayed) {
  const ApiAnswer made = call("POST", "/api/v1/domains", R"({"name":"branch.test","kind":"relay","language":"nb"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find(R"("kind":"relay","language":"nb")"), std::string::npos) << made.body;
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"a.test","kind":"other"})"),
            R"(400 field 'kind' must be \"mailboxes\" or \"relay\")");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"a.test","language":"fr"})"),
            R"(400 field 'language' must be \"en\", \"de\" or \"nb\")");
  EXPECT_EQ(call("POST", "/api/v1/users", R"({"address":"a@branch.test"})").status, 400);
}

TEST_F(ApiTest, RecipientsAreCheckedOfRelayDomainsOnly) {
  EXPECT_NE(call("POST", "/api/v1/domains", R"({"name":"branch.test","kind":"relay","check_recipients":true})")
                .body.find(R"("check_recipients":true)"),
            std::string::npos);
  EXPECT_EQ(refusal("PATCH", "/api/v1/domains/example.test", R"({"check_recipients":true})"),
            "400 field 'check_recipients' is of relay domains only");
  const ApiAnswer changed = call("PATCH", "/api/v1/domains/branch.test", R"({"language":"de"})");
  EXPECT_NE(changed.body.find(R"("check_recipients":true)"), std::string::npos) << changed.body;
  const ApiAnswer moved = call("PATCH", "/api/v1/domains/branch.test", R"({"kind":"mailboxes"})");
  EXPECT_NE(moved.body.find(R"("check_recipients":false)"), std::string::npos) << moved.body;
}

/// One dry run, which is over when it is asked for again.
struct OneSendTest final : SendTests {
  Result<std::string> start(const mail::Address& address, const std::optional<std::string>& from) override {
    if (address.local_part == "busy") return fail(ErrorKind::kBusy, "too many");
    test = {.id = "t1", .address = mail::to_string(address), .from = from.value_or("admin@example.test")};
    test.started = Timestamp::from_seconds(1'800'000'000);
    return test.id;
  }
  std::optional<SendTest> find(std::string_view id) override {
    if (id != test.id) return std::nullopt;
    SendTest found = test;
    test.verdict = "refused";
    test.stage = "RCPT";
    test.code = 550;
    test.enhanced = "5.1.1";
    test.text = "no";
    test.explanation = "The host refuses.";
    test.steps = {{.time = test.started,
                   .mark = "bad",
                   .stage = "RCPT",
                   .host = "mx.a.test [192.0.2.1]:25",
                   .meaning = "Refused.",
                   .lines = {"> RCPT", "< 550"}}};
    return found;
  }
  SendTest test;
};

TEST_F(ApiTest, DryRunsAreBegunAndLookedAt) {
  EXPECT_EQ(refusal("POST", "/api/v1/send-test", R"({"address":"a@b.test"})"), "503 a dry run needs the running server");
  OneSendTest tests;
  api_.set_send_tests(tests);
  const ApiAnswer begun = call("POST", "/api/v1/send-test", R"({"address":"A@B.test"})");
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.body,
            "{\"id\":\"t1\",\"address\":\"A@b.test\",\"from\":\"admin@example.test\",\"started\":\"2027-01-15T08:00:00Z\","
            "\"verdict\":\"running\",\"stage\":\"\",\"explanation\":\"\",\"reply\":null,\"steps\":[]}\n");
  const ApiAnswer over = call("GET", "/api/v1/send-test/t1");
  EXPECT_EQ(over.status, 200);
  EXPECT_NE(over.body.find("\"verdict\":\"refused\",\"stage\":\"RCPT\",\"explanation\":\"The host refuses.\","
                           "\"reply\":{\"code\":550,\"enhanced\":\"5.1.1\",\"text\":\"no\"},"
                           "\"steps\":[{\"time\":\"2027-01-15T08:00:00Z\",\"mark\":\"bad\",\"stage\":\"RCPT\","
                           "\"host\":\"mx.a.test [192.0.2.1]:25\",\"meaning\":\"Refused.\",\"lines\":[\"> RCPT\",\"< 550\"]}]}"),
            std::string::npos)
      << over.body;
  call("POST", "/api/v1/send-test", R"({"address":"a@b.test","from":""})");
  EXPECT_EQ(tests.test.from, "");
  EXPECT_EQ(refusal("GET", "/api/v1/send-test/t2"), "404 there is no such dry run, or it was long ago");
  EXPECT_EQ(refusal("POST", "/api/v1/send-test", R"({"address":"nobody"})"), "400 field 'address' must be a mail address");
  EXPECT_EQ(refusal("POST", "/api/v1/send-test", R"({"address":"a@b.test","from":"x y"})"),
            "400 field 'from' must be a mail address, or empty");
  EXPECT_EQ(refusal("POST", "/api/v1/send-test", "{}"), "400 field 'address' is missing");
  EXPECT_EQ(call("POST", "/api/v1/send-test", R"({"address":"busy@b.test"})").status, 503);
  EXPECT_EQ(call("POST", "/api/v1/send-test", R"({"address":"a@b.test"})", {}).status, 401);
}

TEST_F(ApiTest, ADomainHasLimitsOfItsOwn) {
  const std::string path = "/api/v1/domains/example.test";
  const ApiAnswer changed = call("PATCH", path, R"({"domain_messages_per_day":50,"domain_new_recipients_per_day":5})");
  const auto has = [](const ApiAnswer& answer, std::string_view part) { return answer.body.find(part) != std::string::npos; };
  EXPECT_TRUE(has(changed, R"("domain_messages_per_day":50,"domain_new_recipients_per_day":5,)")) << changed.body;
  EXPECT_TRUE(has(changed, R"("messages_limit":50,"new_recipients_limit":5})")) << changed.body;
  EXPECT_TRUE(has(call("GET", path), R"("messages_per_day":null,"new_recipients_per_day":null,"domain_messages_per_day":50)"));
  const ApiAnswer back = call("PATCH", path, R"({"domain_messages_per_day":null})");
  EXPECT_TRUE(has(back, R"("domain_messages_per_day":null,"domain_new_recipients_per_day":5,)")) << back.body;
  EXPECT_TRUE(has(back, R"("messages_limit":10000,)")) << back.body;
  EXPECT_EQ(call("PATCH", path, R"({"domain_messages_per_day":"many"})").status, 400);
}

TEST_F(ApiTest, UsersForwardAndAreHeldAndReleased) {
  call("POST", "/api/v1/users", R"({"address":"anna@example.test","password":"password-1"})");
  const ApiAnswer changed = call("PATCH", "/api/v1/users/anna@example.test",
                                 R"({"forward_to":["anna@away.test"],"keeps_copy":false,"messages_per_day":7})");
  EXPECT_NE(changed.body.find(R"("forward_to":["anna@away.test"],"keeps_copy":false,"messages_per_day":7,)"), std::string::npos)
      << changed.body;
  EXPECT_EQ(refusal("PATCH", "/api/v1/users/anna@example.test", R"({"forward_to":["nonsense"]})"),
            "400 'nonsense' is not a mail address");
  EXPECT_EQ(call("POST", "/api/v1/users/anna@example.test/hold", R"({"reason":"stolen"})").status, 204);
  EXPECT_NE(call("GET", "/api/v1/users/anna@example.test")
                .body.find(R"("held":true,"hold_reason":"stolen","hold":{"code":"account","count":0,"limit":0,"text":"stolen"})"),
            std::string::npos);
  const ApiAnswer released = call("POST", "/api/v1/users/anna@example.test/release");
  EXPECT_EQ(released.body, "{\"address\":\"anna@example.test\",\"released\":0}\n");
  EXPECT_NE(call("GET", "/api/v1/users/anna@example.test").body.find(R"("held":false)"), std::string::npos);
  EXPECT_EQ(refusal("POST", "/api/v1/users/nobody@example.test/release"), "404 there is no user nobody@example.test");
}

TEST_F(ApiTest, UsersAreRenamedAndKeepTheOldAddress) {
  call("POST", "/api/v1/users", R"({"address":"anna@example.test","password":"password-1"})");
  call("POST", "/api/v1/users", R"({"address":"ben@example.test","password":"password-1"})");
  const std::string path = "/api/v1/users/anna@example.test/address";
  const ApiAnswer renamed = call("PUT", path, R"({"address":"Anna.Berg@example.test"})");
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_TRUE(
      renamed.body.starts_with(R"({"address":"anna.berg@example.test","disabled":false,"role":"user","has_password":true)"));
  EXPECT_EQ(call("GET", "/api/v1/users/anna.berg@example.test").body, renamed.body);
  EXPECT_NE(call("GET", "/api/v1/aliases/anna@example.test").body.find(R"("targets":["anna.berg@example.test"])"),
            std::string::npos);
  EXPECT_EQ(refusal("PUT", path, R"({"address":"x@example.test"})"), "404 there is no user anna@example.test");
  const std::string bens = "/api/v1/users/ben@example.test/address";
  EXPECT_EQ(refusal("PUT", bens, R"({"address":"anna@example.test"})"), "409 the address anna@example.test exists already");
  EXPECT_EQ(refusal("PUT", bens, R"({"address":"ben@other.test"})"), "404 there is no domain or user other.test");
  EXPECT_EQ(refusal("PUT", bens, R"({"address":"ben"})"), "400 'ben' is not a mail address");
  EXPECT_EQ(refusal("PUT", bens, "{}"), "400 field 'address' is missing");
}

TEST_F(ApiTest, DomainsAreRenamedWithAllThatIsTheirs) {
  call("POST", "/api/v1/users", R"({"address":"anna@example.test","password":"password-1"})");
  call("POST", "/api/v1/aliases", R"({"address":"team@example.test","targets":["anna@example.test"]})");
  const ApiAnswer renamed = call("PUT", "/api/v1/domains/example.test/name", R"({"name":"New.Test"})");
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_NE(renamed.body.find(R"("name":"new.test")"), std::string::npos) << renamed.body;
  EXPECT_NE(renamed.body.find(R"("mailboxes":1,"alias_of":null)"), std::string::npos) << renamed.body;
  EXPECT_NE(call("GET", "/api/v1/domains/example.test").body.find(R"("mailboxes":0,"alias_of":"new.test")"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/users/anna@new.test").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/users/anna@example.test").status, 404);
  EXPECT_NE(call("GET", "/api/v1/aliases/team@new.test").body.find(R"("targets":["anna@new.test"])"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/domains/new.test/dkim").body.find(R"("items":[])"), std::string::npos)
      << "it has keys of its own";
  const std::string path = "/api/v1/domains/new.test/name";
  EXPECT_EQ(refusal("PUT", path, R"({"name":"new.test"})"), "400 this is the domain's name already");
  EXPECT_EQ(refusal("PUT", path, R"({"name":"[192.0.2.1]"})"), "400 a domain literal cannot be a mail domain");
  EXPECT_EQ(refusal("PUT", path, "{}"), "400 field 'name' is missing");
  EXPECT_EQ(refusal("PUT", "/api/v1/domains/none.test/name", R"({"name":"x.test"})"), "404 there is no domain none.test");
  EXPECT_EQ(refusal("PUT", "/api/v1/domains/example.test/name", R"({"name":"x.test"})"),
            "400 example.test has no mailboxes: add the new name, and delete this one");
  call("POST", "/api/v1/domains", R"({"name":"second.test"})");
  EXPECT_EQ(refusal("PUT", path, R"({"name":"second.test"})"), "409 domain second.test exists already");
}

TEST_F(ApiTest, ADomainHasFurtherNames) {
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"name.test","alias_of":"Example.test"})").status, 201);
  EXPECT_NE(call("GET", "/api/v1/domains/name.test").body.find(R"("alias_of":"example.test")"), std::string::npos);
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"x.test","alias_of":"none.test"})"),
            "404 there is no domain none.test");
  EXPECT_EQ(refusal("POST", "/api/v1/domains", R"({"name":"x.test","alias_of":"name.test"})"),
            "400 name.test has no mailboxes of its own: an alias stands for a domain that has");
  const std::string there = "400 name.test is another name of example.test: make the address there";
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"a@name.test"})"), there);
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"a@name.test","targets":["b@example.test"]})"), there);
  EXPECT_EQ(refusal("POST", "/api/v1/groups", R"({"address":"a@name.test","members":["b@example.test"]})"), there);
  call("POST", "/api/v1/users", R"({"address":"anna@example.test","password":"password-1"})");
  EXPECT_EQ(refusal("PUT", "/api/v1/users/anna@example.test/address", R"({"address":"anna@name.test"})"), there);
  EXPECT_EQ(call("PATCH", "/api/v1/domains/name.test", R"({"disabled":true})").status, 200) << "it stays an alias";
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test").status, 204);
  EXPECT_EQ(refusal("DELETE", "/api/v1/domains/example.test"),
            "409 domain example.test still has users, aliases, groups or alias domains");
  EXPECT_EQ(call("DELETE", "/api/v1/domains/name.test").status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/domains/example.test").status, 204);
}

TEST_F(ApiTest, UsersLiveAndDie) {
  call("PATCH", "/api/v1/domains/example.test", R"({"default_quota_bytes":5000})");
  const ApiAnswer made = call("POST", "/api/v1/users", R"({"address":"Anna@Example.TEST","password":"password-1"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body,
            "{\"address\":\"anna@example.test\",\"disabled\":false,\"role\":\"user\",\"has_password\":true,\"shared\":false,"
            "\"admin_of\":[],"
            "\"second_factor\":false,\"quota_bytes\":5000,"
            "\"usage\":{\"bytes\":0,\"messages\":0},\"pop3_retention_days\":null," +
                kCreated +
                ",\"forward_to\":[],\"keeps_copy\":true,\"messages_per_day\":null,\"new_recipients_per_day\":null,\"sending\":{"
                "\"messages_today\":0,\"new_recipients_today\":0,\"bounces_today\":0,\"held\":false,\"hold_reason\":null,"
                "\"hold\":null}}\n");
  EXPECT_EQ(call("GET", "/api/v1/users/anna@example.test").body, made.body);
  EXPECT_EQ(call("GET", "/api/v1/users?domain=example.test").body,
            "{\"items\":[" + made.body.substr(0, made.body.size() - 1) + "],\"next\":null}\n");
  EXPECT_EQ(call("GET", "/api/v1/users?domain=other.test").body, "{\"items\":[],\"next\":null}\n");
  const ApiAnswer changed = call("PATCH", "/api/v1/users/anna%40example.test",
                                 R"({"quota_bytes":0,"disabled":true,"role":"server_admin","pop3_retention_days":3})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  for (const char* part : {"\"disabled\":true", "\"role\":\"server_admin\"", "\"quota_bytes\":0", "\"pop3_retention_days\":3",
                           "\"has_password\":true"}) {
    EXPECT_NE(changed.body.find(part), std::string::npos) << part << changed.body;
  }
  EXPECT_NE(call("PATCH", "/api/v1/users/anna@example.test", R"({"pop3_retention_days":null})")
                .body.find("\"pop3_retention_days\":null"),
            std::string::npos);
  EXPECT_EQ(call("DELETE", "/api/v1/users/anna@example.test").status, 204);
  EXPECT_EQ(refusal("GET", "/api/v1/users/anna@example.test"), "404 there is no user anna@example.test");
}

TEST_F(ApiTest, UsersAreListedByWhatTheyUse) {
  call("POST", "/api/v1/domains", R"({"name":"sorted.test"})");
  for (const char* const name : {"anna", "ben", "carla"}) world_.add_user(std::string(name) + "@sorted.test", "password-1");
  world_.deliver("ben@sorted.test", "Subject: a\n\n" + std::string(4000, 'x') + "\n");
  world_.deliver("carla@sorted.test", "Subject: b\n\nx\n");
  call("PATCH", "/api/v1/users/carla@sorted.test", R"({"quota_bytes":100})");
  call("PATCH", "/api/v1/users/ben@sorted.test", R"({"quota_bytes":1000000})");
  const auto order = [this](const std::string& parameters) {
    const std::string body = call("GET", "/api/v1/users?domain=sorted.test&sort=" + parameters).body;
    std::string names;
    for (std::size_t at = 0; (at = body.find("\"address\":\"", at)) != std::string::npos;) names += body[at += 11];
    return names;
  };
  EXPECT_EQ(order("address"), "abc");
  EXPECT_EQ(order("used"), "bca");
  EXPECT_EQ(order("filled"), "cba");
  EXPECT_EQ(order("sent"), "abc");
  EXPECT_EQ(order("used&search=A@"), "ca");
  const std::string first = call("GET", "/api/v1/users?domain=sorted.test&sort=used&limit=2").body;
  const std::size_t at = first.find("\"next\":\"") + 8;
  EXPECT_EQ(order("used&limit=2&after=" + first.substr(at, first.find('"', at) - at)), "a");
  EXPECT_EQ(call("GET", "/api/v1/users?sort=shoe_size").status, 400);
}

TEST_F(ApiTest, UsersAreChecked) {
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"anna"})"), "400 'anna' is not a mail address");
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"anna@[192.0.2.1]"})"),
            "400 'anna@[192.0.2.1]' is not a mail address");
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"a@none.test"})"), "404 there is no domain none.test");
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"a@example.test","password":"short"})"),
            "400 field 'password' must have 8 to 1024 bytes");
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"a@example.test","role":"root"})"),
            "400 field 'role' must be \\\"user\\\", \\\"domain_admin\\\" or \\\"server_admin\\\"");
  EXPECT_EQ(call("POST", "/api/v1/users", R"({"address":"a@example.test"})").status, 201);
  EXPECT_EQ(refusal("POST", "/api/v1/users", R"({"address":"A@example.test"})"), "409 the address A@example.test exists already");
  EXPECT_EQ(refusal("PATCH", "/api/v1/users/none@example.test", "{}"), "404 there is no user none@example.test");
  EXPECT_EQ(refusal("PATCH", "/api/v1/users/a@example.test", R"({"address":"b@example.test"})"),
            "400 field 'address' is not known here");
  EXPECT_EQ(refusal("DELETE", "/api/v1/users/none@example.test"), "404 there is no user none@example.test");
  EXPECT_EQ(refusal("PUT", "/api/v1/users/none@example.test/password", R"({"password":"password-1"})"),
            "404 there is no user none@example.test");
  EXPECT_EQ(refusal("PUT", "/api/v1/users/a@example.test/password", R"({"password":"1234567"})"),
            "400 field 'password' must have 8 to 1024 bytes");
}

TEST_F(ApiTest, AliasesLiveAndDie) {
  world_.add_user("anna@example.test", "password-1");
  const ApiAnswer made = call("POST", "/api/v1/aliases", R"({"address":"info@example.test","targets":["anna@example.test"]})");
  EXPECT_EQ(made.status, 201) << made.body;
  const std::string expected =
      "{\"address\":\"info@example.test\",\"targets\":[\"anna@example.test\"]," + kCreated + ",\"own\":false}\n";
  EXPECT_EQ(made.body, expected);
  EXPECT_EQ(call("GET", "/api/v1/aliases/INFO@example.test").body, expected);
  EXPECT_EQ(call("GET", "/api/v1/aliases").body, "{\"items\":[" + expected.substr(0, expected.size() - 1) + "],\"next\":null}\n");
  EXPECT_NE(call("PUT", "/api/v1/aliases/info@example.test", R"({"targets":["ben@elsewhere.test"]})")
                .body.find("[\"ben@elsewhere.test\"]"),
            std::string::npos);
  EXPECT_EQ(call("POST", "/api/v1/aliases", R"({"address":"@example.test","targets":["anna@example.test"]})").status, 201);
  EXPECT_EQ(call("DELETE", "/api/v1/aliases/@example.test").status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/aliases/info@example.test").status, 204);
  EXPECT_EQ(refusal("GET", "/api/v1/aliases/info@example.test"), "404 there is no alias info@example.test");
}

TEST_F(ApiTest, AliasesAreChecked) {
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"x","targets":["a@b.test"]})"),
            "400 'x' is neither a mail address nor '@domain'");
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"x@example.test","targets":[]})"),
            "400 field 'targets' must have 1 to 1000 addresses");
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"x@example.test","targets":["y"]})"),
            "400 target 'y' is not a mail address");
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"x@example.test","targets":"y"})"),
            "400 field 'targets' must be a list of strings");
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"x@none.test","targets":["a@b.test"]})"),
            "404 the domain of x@none.test is not here");
  EXPECT_EQ(refusal("PUT", "/api/v1/aliases/x@example.test", R"({"targets":["a@b.test"]})"),
            "404 there is no alias x@example.test");
  EXPECT_EQ(refusal("DELETE", "/api/v1/aliases/x@example.test"), "404 there is no alias x@example.test");
  world_.add_user("anna@example.test", "password-1");
  EXPECT_EQ(refusal("POST", "/api/v1/aliases", R"({"address":"anna@example.test","targets":["a@b.test"]})"),
            "409 the address anna@example.test exists already");
}

TEST_F(ApiTest, TokensOpenWhatTheirScopesSay) {
  const std::string read = make_token("\"read\""), metrics = make_token("\"metrics\""), admin = make_token("\"admin\"");
  EXPECT_EQ(call("GET", "/api/v1/users", "", bearer(read)).status, 200);
  EXPECT_EQ(call("GET", "/metrics", "", bearer(read)).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", bearer(read)).status, 403);
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"a.test"})", bearer(read)).status, 403);
  EXPECT_EQ(call("GET", "/metrics", "", bearer(metrics)).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/users", "", bearer(metrics)).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/users", "", bearer(admin)).status, 200);
  EXPECT_EQ(call("POST", "/api/v1/domains", R"({"name":"a.test"})", bearer(admin)).status, 201);
  EXPECT_EQ(call("POST", "/api/v1/backup", R"({"directory":"/tmp/x"})", bearer(admin)).status, 403);
}

TEST_F(ApiTest, TokensEnd) {
  const std::string token = make_token("\"read\"", ",\"expires\":\"2026-11-21T13:00:00Z\"");
  EXPECT_EQ(call("GET", "/api/v1/users", "", bearer(token)).status, 200);
  world_.clock.advance(3'600'000'000);
  const auto expired = call("GET", "/api/v1/users", "", bearer(token));
  EXPECT_EQ(expired.status, 401);
  EXPECT_NE(expired.body.find("expired: make another one"), std::string::npos) << expired.body;
  const std::string other = make_token("\"read\"");
  EXPECT_EQ(call("DELETE", "/api/v1/tokens/" + other.substr(8, 16)).status, 204);
  EXPECT_EQ(call("GET", "/api/v1/users", "", bearer(other)).status, 401);
  EXPECT_EQ(refusal("DELETE", "/api/v1/tokens/0123456789abcdef"), "404 there is no token 0123456789abcdef");
  EXPECT_EQ(refusal("DELETE", "/api/v1/tokens/x"), "404 there is no token x");
}

TEST_F(ApiTest, SecretsOfTokensAreShownOnce) {
  const std::string token = make_token("\"read\"");
  const ApiAnswer list = call("GET", "/api/v1/tokens");
  EXPECT_EQ(list.status, 200);
  EXPECT_NE(list.body.find(token.substr(8, 16)), std::string::npos);
  EXPECT_EQ(list.body.find(token.substr(25)), std::string::npos);
}

TEST_F(ApiTest, TokensAreChecked) {
  EXPECT_EQ(refusal("POST", "/api/v1/tokens", R"({"name":"","scopes":["read"]})"), "400 field 'name' must have 1 to 100 bytes");
  EXPECT_EQ(refusal("POST", "/api/v1/tokens", R"({"name":"x","scopes":[]})"), "400 field 'scopes' must name 1 to 3 scopes");
  EXPECT_EQ(refusal("POST", "/api/v1/tokens", R"({"name":"x","scopes":["local"]})"),
            "400 field 'scopes' may hold \\\"admin\\\", \\\"read\\\" and \\\"metrics\\\" only");
  EXPECT_EQ(refusal("POST", "/api/v1/tokens", R"({"name":"x","scopes":["read","read"]})"), "400 field 'scopes' names one twice");
  EXPECT_EQ(refusal("POST", "/api/v1/tokens", R"({"name":"x","scopes":["read"],"expires":"2020-01-01T00:00:00Z"})"),
            "400 field 'expires' must be a time to come, like 2030-01-31T12:00:00Z");
}

TEST_F(ApiTest, StrangersGetNothing) {
  const std::string token = make_token("\"admin\"");
  for (const std::string& bad : {std::string(), std::string("Bearer"), std::string("Bearer x"), std::string("Digest x"),
                                 "Bearer " + token + "x", "Bearer posthus_0000000000000000" + token.substr(24)}) {
    const ApiAnswer answer = call("GET", "/api/v1/users", "", {.authorization = bad});
    EXPECT_EQ(answer.status, 401) << bad;
    EXPECT_NE(answer.fields.find("WWW-Authenticate: Bearer realm=\"posthus\""), std::string::npos);
    EXPECT_NE(answer.body.find("posthus token create"), std::string::npos) << answer.body;
  }
  // RFC 6750 §5.3: a token in clear text on a network is refused even when it is right.
  EXPECT_EQ(call("GET", "/api/v1/users", "", {.authorization = "Bearer " + token, .remote_address = "192.0.2.1"}).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/users", "", {.authorization = "bearer " + token, .remote_address = "192.0.2.1", .is_tls = true})
                .status,
            200);
}

TEST_F(ApiTest, ServerAdminsMayUseTheirPasswordOverTls) {
  world_.add_user("anna@example.test", "password-1");
  world_.add_user("root@example.test", "password-2");
  call("PATCH", "/api/v1/users/root@example.test", R"({"role":"server_admin"})");
  const auto basic = [](std::string_view pair, bool is_tls) {
    return Caller{.authorization = "Basic " + base64_encode(pair), .remote_address = "192.0.2.1", .is_tls = is_tls};
  };
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", basic("root@example.test:password-2", true)).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", basic("root@example.test:password-2", false)).status, 403);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", basic("anna@example.test:password-1", true)).status, 403);
  EXPECT_EQ(call("POST", "/api/v1/backup", R"({"directory":"/tmp/x"})", basic("root@example.test:password-2", true)).status, 403);
  const ApiAnswer wrong = call("GET", "/api/v1/tokens", "", basic("root@example.test:wrong", true));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(wrong.fields.find("WWW-Authenticate: Basic"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", {.authorization = "Basic !!!", .is_tls = true}).status, 401);
}

TEST_F(ApiTest, ANewPasswordCountsAtOnce) {
  world_.add_user("root@example.test", "password-1");
  call("PATCH", "/api/v1/users/root@example.test", R"({"role":"server_admin"})");
  const Caller old_password{.authorization = "Basic " + base64_encode("root@example.test:password-1"), .is_tls = true};
  const Caller new_password{.authorization = "Basic " + base64_encode("root@example.test:password-2"), .is_tls = true};
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", old_password).status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/users/root@example.test/password", R"({"password":"password-2"})").status, 204);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", old_password).status, 401);
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", new_password).status, 200);
  call("PATCH", "/api/v1/users/root@example.test", R"({"disabled":true})");
  EXPECT_EQ(call("GET", "/api/v1/tokens", "", new_password).status, 401);
}

TEST_F(ApiTest, MessagesAreDelivered) {
  world_.add_user("anna@example.test", "password-1");
  const ApiAnswer answer = call("POST", "/api/v1/deliver?to=Anna%2Bshop@example.test&from=ben@example.test",
                                "Subject: x\n\nline\r\nlast", kLocal, "message/rfc822");
  EXPECT_EQ(answer.status, 201) << answer.body;
  const auto messages = world_.messages("anna@example.test");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].starts_with("Return-Path: <ben@example.test>\r\nReceived: by mx.example.test with HTTP"))
      << messages[0];
  EXPECT_TRUE(messages[0].ends_with("\r\nSubject: x\r\n\r\nline\r\nlast\r\n")) << messages[0];
}

TEST_F(ApiTest, MessagesToNobodyAreRefused) {
  const auto deliver = [this](const std::string& query) {
    return call("POST", "/api/v1/deliver" + query, "Subject: x\n\nx", kLocal, "message/rfc822").status;
  };
  EXPECT_EQ(deliver("?to=none@example.test"), 404);
  EXPECT_EQ(deliver("?to=a@none.test"), 404);
  EXPECT_EQ(deliver("?to=x"), 400);
  EXPECT_EQ(deliver(""), 400);
  EXPECT_EQ(deliver("?to=a@example.test&x=1"), 400);
  world_.add_user("anna@example.test", "password-1");
  EXPECT_EQ(deliver("?to=anna@example.test&from=x"), 400);
  EXPECT_EQ(call("POST", "/api/v1/deliver?to=anna@example.test", "{}", kLocal).status, 415);
  world_.disable_user("anna@example.test");
  EXPECT_EQ(deliver("?to=anna@example.test"), 403);
  world_.add_alias("away@example.test", {"a@elsewhere.test"});
  EXPECT_EQ(deliver("?to=away@example.test"), 403);
}

TEST_F(ApiTest, CheckReports) {
  world_.add_user("anna@example.test", "password-1");
  world_.deliver("anna@example.test", "Subject: x\n\nx\n");
  for (const char* body : {"{}", R"({"bytes":true})"}) {
    const ApiAnswer answer = call("POST", "/api/v1/check", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(answer.body.find("{\"consistent\":true,\"domains\":1,\"users\":1,"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("\"findings\":[]"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(refusal("POST", "/api/v1/check", R"({"depth":1})"), "400 field 'depth' is not known here");
}

TEST_F(ApiTest, BackupIsChecked) {
  EXPECT_EQ(refusal("POST", "/api/v1/backup", R"({"directory":"relative"})"), "400 field 'directory' must be an absolute path");
  EXPECT_EQ(refusal("POST", "/api/v1/backup", "{}"), "400 field 'directory' is missing");
}

// The text exposition format, version 0.0.4: what a scraper needs to parse every line.
TEST_F(ApiTest, MetricsParseAndHoldWhatOperatorsWatch) {
  world_.add_user("anna@example.test", "secret");
  world_.deliver("anna@example.test", "Subject: x\n\nx\n");
  const ApiAnswer answer = call("GET", "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.fields.find("Content-Type: text/plain; version=0.0.4"), std::string::npos) << answer.fields;
  const std::regex sample(R"re(([a-z_]+)(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? -?[0-9]+)re");
  const std::regex comment("# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))");
  std::set<std::string> names;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (line.starts_with("#")) {
      EXPECT_TRUE(std::regex_match(line, comment)) << line;
    } else if (std::regex_match(line, parts, sample)) {
      names.insert(parts[1]);
    } else {
      ADD_FAILURE() << line;
    }
  }
  for (const char* name :
       {"posthus_store_commit_microseconds_count", "posthus_store_group_requests_bucket",
        "posthus_store_queue_wait_microseconds_sum", "posthus_store_live_bytes", "posthus_store_segment_bytes",
        "posthus_store_index_used_bytes", "posthus_store_index_free_bytes", "posthus_store_oldest_snapshot_age_commits",
        "posthus_store_queued_requests", "process_resident_memory_bytes", "process_start_time_seconds"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

store::FailingEngine* failing = nullptr;  // of the World that was made last

std::unique_ptr<store::Store> make_failing_store(const Clock& clock) {
  auto engine = std::make_unique<store::FailingEngine>(std::make_unique<store::MemoryEngine>());
  failing = engine.get();
  return store::Store::create_over(std::move(engine), clock);
}

struct ApiFailureTest : ApiTest {
  ApiFailureTest() : ApiTest(&make_failing_store) {}
};

TEST_F(ApiFailureTest, AnUnreadableDirectoryIs503NotAWrongPassword) {
  world_.add_user("anna@example.test", "secret");
  const Caller anna{.authorization = "Basic " + base64_encode("anna@example.test:secret"), .is_tls = true};
  failing->fail_snapshot(1, ErrorKind::kIo);
  EXPECT_EQ(call("GET", "/api/v1/status", "", anna).status, 503);
  EXPECT_EQ(call("GET", "/api/v1/status", "", anna).status, 403);  // read again: right password, no admin
}

}  // namespace
}  // namespace posthus::web_admin
