// The DNS of a domain over the API: what to publish, whether it is there, writing it there.
#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"
#include "store/queue_reader.h"
#include "tests/support/world.h"
#include "tests/unit/web_admin/outside_doubles.h"
#include "web-admin/api.h"
#include "web-admin/dns_publish.h"
#include "web-admin/live_check.h"
#include "web-admin/outside.h"

namespace posthus::web_admin {
namespace {

class DnsTest : public ::testing::Test {
 protected:
  DnsTest()
      : api_({.store = *world_.store,
              .clock = world_.clock,
              .hostname = "Mail.example.test",
              .make_signing_key = testing::key_made_once,
              .services = {.pop3 = false},
              .interface_addresses = [] { return std::vector{*parse_ip_address("198.51.100.9")}; },
              .certificate = [] { return net::make_self_signed_certificate("mail.example.test", 30); }}) {
    outside_.make_resolver = [this] { return std::make_unique<SameResolver>(zone_); };
    outside_.fetch_sts_policy = [](std::string, auto done) { done(fail(ErrorKind::kDenied, "self-signed")); };
    outside_.exchange_dns = [this](const std::string& server, const std::string& message) {
      asked_.emplace_back(server, message);
      return Result<std::string>(fail(ErrorKind::kUnavailable, "the name server cannot be reached"));
    };
    api_.set_outside(outside_);
    call("POST", "/api/v1/domains", R"({"name":"bank.test"})");
  }

  Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request{.method = method, .target = target, .content_type = "application/json", .body = body};
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  std::string records() { return call("GET", "/api/v1/domains/bank.test/dns").body; }
  void set(const std::string& name, const std::string& value) {
    EXPECT_EQ(call("PUT", "/api/v1/settings/" + name, R"({"value":")" + value + "\"}").status, 200) << name;
  }

  Response check() { return call("POST", "/api/v1/domains/bank.test/dns/check"); }
  Response publish() { return call("POST", "/api/v1/domains/bank.test/dns/publish"); }

  testing::World world_;
  dns::MemoryResolver zone_;
  Outside outside_;
  std::vector<std::pair<std::string, std::string>> asked_;
  Api api_;
};

TEST_F(DnsTest, ChecksWhatIsThereAndSaysWhatToPaste) {
  ASSERT_TRUE(
      zone_.add_zone("bank.test MX 10 mail.example.test\nmail.example.test A 198.51.100.9\nbank.test TXT \"v=spf1 mx -all\""));
  const Response answer = check();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(answer.body.find(R"("light":"red")"), std::string::npos);
  const std::size_t mx = answer.body.find(R"("purpose":"mail_exchanger")");
  EXPECT_EQ(answer.body.find(R"("state":")", mx), answer.body.find(R"("state":"ok","found":["10 mail.example.test."])", mx));
  EXPECT_NE(answer.body.find(R"("paste":"_dmarc.bank.test. 3600 IN TXT \"v=DMARC1; p=quarantine)"), std::string::npos)
      << answer.body;
}

TEST_F(DnsTest, TellsHowFarACheckIsButOfItsDomainOnly) {
  call("POST", "/api/v1/domains", R"({"name":"other.test"})");
  const std::string path = "/api/v1/domains/Bank.test/dns/check", none = "{\"running\":false,\"done\":0,\"all\":0}\n";
  EXPECT_EQ(call("GET", path).body, none);
  std::vector<std::string> told, elsewhere;
  outside_.make_resolver = [&] {
    return std::make_unique<WatchedResolver>(zone_, [&] {
      told.push_back(call("GET", path).body);
      elsewhere.push_back(call("GET", "/api/v1/domains/other.test/dns/check").body);
    });
  };
  EXPECT_EQ(check().status, 200);
  ASSERT_GT(told.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {  // asked and answered one after the other here
    EXPECT_EQ(told[i], "{\"running\":true,\"done\":" + std::to_string(i) + ",\"all\":" + std::to_string(i + 1) + "}\n");
    EXPECT_EQ(elsewhere[i], none);
  }
  EXPECT_EQ(call("GET", path).body, none);
}

TEST_F(DnsTest, WhatHasChangedSinceTheLastCheckIsKept) {
  EXPECT_NE(records().find(R"("last_check":null)"), std::string::npos);
  ASSERT_TRUE(zone_.add_zone("mail.example.test A 198.51.100.9\nbank.test TXT \"v=spf1 mx -all\""));
  EXPECT_NE(check().body.find(R"("changes":[])"), std::string::npos) << "nothing to compare with yet";
  EXPECT_NE(records().find(R"("name":"bank.test","purpose":"mail_exchanger","state":"missing")"), std::string::npos) << records();
  world_.clock.advance(3'600'000'000);
  ASSERT_TRUE(zone_.add_zone("bank.test MX 10 mail.example.test"));
  EXPECT_NE(check().body.find(R"("changes":[{"time":"2026-11-21T13:00:00Z","before":"missing","type":"MX")"), std::string::npos)
      << records();
  EXPECT_NE(records().find(R"("checked":"2026-11-21T13:00:00Z")"), std::string::npos);
  EXPECT_NE(records().find(R"("before":"missing","type":"MX","name":"bank.test","purpose":"mail_exchanger","state":"ok"})"),
            std::string::npos)
      << records();
}

TEST_F(DnsTest, DomainsAreCheckedOnceADayByThemselves) {
  call("POST", "/api/v1/domains", R"({"name":"away.test"})");
  call("PATCH", "/api/v1/domains/away.test", R"({"disabled":true})");
  call("POST", "/api/v1/domains", R"({"name":"third.test"})");
  EXPECT_EQ(check_stale_domains(api_.context(), 1).value(), 1u) << "no more than asked for";
  EXPECT_EQ(check_stale_domains(api_.context(), 50).value(), 2u) << "those that were not; and not the disabled one";
  EXPECT_EQ(check_stale_domains(api_.context(), 50).value(), 0u);
  world_.clock.advance(86'400'000'000);
  {
    const std::lock_guard busy(outside_.one_at_a_time);
    EXPECT_EQ(check_stale_domains(api_.context(), 50).value(), 0u) << "who checks by hand goes first";
  }
  EXPECT_EQ(check_stale_domains(api_.context(), 50).value(), 3u);
  world_.clock.advance(86'400'000'000);
  outside_.stop.request_stop();
  EXPECT_EQ(check_stale_domains(api_.context(), 50).value(), 0u);
}

TEST_F(DnsTest, ThePolicyIsFetchedWhenItsHostIsThere) {
  ASSERT_TRUE(zone_.add_zone("mta-sts.bank.test A 198.51.100.9\nmail.example.test A 198.51.100.9"));
  EXPECT_NE(check().body.find("The certificate does not hold for mta-sts.bank.test (self-signed)"), std::string::npos);
}

TEST_F(DnsTest, OneCheckAtATimeAndOnlyByTheServer) {
  {
    const std::lock_guard busy(outside_.one_at_a_time);
    EXPECT_EQ(check().status, 503);
  }
  EXPECT_EQ(check().status, 200);
  outside_.make_resolver = nullptr;
  EXPECT_EQ(check().status, 503);
}

TEST_F(DnsTest, ACheckEndsWhenTheServerStops) {
  zone_.hold();
  outside_.stop.request_stop();
  const Response answer = check();
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("light":"yellow")"), std::string::npos);
  EXPECT_EQ(answer.body.find(R"("state":"missing")"), std::string::npos);
  zone_.release();
}

TEST_F(DnsTest, NewKeysAreActivatedWhenTheDnsHasThem) {
  const std::string dkim = "/api/v1/domains/bank.test/dkim";
  ASSERT_EQ(call("POST", dkim + "/rotate").status, 201);
  const Response refused = call("POST", dkim + "/activate");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("r20261121b._domainkey.bank.test: Nobody can verify"), std::string::npos) << refused.body;
  const auto snapshot = world_.store->snapshot();
  for (const store::DkimKeyRecord& key : *store::QueueReader(**snapshot).dkim_keys("bank.test")) {
    const auto algorithm = key.algorithm == store::DkimAlgorithm::kRsaSha256 ? mailauth::SigningAlgorithm::kRsaSha256
                                                                             : mailauth::SigningAlgorithm::kEd25519Sha256;
    ASSERT_TRUE(
        zone_.add_zone(key.selector + "._domainkey.bank.test TXT \"" + mailauth::key_record(algorithm, key.public_key) + "\""));
  }
  EXPECT_EQ(call("POST", dkim + "/activate").status, 200);
}

TEST_F(DnsTest, ActivationCanBeForced) {
  const std::string dkim = "/api/v1/domains/bank.test/dkim";
  ASSERT_EQ(call("POST", dkim + "/rotate").status, 201);
  EXPECT_EQ(call("POST", dkim + "/activate?force=maybe").status, 400);
  EXPECT_EQ(call("POST", dkim + "/activate?force=true").status, 200);
}

TEST_F(DnsTest, OptionalRecordsAreAskedForByAWord) {
  EXPECT_EQ(call("POST", "/api/v1/domains/bank.test/dns/publish?optional=perhaps").status, 400);
  set("dns.update_server", "127.0.0.1@5399");
  set("dns.update_key@bank.test", "update:c2VjcmV0");
  EXPECT_EQ(call("POST", "/api/v1/domains/bank.test/dns/publish?optional=true").status, 503);
  EXPECT_EQ(call("POST", "/api/v1/domains/bank.test/dns?optional=true").status, 405);
}

TEST_F(DnsTest, PublishingNeedsServerAndKeyAndNeverShowsTheKey) {
  EXPECT_EQ(publish().status, 400);
  set("dns.update_server", "127.0.0.1@5399");
  set("dns.update_key@bank.test", "update:c2VjcmV0");
  EXPECT_EQ(call("GET", "/api/v1/settings/dns.update_key@bank.test").body.find("c2VjcmV0"), std::string::npos);
  EXPECT_NE(call("GET", "/api/v1/settings/dns.update_key@bank.test").body.find("\"value\":\"********\""), std::string::npos);
  const Response answer = publish();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body.find("c2VjcmV0"), std::string::npos);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].first, "127.0.0.1@5399");
}

TEST_F(DnsTest, APlugInOfAProviderIsToldWhatToWrite) {
  set("dns.update_url", "https://plug-in.test/secret-path");
  ASSERT_TRUE(
      zone_.add_zone("bank.test TXT \"v=spf1 -all\"\nbank.test TXT \"site-verification=7\"\nmail.example.test A 198.51.100.9"));
  std::string url, body;
  Result<PlugInAnswer> says = PlugInAnswer{.status = 204, .body = ""};
  outside_.post_json = [&](const std::string& to, const std::string& text) {
    url = to, body = text;
    return says;
  };
  const Response written = publish();
  ASSERT_EQ(written.status, 200) << written.body;
  EXPECT_EQ(url, "https://plug-in.test/secret-path");
  EXPECT_TRUE(asked_.empty()) << "no name server is asked";
  EXPECT_TRUE(body.starts_with(R"({"domain":"bank.test","zone":"bank.test","changes":[)")) << body;
  EXPECT_NE(body.find(R"({"action":"add","name":"bank.test","type":"MX","ttl":3600,"values":["10 mail.example.test."]})"),
            std::string::npos)
      << body;
  const std::size_t spf = body.find(R"({"action":"replace","name":"bank.test","type":"TXT")");
  ASSERT_NE(spf, std::string::npos) << body;
  EXPECT_NE(body.find("\"site-verification=7\"", spf), std::string::npos) << "what stands beside it stays";

  says = PlugInAnswer{.status = 403, .body = "this key may not\r\nchange bank.test"};
  const Response denied = publish();
  EXPECT_EQ(denied.status, 403);
  EXPECT_NE(denied.body.find("https://plug-in.test refused: status 403: this key may not??change bank.test"), std::string::npos)
      << denied.body;
  says = PlugInAnswer{.status = 500, .body = ""};
  EXPECT_EQ(publish().status, 503);
  says = fail(ErrorKind::kUnavailable, "no answer in time");
  EXPECT_NE(publish().body.find("no answer in time"), std::string::npos);
  EXPECT_EQ(denied.body.find("secret-path"), std::string::npos);
  zone_.add("bank.test", dns::RecordType::kTxt, {.status = dns::Status::kTemporary});
  body.clear();
  says = PlugInAnswer{.status = 204, .body = ""};
  publish();
  EXPECT_EQ(body.find(R"("type":"TXT","ttl":3600,"values":["v=spf1)"), std::string::npos) << "unknown texts are not replaced";
}

TEST(PublishPlanTest, WritesWhatIsOursToWriteAndLeavesTheRest) {
  using mailauth::RecordFinding, mailauth::RecordState;
  const auto record = [](dns::Purpose purpose, std::string name, dns::RecordType type, dns::Importance importance) {
    return dns::PublishedRecord{
        .purpose = purpose, .importance = importance, .name = std::move(name), .type = type, .value = "v"};
  };
  using dns::Importance, dns::Purpose, dns::RecordType;
  const std::vector<RecordFinding> findings{
      {.record = record(Purpose::kMailExchanger, "a.test", RecordType::kMx, Importance::kRequired), .state = RecordState::kOk},
      {.record = record(Purpose::kDmarc, "_dmarc.a.test", RecordType::kTxt, Importance::kRecommended),
       .state = RecordState::kMissing},
      {.record = record(Purpose::kAutoconfig, "autoconfig.a.test", RecordType::kCname, Importance::kRecommended),
       .state = RecordState::kWrong},
      {.record = record(Purpose::kSpf, "a.test", RecordType::kTxt, Importance::kRequired),
       .state = RecordState::kWrong,
       .found = {"x"},
       .better_value = "better"},
      {.record = record(Purpose::kHelloSpf, "mx.a.test", RecordType::kTxt, Importance::kRequired),
       .state = RecordState::kWrong,
       .found = {"x"},
       .meaning = "+all"},
      {.record = record(Purpose::kReverse, "1.2.0.192.in-addr.arpa", RecordType::kPtr, Importance::kRequired),
       .state = RecordState::kMissing},
      {.record = record(Purpose::kHostAddress, "mx.b.test", RecordType::kA, Importance::kRequired),
       .state = RecordState::kMissing},
      {.record = record(Purpose::kTlsa, "_25._tcp.mx.a.test", RecordType::kTlsa, Importance::kOptional),
       .state = RecordState::kMissing},
      {.record = record(Purpose::kStsHost, "mta-sts.a.test", RecordType::kCname, Importance::kRecommended),
       .state = RecordState::kWrong,
       .meaning = "certificate",
       .is_about_name = false},
      {.record = record(Purpose::kMailExchanger, "alias.a.test", RecordType::kMx, Importance::kRequired),
       .state = RecordState::kWrong,
       .meaning = "its host is an alias",
       .is_about_name = false},
      {.record = record(Purpose::kDkim, "k._domainkey.a.test", RecordType::kTxt, Importance::kRequired),
       .state = RecordState::kUnknown,
       .meaning = "late"}};
  const PublishPlan plan = plan_publication(findings, "a.test");
  ASSERT_EQ(plan.changes.size(), 3u);
  using Kind = dns::SetChange::Kind;
  EXPECT_EQ(plan.changes[0].kind, Kind::kAdd);
  EXPECT_EQ(plan.changes[1].kind, Kind::kReplaceName);
  EXPECT_EQ(plan.changes[2].kind, Kind::kReplace);
  EXPECT_EQ(plan.changes[2].values, std::vector<std::string>{"better"});
  ASSERT_EQ(plan.left.size(), 7u);
  for (const LeftOut& left : plan.left) EXPECT_FALSE(left.reason.empty());
  const PublishPlan with_optional = plan_publication(findings, "a.test", OptionalRecords::kWritten);
  ASSERT_EQ(with_optional.changes.size(), 4u);
  EXPECT_EQ(with_optional.changes[3].name, "_25._tcp.mx.a.test");
  EXPECT_EQ(with_optional.left.size(), 6u);
}

TEST_F(DnsTest, ShowsWhatToPublish) {
  const std::string body = records();
  for (
      const char* part :
      {R"("domain":"bank.test","hostname":"mail.example.test")",
       R"({"name":"bank.test","type":"MX","value":"10 mail.example.test.","ttl":3600,"importance":"required","purpose":"mail_exchanger")",
       R"("name":"mail.example.test","type":"A","value":"198.51.100.9")", R"("name":"r20261121._domainkey.bank.test")",
       R"("name":"e20261121._domainkey.bank.test")", R"("value":"0 1 993 mail.example.test.")",
       R"("name":"_pop3._tcp.bank.test","type":"SRV","value":"0 0 0 .")", R"("value":"v=STSv1; id=)", R"("value":"3 1 1 )",
       R"("zone":"; Records of bank.test)"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << "\n" << body;
  }
}

TEST_F(DnsTest, FollowsTheSettings) {
  set("public.addresses", "203.0.113.4,2001:db8::4");
  set("public.imaps_port", "1993");
  set("public.submission_port", "0");
  set("public.reports@bank.test", "none");
  set("mta_sts.mode@bank.test", "off");
  const std::string body = records();
  EXPECT_EQ(body.find("198.51.100.9"), std::string::npos);
  EXPECT_NE(body.find(R"("value":"2001:db8::4")"), std::string::npos);
  EXPECT_NE(body.find("0 1 1993 mail.example.test."), std::string::npos);
  EXPECT_NE(body.find(R"("name":"_submission._tcp.bank.test","type":"SRV","value":"0 0 0 .")"), std::string::npos);
  EXPECT_EQ(body.find("STSv1"), std::string::npos);
  EXPECT_EQ(body.find("rua="), std::string::npos);
}

TEST_F(DnsTest, TheIdOfThePolicyChangesWithThePolicy) {
  const auto id = [this] {
    const std::string body = records();
    return body.substr(body.find("v=STSv1; id=") + 12, 20);
  };
  const std::string first = id();
  EXPECT_EQ(id(), first);
  set("mta_sts.mode@bank.test", "enforce");
  const std::string second = id();
  EXPECT_NE(second, first);
  set("mta_sts.max_age", "86400");
  EXPECT_NE(id(), second);
  const std::string third = id();
  set("mta_sts.mx@bank.test", "backup.other.test");
  EXPECT_NE(id(), third);
}

TEST_F(DnsTest, OnlyDomainsOfOurs) {
  EXPECT_EQ(call("GET", "/api/v1/domains/nowhere.test/dns").status, 404);
  EXPECT_EQ(call("GET", "/api/v1/domains/a..b/dns").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/domains/bank.test/dns?x=1").status, 400);
}

TEST_F(DnsTest, SettingsOfEachKindRefuseWhatTheyAreNot) {
  const auto status = [this](const std::string& name, const std::string& value) {
    return call("PUT", "/api/v1/settings/" + name, R"({"value":")" + value + "\"}").status;
  };
  EXPECT_EQ(status("public.imaps_port", "65536"), 400);
  EXPECT_EQ(status("mta_sts.mode", "on"), 400);
  EXPECT_EQ(status("mta_sts.mode", "off none"), 400);
  EXPECT_EQ(status("dns.certificate_authorities", "a..b"), 400);
  EXPECT_EQ(status("dns.certificate_authorities", "letsencrypt.org,sectigo.com"), 200);
  EXPECT_EQ(status("public.addresses", "mail.example.test"), 400);
}

}  // namespace
}  // namespace posthus::web_admin
