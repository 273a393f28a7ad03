// The delivery check: block lists, port 25, names, certificate; what each finding says to do.
#include "web-admin/delivery_check.h"

#include <gtest/gtest.h>

#include <set>

#include "core/dns/memory_resolver.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"
#include "tests/unit/web_admin/outside_doubles.h"
#include "web-admin/check_progress.h"
#include "web-admin/outside.h"
#include "web-admin/port_probe.h"

namespace posthus::web_admin {
namespace {

using mailauth::RecordState;

constexpr std::string_view kZone = R"(
mail.example.test A 198.51.100.9
9.100.51.198.in-addr.arpa PTR mail.example.test
2.0.0.127.list.test A 127.0.0.2
2.0.0.127.other.test A 127.0.0.2
mx.big.test A 198.51.100.20
mx.big.test AAAA 2001:db8::20
)";

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest()
      : api_({.store = *world_.store,
              .clock = world_.clock,
              .hostname = "mail.example.test",
              .interface_addresses = [] { return std::vector{*parse_ip_address("198.51.100.9")}; },
              .certificate = [] { return net::make_self_signed_certificate("mail.example.test", 30); },
              .clock_verdict = [this](std::int64_t) { return verdict_; }}) {
    outside_.make_resolver = [this] { return std::make_unique<SameResolver>(zone_); };
    outside_.dialer = &dialer_;
    api_.set_outside(outside_);
    set("delivery.blocklists", "list.test,other.test");
  }
  void zone(std::string_view more) { ASSERT_TRUE(zone_.add_zone(std::string(kZone) + std::string(more))); }
  Response call(const std::string& method, const std::string& query = "") {
    Request request{.method = method, .target = "/api/v1/delivery-check" + query};
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  void set(const std::string& name, const std::string& value) {
    ASSERT_TRUE(world_.store->apply(store::PutSetting{name, value}));
  }
  DeliveryItem listing(const std::string& address, const std::string& list = "list.test") {
    dns::Answers answers;
    std::optional<DeliveryItem> item;
    dns::ask_until_complete(zone_, answers, std::chrono::steady_clock::now() + std::chrono::seconds(10), {},
                            [&](dns::Answers& known) { item = judge_listing(*parse_ip_address(address), list, known); });
    EXPECT_TRUE(item);
    return item.value_or(DeliveryItem{});
  }

  testing::World world_;
  ClockVerdict verdict_;
  dns::MemoryResolver zone_;
  PromptDialer dialer_;
  Outside outside_;
  Api api_;
};

TEST_F(DeliveryTest, ListsAreAskedForTheAddressAndWhetherTheyAnswerAtAll) {
  zone("9.100.51.198.list.test A 127.0.0.4\n9.100.51.198.list.test TXT \"see https://list.test\"\n");
  EXPECT_EQ(listing("198.51.100.9").state, RecordState::kWrong);
  EXPECT_EQ(listing("198.51.100.9").meaning, "The address is on the list: see https://list.test");
  EXPECT_FALSE(listing("198.51.100.9").action.empty());
  EXPECT_EQ(listing("198.51.100.10").state, RecordState::kOk);
  EXPECT_EQ(listing("2001:db8::1").state, RecordState::kOk);
  EXPECT_EQ(listing("198.51.100.10", "dead.test").state, RecordState::kUnknown);  // not even the test entry
}

TEST_F(DeliveryTest, AListThatRefusesUsSaysNothing) {
  zone("9.100.51.198.list.test A 127.255.255.254\n8.100.51.198.list.test A 192.0.2.1\nlate.test !temporary\n");
  EXPECT_EQ(listing("198.51.100.9").state, RecordState::kUnknown);
  EXPECT_NE(listing("198.51.100.9").action.find("public resolvers"), std::string::npos);
  EXPECT_EQ(listing("198.51.100.8").state, RecordState::kUnknown);
  EXPECT_EQ(listing("198.51.100.9", "late.test").state, RecordState::kUnknown);
}

TEST_F(DeliveryTest, EachItemHasItsVerdict) {
  zone("");
  EXPECT_NE(call("GET").body.find(R"("checked":null)"), std::string::npos);
  const Response answer = call("POST");
  EXPECT_EQ(answer.status, 200) << answer.body;
  for (const char* part :
       {R"({"check":"addresses","subject":"IPv4","state":"ok")", R"({"check":"addresses","subject":"IPv6","state":"unknown")",
        R"({"check":"host_address","subject":"198.51.100.9","state":"ok")",
        R"({"check":"reverse","subject":"9.100.51.198.in-addr.arpa","state":"ok")",
        R"({"check":"blocklist","subject":"198.51.100.9 at list.test","state":"ok")",
        R"({"check":"blocklist","subject":"198.51.100.9 at other.test","state":"ok")",
        R"({"check":"port_25","subject":"","state":"unknown")",
        R"({"check":"certificate","subject":"mail.example.test","state":"wrong","meaning":"The certificate is self-signed)"}) {
    EXPECT_NE(answer.body.find(part), std::string::npos) << part << answer.body;
  }
  EXPECT_EQ(call("GET").body, answer.body);
  EXPECT_TRUE(dialer_.hosts.dialled().empty());
  EXPECT_EQ(call("POST", "?probe=all").status, 400);
}

TEST_F(DeliveryTest, EachRedItemSaysWhatToDo) {
  const auto reds = [this] {
    std::set<std::string> checks;
    call("POST");
    for (const DeliveryItem& item : last_delivery_report(api_.context())->items) {
      if (item.state != RecordState::kWrong) continue;
      EXPECT_FALSE(item.action.empty()) << item.check << ' ' << item.subject << ": " << item.meaning;
      checks.insert(item.check);
    }
    return checks;
  };
  ASSERT_TRUE(zone_.add_zone(
      "mail.example.test A 198.51.100.8\n9.100.51.198.in-addr.arpa PTR mail.example.test\nmx.big.test A 198.51.100.20\n"
      "2.0.0.127.list.test A 127.0.0.2\n9.100.51.198.list.test A 127.0.0.2\n"));
  set("delivery.probe_hosts", "mx.big.test");
  dialer_.hosts.set_host("198.51.100.20", 25, {.connect_failure = "connection timed out"});
  verdict_ = {.kind = ClockVerdict::Kind::kWrong, .ahead = 300, .hosts = {"a.test", "b.test"}};
  const std::set<std::string> all{"blocklist", "certificate", "clock", "host_address", "port_25", "reverse"};
  EXPECT_EQ(reds(), all) << "a name that does not lead back";
}

TEST_F(DeliveryTest, PortsAreTriedForEachFamily) {
  zone("");
  set("delivery.probe_hosts", "mx.big.test");
  dialer_.hosts.set_host("198.51.100.20", 25, {.script = "220 mx.big.test ESMTP\r\n250 mx.big.test\r\n"});
  dialer_.hosts.set_host("2001:db8::20", 25, {.connect_failure = "connection timed out"});
  const std::string body = call("POST").body;
  EXPECT_NE(body.find(R"x({"check":"port_25","subject":"mx.big.test (198.51.100.20)","state":"ok")x"), std::string::npos) << body;
  EXPECT_NE(
      body.find(
          R"x({"check":"port_25","subject":"mx.big.test (2001:db8::20)","state":"wrong","meaning":"It cannot be reached: connection timed out.")x"),
      std::string::npos)
      << body;
  EXPECT_EQ(call("POST", "?probe=none").body.find("mx.big.test"), std::string::npos);
}

TEST_F(DeliveryTest, ReceiversTellWhichAddressTheySee) {
  zone("");
  set("delivery.probe_hosts", "mx.big.test");
  const auto told = [this](const std::string& greeting) {
    dialer_.hosts.set_host("198.51.100.20", 25, {.script = greeting});
    dialer_.hosts.set_host("2001:db8::20", 25, {.connect_failure = "connection timed out"});
    call("POST");
    const DeliveryItem item = last_delivery_report(api_.context())->items.front();
    EXPECT_EQ(item.check + " " + item.subject, "addresses IPv4");
    return item;
  };
  const DeliveryItem other = told("220-mx\r\n220 mx ESMTP\r\n250-mx at your service, [5.6.7.8]\r\n250 SIZE\r\n");
  EXPECT_EQ(other.state, RecordState::kWrong);
  EXPECT_EQ(other.meaning, "mx.big.test sees this server as 5.6.7.8.");
  EXPECT_NE(other.action.find("public.addresses"), std::string::npos);
  set("public.addresses", "5.6.7.8");
  EXPECT_EQ(told("220 mx\r\n250 Hello [5.6.7.8]\r\n").state, RecordState::kOk);
  // Of our own network, or nothing said: what is known here stands.
  for (const char* greeting : {"220 mx\r\n250 Hello [10.0.0.2]\r\n", "220 mx\r\n250 Hello\r\n", "220 mx\r\n502 no\r\n"}) {
    EXPECT_EQ(told(greeting).meaning, "The world sees this server as 5.6.7.8.") << greeting;
  }
}

TEST(PortProbe, AnAddressIsReadFromTheReplyToEhlo) {
  EXPECT_EQ(address_in_greeting("250-mx.example.test at your service, [192.0.2.1]\r"), parse_ip_address("192.0.2.1"));
  EXPECT_EQ(address_in_greeting("250 Hello [IPv6:2001:db8::1]"), parse_ip_address("2001:db8::1"));
  EXPECT_EQ(address_in_greeting("250 Hello [2001:db8::1]"), parse_ip_address("2001:db8::1"));
  for (const char* bad :
       {"", "250", "250 [", "250 []", "250 ]192.0.2.1[", "250 [192.0.2.1", "250 [mx.example.test]", "554 [192.0.2.1]"}) {
    EXPECT_FALSE(address_in_greeting(bad)) << bad;
  }
}

TEST_F(DeliveryTest, WellKnownReceiversAreTriedOnlyWhenAsked) {
  zone("gmail.com MX 20 alt.big.test\ngmail.com MX 10 mx.big.test\nalt.big.test A 198.51.100.21\n");
  dialer_.hosts.set_host("198.51.100.20", 25, {.script = "554 no mail from you\r\n"});
  EXPECT_EQ(call("POST").body.find("big.test"), std::string::npos);
  EXPECT_EQ(zone_.questions("gmail.com", dns::RecordType::kMx), 0u);
  const std::string body = call("POST", "?probe=well_known").body;
  EXPECT_NE(body.find("It cannot be reached: it greeted with 554."), std::string::npos) << body;
  EXPECT_EQ(body.find("alt.big.test"), std::string::npos);
}

TEST_F(DeliveryTest, TheDailyLookAsksListsOnlyAndNobodyWithoutAddresses) {
  zone("9.100.51.198.list.test A 127.0.0.2\n");
  const auto report = check_delivery(api_.context(), Probe::kNone, Extent::kBlocklists);
  ASSERT_TRUE(report);
  ASSERT_EQ((*report)->items.size(), 2u);
  EXPECT_EQ((*report)->items[0].state, RecordState::kWrong);
  EXPECT_EQ(zone_.questions("mail.example.test", dns::RecordType::kA), 0u);
  const std::uint64_t before = zone_.questions();
  ServerContext nobody = api_.context();
  nobody.interface_addresses = [] { return std::vector<IpAddress>(); };
  outside_.make_resolver = [] { return std::unique_ptr<dns::Resolver>(); };
  EXPECT_TRUE(check_delivery(nobody, Probe::kNone, Extent::kBlocklists));
  EXPECT_EQ(zone_.questions(), before);
}

TEST_F(DeliveryTest, TellsHowFarItIs) {
  zone("");
  const auto told = [this] {
    Request request{.method = "GET", .target = "/api/v1/delivery-check/progress"};
    request.origin.is_unix_socket = true;
    return api_.handle(request).body;
  };
  EXPECT_EQ(told(), "{\"running\":false,\"done\":0,\"all\":0}\n");
  std::string meanwhile;
  outside_.make_resolver = [&] { return std::make_unique<WatchedResolver>(zone_, [&] { meanwhile = told(); }); };
  EXPECT_EQ(call("POST").status, 200);
  EXPECT_TRUE(meanwhile.starts_with("{\"running\":true,\"done\":")) << meanwhile;
  EXPECT_EQ(told(), "{\"running\":false,\"done\":0,\"all\":0}\n");
}

TEST_F(DeliveryTest, ASilentServerIsNoWayOut) {
  dialer_.hosts.set_host("198.51.100.20", 25, {.is_silent = true});
  std::vector<ProbedPort> ports{{"mx.big.test", *parse_ip_address("198.51.100.20")}};
  const auto progress = std::make_shared<CheckProgress>("");
  probe_ports(dialer_, ports, {.port = 25, .hostname = "mail.example.test"}, std::chrono::steady_clock::now(), {}, progress);
  EXPECT_EQ(progress->asked, 1u);
  EXPECT_EQ(progress->answered, 0u);
  EXPECT_EQ(ports[0].failure, "no answer in time");
  dialer_.hosts.time_out();  // comes after nobody waits any more
}

}  // namespace
}  // namespace posthus::web_admin
