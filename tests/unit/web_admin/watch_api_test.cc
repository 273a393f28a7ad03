// /api/v1/history, alerts, logs and the support bundle: what an admin sees of how the server fares.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "core/base/base64.h"
#include "core/base/log_ring.h"
#include "core/base/queue_id.h"
#include "store/alert_records.h"
#include "store/history_records.h"
#include "tests/support/world.h"
#include "web-admin/alert_words.h"
#include "web-admin/api.h"
#include "web-admin/delivery_check.h"
#include "web-admin/masking.h"
#include "web-admin/tar.h"

namespace posthus::web_admin {
namespace {

class WatchApiTest : public ::testing::Test {
 protected:
  Response get(const std::string& target, const std::string& method = "GET") {
    Request request{.method = method, .target = target};
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  bool has(const Response& response, const std::string& part) { return response.body.find(part) != std::string::npos; }

  void put(std::uint64_t id, store::AlertKind kind, bool is_open) {
    store::AlertRecord alert{.id = id, .kind = kind, .subject = "far.test", .facts = {"90", "451 later"}};
    alert.opened = Timestamp::from_seconds(1'800'000'000);
    if (!is_open) alert.closed = Timestamp::from_seconds(1'800'000'600);
    ASSERT_TRUE(world_.store->apply(store::PutAlert{alert}));
  }

  testing::World world_;
  Result<std::vector<AlertDelivery>> test_ = fail(ErrorKind::kUnavailable, "nobody");
  Api api_{{.store = *world_.store,
            .authenticator = world_.authenticator.get(),
            .clock = world_.clock,
            .hostname = "mx.example.test",
            .version = "9.9",
            .started = world_.clock.now(),
            .test_alerts = [this] { return test_; },
            .configuration = "hostname = mx.example.test  (default)\n"}};
};

TEST_F(WatchApiTest, WhatIsSetAtTheStartIsToldWithItsPlace) {
  EXPECT_TRUE(
      has(get("/api/v1/settings"), R"_("at_start":[{"name":"hostname","value":"mx.example.test","origin":"default"}]})_"));
  api_.set_configuration("a.b = x  (y)  (environment POSTHUS_A_B)\nbroken\nempty =   (default)\n");
  const std::string expected =
      R"_("at_start":[{"name":"a.b","value":"x  (y)","origin":"environment POSTHUS_A_B"},{"name":"empty","value":"","origin":"default"}]})_";
  EXPECT_TRUE(has(get("/api/v1/settings"), expected)) << get("/api/v1/settings").body;
}

TEST_F(WatchApiTest, HistoryComesInColumns) {
  world_.clock.set(Timestamp::from_seconds(1'800'000'000));
  store::AddHistory sample{.time = world_.clock.now()};
  sample.values[static_cast<std::size_t>(store::HistoryFigure::kReceived)] = 7;
  ASSERT_TRUE(world_.store->apply(std::move(sample)));
  const Response hour = get("/api/v1/history?figure=received,queue");
  EXPECT_EQ(hour.status, 200) << hour.body;
  EXPECT_TRUE(has(hour, R"({"span":"hour","step":60,"start":1799996460,"slots":60,"figures":{"received":[null,null,)"))
      << hour.body;
  EXPECT_TRUE(has(hour, R"(null,7],"queue":[null,)")) << hour.body;
  EXPECT_TRUE(has(hour, "null,0]}}")) << hour.body;
  const Response year = get("/api/v1/history?span=year");
  EXPECT_TRUE(has(year, R"("step":86400)")) << year.body;
  EXPECT_TRUE(has(year, R"("memory_bytes":[)")) << year.body;
  EXPECT_LT(get("/api/v1/history?span=month&figure=received").body.size(), 5000u) << "compact";
}

TEST_F(WatchApiTest, HistoryRefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(has(get("/api/v1/history?span=decade"), "hour, day, month or year"));
  for (const char* figure : {"junk", "received,", "received,received", ""}) {
    EXPECT_EQ(get(std::string("/api/v1/history?figure=") + figure).status, 400) << figure;
  }
}

TEST_F(WatchApiTest, AlertsAreListedInWordsNewestFirst) {
  put(1, store::AlertKind::kDestination, false);
  put(2, store::AlertKind::kHold, true);
  const Response all = get("/api/v1/alerts");
  EXPECT_EQ(all.status, 200) << all.body;
  EXPECT_TRUE(has(all, R"({"open":1,"items":[{"id":"2","kind":"hold","subject":"far.test")")) << all.body;
  EXPECT_TRUE(has(all, R"("title":"Mail for far.test does not get through")")) << all.body;
  EXPECT_TRUE(has(all, R"("opened":"2027-01-15T08:00:00Z","closed":"2027-01-15T08:10:00Z")")) << all.body;
  EXPECT_FALSE(has(get("/api/v1/alerts?state=open"), R"("id":"1")"));
  EXPECT_FALSE(has(get("/api/v1/alerts?state=past"), R"("id":"2")"));
  EXPECT_TRUE(has(get("/api/v1/alerts?language=de"), "E-Mail an far.test kommt nicht an"));
  const Response page = get("/api/v1/alerts?limit=1");
  EXPECT_TRUE(has(page, "\"next\":\"" + base64url_encode("2"))) << page.body;
  const Response second = get("/api/v1/alerts?limit=1&after=" + base64url_encode("2"));
  EXPECT_TRUE(has(second, R"("id":"1")")) << second.body;
  EXPECT_TRUE(has(second, R"("next":null)")) << second.body;
  for (const char* wrong : {"?state=new", "?language=fr", "?after=x", "?x=1"}) {
    EXPECT_EQ(get(std::string("/api/v1/alerts") + wrong).status, 400) << wrong;
  }
}

TEST_F(WatchApiTest, ATestOfAlertsIsToldAsItWent) {
  EXPECT_EQ(get("/api/v1/alerts/test", "POST").status, 503);
  test_ = std::vector<AlertDelivery>{{"mail", "a@b.test", true, "in the mailbox"},
                                     {"webhook", "https://h.test/...", false, "HTTP status 500"}};
  const Response answer = get("/api/v1/alerts/test", "POST");
  EXPECT_TRUE(has(answer, R"({"delivered":false,"items":[{"channel":"mail","target":"a@b.test","delivered":true)"))
      << answer.body;
}

TEST(AlertWordsTest, EveryKindHasAllItsWordsInEveryLanguage) {
  using Language = mail::ReportLanguage;
  for (int kind = 0; kind <= static_cast<int>(store::AlertKind::kCount); ++kind) {
    store::AlertRecord alert{.id = 1, .subject = "SUBJECT", .facts = {"ONE", "TWO"}};
    const bool is_many = kind == static_cast<int>(store::AlertKind::kCount);
    alert.kind = is_many ? store::AlertKind::kDestination : static_cast<store::AlertKind>(kind);
    if (is_many) alert.subject = "*";
    std::set<std::string> titles;
    for (const Language language : {Language::kEnglish, Language::kGerman, Language::kNorwegian}) {
      const AlertWords words = words_of(alert, language, Timestamp{});
      for (const std::string& text : {words.title, words.what, words.action, words.over}) {
        EXPECT_GT(text.size(), 10u) << kind;
        EXPECT_EQ(text.find('{'), std::string::npos) << text;
        EXPECT_EQ(text.find("  "), std::string::npos) << text;
      }
      titles.insert(words.title);
    }
    EXPECT_EQ(titles.size(), 3u);
  }
}

TEST(AlertWordsTest, ACertificateIsSaidToEndOrToHaveEnded) {
  const auto title = [](const store::AlertRecord& alert, std::int64_t seconds, mail::ReportLanguage language) {
    return words_of(alert, language, Timestamp::from_seconds(seconds)).title;
  };
  using Language = mail::ReportLanguage;
  constexpr std::int64_t kEnd = 1'800'000'000;  // 2027-01-15T08:00:00Z
  store::AlertRecord alert{.id = 1, .kind = store::AlertKind::kCertificate, .subject = "mx.test"};
  alert.facts = {"2027-01-15", "2027-01-15T08:00:00Z"};
  EXPECT_EQ(title(alert, kEnd - 1, Language::kEnglish), "The certificate of mx.test is good only until 2027-01-15");
  EXPECT_EQ(title(alert, kEnd, Language::kEnglish), "The certificate of mx.test expired on 2027-01-15");
  EXPECT_EQ(title(alert, kEnd, Language::kGerman), "Das Zertifikat von mx.test ist am 2027-01-15 abgelaufen");
  EXPECT_EQ(title(alert, kEnd, Language::kNorwegian), "Sertifikatet for mx.test utløp 2027-01-15");
  alert.closed = Timestamp::from_seconds(kEnd - 86'400);  // renewed in time
  EXPECT_EQ(title(alert, kEnd + 86'400, Language::kEnglish), "The certificate of mx.test is good only until 2027-01-15");
  alert = {
      .id = 1, .kind = store::AlertKind::kCertificate, .subject = "mx.test", .facts = {"2027-01-15"}};  // of an older version
  EXPECT_EQ(title(alert, kEnd + 3600, Language::kEnglish), "The certificate of mx.test is good only until 2027-01-15");
  EXPECT_EQ(title(alert, kEnd + 86'400, Language::kEnglish), "The certificate of mx.test expired on 2027-01-15");
}

TEST(AlertWordsTest, AGatewayThatHidesItsClientsHasItsOwnRemedy) {
  store::AlertRecord alert{.id = 1, .kind = store::AlertKind::kSharedAddress, .subject = "172.17.0.1"};
  for (const auto language : {mail::ReportLanguage::kEnglish, mail::ReportLanguage::kGerman, mail::ReportLanguage::kNorwegian}) {
    alert.facts = {"gateway_hides_clients"};
    const AlertWords gateway = words_of(alert, language, Timestamp{});
    EXPECT_NE(gateway.action.find("userland-proxy: false"), std::string::npos) << gateway.action;
    alert.facts = {"address_shared"};
    const AlertWords many = words_of(alert, language, Timestamp{});
    EXPECT_NE(many.action.find("proxy.shared_addresses"), std::string::npos) << many.action;
    for (const AlertWords& words : {gateway, many}) EXPECT_NE(words.title.find("172.17.0.1"), std::string::npos) << words.title;
  }
}

TEST_F(WatchApiTest, LogsAreFilteredAndFollowed) {
  const Response empty = get("/api/v1/logs?text=no-such-line-anywhere");
  const auto follow_of = [](const Response& response) {
    const std::size_t at = response.body.find("\"follow\":\"") + 10;
    return response.body.substr(at, response.body.find('"', at) - at);
  };
  std::string cursor = follow_of(empty);
  const std::string id = to_text(next_queue_id(world_.clock.now()));
  log::keep_line(log::Level::kInfo,
                 R"({"time":"t","level":"info","event":"smtp.accepted","id":")" + id + R"(","from":"Anna@example.test"})");
  log::keep_line(log::Level::kWarning,
                 R"({"time":"t","level":"warning","event":"tls.reload_failed","context":"say \",\"id\":\"fake\""})");
  log::keep_line(log::Level::kInfo, R"({"time":"t","level":"info","event":"login.rejected","protocol":"imap"})");
  const std::string after = "&after=" + cursor;
  EXPECT_TRUE(has(get("/api/v1/logs?text=ANNA@" + after), R"("event":"smtp.accepted")"));
  EXPECT_FALSE(has(get("/api/v1/logs?text=anna@" + after), "tls.reload_failed"));
  EXPECT_FALSE(has(get("/api/v1/logs?level=warning" + after), "smtp.accepted"));
  EXPECT_TRUE(has(get("/api/v1/logs?level=warning" + after), "tls.reload_failed"));
  EXPECT_TRUE(has(get("/api/v1/logs?protocol=imap" + after), "login.rejected"));
  EXPECT_TRUE(has(get("/api/v1/logs?protocol=tls" + after), "tls.reload_failed"));
  EXPECT_TRUE(has(get("/api/v1/logs?id=" + id + after), "\"trace\":\"" + id + "\",\"line\":{"));
  EXPECT_FALSE(has(get("/api/v1/logs?id=fake" + after), "tls.reload_failed")) << "no field, but words that look like one";
  // One at a time, to the end.
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    const Response page = get("/api/v1/logs?limit=1&after=" + cursor);
    for (const char* event : {"smtp.accepted", "tls.reload_failed", "login.rejected"}) {
      if (has(page, event)) seen += event + std::string(" ");
    }
    cursor = follow_of(page);
  }
  EXPECT_EQ(seen, "smtp.accepted tls.reload_failed login.rejected ");
  // The last ones, for who begins.
  const Response last = get("/api/v1/logs?limit=2");
  EXPECT_FALSE(has(last, "smtp.accepted"));
  EXPECT_TRUE(has(last, "login.rejected"));
  // A cursor of another process: from the beginning.
  EXPECT_TRUE(has(get("/api/v1/logs?after=" + base64url_encode("5-999999")), "login.rejected"));
  for (const char* wrong : {"?level=loud", "?after=MQ", "?after=eC0x", "?id=%22", "?protocol=a%20b"}) {
    EXPECT_EQ(get(std::string("/api/v1/logs") + wrong).status, 400) << wrong;
  }
}

TEST(MaskingTest, AddressesBecomeMasksThatCanBeFollowed) {
  const Masking masking("key");
  const std::string once = masking.addresses(R"({"from":"anna@a.test","to":"Anna@a.test, bert@b.test"})");
  EXPECT_EQ(once.find("anna"), std::string::npos) << once;
  EXPECT_EQ(once.find("Anna"), std::string::npos) << once;
  EXPECT_EQ(once.find("bert"), std::string::npos) << once;
  const std::string mask = once.substr(9, 9);
  EXPECT_EQ(once.find(mask + "@a.test", 20), once.find("\"to\":\"") + 6) << once;
  EXPECT_EQ(Masking().addresses("anna@a.test") == Masking().addresses("anna@a.test"), false) << "another key each time";
  EXPECT_EQ(masking.addresses(R"({"a":"\"an na\"@a.test"})").find("an na"), std::string::npos);
  EXPECT_EQ(masking.addresses("no address, @ alone, @list"), "no address, @ alone, @list");
  EXPECT_EQ(masking.addresses("<SRS0=x=y=b.test=jürgen@a.test>").find("rgen"), std::string::npos);
}

TEST(MaskingTest, LinesShowNeitherLoginsNorClients) {
  const Masking masking;
  const std::string line = masking.log_line(
      R"({"time":"t","event":"login.rejected","user":"my \"pass word","address":"203.0.113.77","client":"2001:db8:1:2::3"})");
  EXPECT_EQ(line.find("pass"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("address":"203.0.113.0/24","client":"2001:db8:1::/48"})"), std::string::npos) << line;
  const std::string plain = masking.log_line(R"({"event":"x","login":"anna@a.test","from":"anna@a.test"})");
  const std::size_t first = plain.find('u'), second = plain.find("\"from\":\"") + 8;
  EXPECT_EQ(plain.substr(first, 9), plain.substr(second, 9)) << plain;
}

TEST_F(WatchApiTest, TheSupportBundleHasNoSecrets) {
  world_.add_user("anna.secret@example.test", "hunter2hunter2");
  ASSERT_TRUE(world_.store->apply(store::PutSetting{"acme.eab_key", "c2VjcmV0LWtleQ"}));
  ASSERT_TRUE(world_.store->apply(store::PutSetting{"alerts.webhook", "https://hook.test/T0KEN"}));
  ASSERT_TRUE(world_.store->apply(store::PutSetting{"alerts.mail", "anna.secret@example.test"}));
  put(1, store::AlertKind::kDestination, true);
  log::keep_line(log::Level::kInfo, R"({"time":"t","level":"info","event":"login.rejected","user":"anna.secret@example.test"})");
  const Response bundle = get("/api/v1/support-bundle");
  EXPECT_EQ(bundle.status, 200) << bundle.body;
  EXPECT_EQ(bundle.content_type, "application/x-tar");
  EXPECT_EQ(bundle.body.size() % 512, 0u);
  for (const char* name : {"README.txt", "status.json", "settings.json", "configuration.txt", "metrics.txt", "alerts.json",
                           "delivery.json", "certificates.json", "destinations.json", "log.jsonl"}) {
    EXPECT_TRUE(has(bundle, name)) << name;
    EXPECT_NE(bundle.body.find(std::string(name) + std::string(100 - std::strlen(name), '\0')), std::string::npos) << name;
  }
  for (const char* secret : {"anna.secret", "c2VjcmV0", "T0KEN", "hunter2"}) EXPECT_FALSE(has(bundle, secret)) << secret;
  EXPECT_TRUE(has(bundle, R"_("acme.eab_key":"(set)")_"));
  EXPECT_TRUE(has(bundle, R"("alerts.webhook":"https://hook.test/...")"));
  EXPECT_TRUE(has(bundle, "hostname = mx.example.test"));
}

TEST(ClockItemTest, TheClockIsAnItemOfTheDeliveryCheck) {
  using Kind = ClockVerdict::Kind;
  EXPECT_EQ(judge_clock({}, 30).state, mailauth::RecordState::kUnknown);
  EXPECT_EQ(judge_clock({.kind = Kind::kRight, .ahead = 1, .hosts = {"a.test"}}, 30).state, mailauth::RecordState::kOk);
  const DeliveryItem wrong = judge_clock({.kind = Kind::kWrong, .ahead = -90, .hosts = {"a.test", "b.test"}}, 30);
  EXPECT_EQ(wrong.state, mailauth::RecordState::kWrong);
  EXPECT_EQ(wrong.subject, "a.test, b.test");
  EXPECT_NE(wrong.meaning.find("90 seconds behind"), std::string::npos);
  EXPECT_FALSE(wrong.action.empty());
}

}  // namespace
}  // namespace posthus::web_admin
