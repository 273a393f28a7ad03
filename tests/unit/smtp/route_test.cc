// Routing: what a destination's DNS or a route makes of the way to it. No network: the answers are written down here.
#include "smtp/route.h"

#include <gtest/gtest.h>

#include <set>

namespace posthus::smtp {
namespace {

using dns::Answer;
using dns::RecordType;
using dns::Status;
using PlanKind = RoutePlan::Kind;

IpAddress address(std::string_view text) { return *parse_ip_address(text); }

struct RoutingCase : ::testing::Test {
  RoutingCase() {
    facts.domain = "example.org";
    facts.hostname = "mx.posthus.test";
    facts.seed = 7;
    facts.is_own_address = [this](const std::string& text, std::uint16_t) { return own.contains(text); };
  }

  void put(const std::string& name, RecordType type, Answer answer) { answers[{name, type}] = std::move(answer); }
  void put_mx(std::vector<dns::MxRecord> records) {
    put(facts.domain, RecordType::kMx, {.status = Status::kFound, .exchanges = std::move(records)});
  }
  void put_addresses(const std::string& name, const std::vector<std::string>& texts) {
    Answer v4{.status = Status::kNoData}, v6{.status = Status::kNoData};
    for (const std::string& text : texts) {
      Answer& answer = address(text).is_v6 ? v6 : v4;
      answer.status = Status::kFound;
      answer.addresses.push_back(address(text));
    }
    put(name, RecordType::kA, v4);
    put(name, RecordType::kAaaa, v6);
  }
  void put_status(const std::string& name, Status status, const std::string& reason = "") {
    for (const RecordType type : {RecordType::kMx, RecordType::kA, RecordType::kAaaa}) {
      put(name, type, {.status = status, .reason = reason});
    }
  }
  RoutePlan plan() { return route(facts, answers); }
  std::vector<std::string> hosts() {
    std::vector<std::string> names;
    for (const Hop& hop : plan().hops) names.push_back(hop.host);
    return names;
  }
  std::vector<std::string> addresses() {
    std::vector<std::string> texts;
    for (const Hop& hop : plan().hops) texts.push_back(to_string(hop.address));
    return texts;
  }
  std::string failure() {
    const RoutePlan p = plan();
    return (p.kind == PlanKind::kFailed ? "failed " : p.kind == PlanKind::kDeferred ? "deferred " : "no verdict ") + p.status;
  }

  RouteFacts facts;
  Answers answers;
  std::set<std::string> own;
};

using Names = std::vector<std::string>;

TEST_F(RoutingCase, AsksForTheExchangersThenForTheirAddresses) {
  RoutePlan first = plan();
  ASSERT_EQ(first.kind, PlanKind::kLacking);
  EXPECT_EQ(first.questions, (std::vector<Question>{{"example.org", RecordType::kMx}}));
  put_mx({{10, "a.example.org"}, {20, "b.example.org"}});
  const RoutePlan second = plan();
  ASSERT_EQ(second.kind, PlanKind::kLacking);
  EXPECT_EQ(second.questions.size(), 4U);  // both families of both hosts, asked at once
}

TEST_F(RoutingCase, ExchangersByPreferenceWithPort) {
  put_mx({{20, "b.example.org"}, {10, "a.example.org"}, {30, "c.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1"});
  put_addresses("b.example.org", {"192.0.2.2"});
  put_addresses("c.example.org", {"192.0.2.3"});
  EXPECT_EQ(hosts(), (Names{"a.example.org", "b.example.org", "c.example.org"}));
  EXPECT_EQ(plan().hops.front().port, 25);
  EXPECT_FALSE(plan().hops.front().is_from_route);
}

TEST_F(RoutingCase, EqualPreferencesAreShuffled) {
  std::vector<dns::MxRecord> records;
  for (int i = 0; i < 6; ++i) {
    const std::string name = "h" + std::to_string(i) + ".example.org";
    records.push_back({10, name});
    put_addresses(name, {"192.0.2." + std::to_string(i + 1)});
  }
  put_mx(records);
  std::set<std::string> firsts;
  for (facts.seed = 1; facts.seed < 60; ++facts.seed) firsts.insert(hosts().front());
  EXPECT_GE(firsts.size(), 4U);
}

TEST_F(RoutingCase, FamiliesTakeTurnsBeginningWithIpv6) {
  put_mx({{10, "a.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"});
  EXPECT_EQ(addresses(), (Names{"2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"}));
}

TEST_F(RoutingCase, WithoutMxTheDomainsOwnAddressesAreUsed) {
  put(facts.domain, RecordType::kMx, {.status = Status::kNoData});
  put_addresses("example.org", {"192.0.2.9"});
  EXPECT_EQ(hosts(), Names{"example.org"});
}

TEST_F(RoutingCase, ADomainWithoutMxAndAddressReceivesNoMail) {
  put_status("example.org", Status::kNoData);
  EXPECT_EQ(failure(), "failed 5.1.2");
}

TEST_F(RoutingCase, ADomainThatDoesNotExistFails) {
  put_status("example.org", Status::kNoName);
  EXPECT_EQ(failure(), "failed 5.1.2");
  EXPECT_NE(plan().explanation.find("does not exist"), std::string::npos);
}

TEST_F(RoutingCase, ANullMxIsRefusedAtOnce) {
  put_mx({{0, ""}});
  EXPECT_EQ(failure(), "failed 5.1.10");
  put_mx({{0, "."}});
  EXPECT_EQ(failure(), "failed 5.1.10");
}

TEST_F(RoutingCase, ANullMxBesideOthersMeansNothing) {
  put_mx({{0, "."}, {10, "a.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1"});
  EXPECT_EQ(hosts(), Names{"a.example.org"});
}

TEST_F(RoutingCase, TemporaryAndBogusAnswersDeferAtEveryStep) {
  for (const Status status : {Status::kTemporary, Status::kBogus}) {
    answers.clear();
    put_status("example.org", status, "SERVFAIL");
    EXPECT_EQ(failure(), "deferred 4.4.3");
    EXPECT_NE(plan().explanation.find("SERVFAIL"), std::string::npos);
    put(facts.domain, RecordType::kMx, {.status = Status::kNoData});
    EXPECT_EQ(failure(), "deferred 4.4.3");
    put_mx({{10, "a.example.org"}});
    put_status("a.example.org", status);
    EXPECT_EQ(failure(), "deferred 4.4.3");
  }
}

TEST_F(RoutingCase, AHostThatTheDnsKnowsNothingOfForNowDoesNotHideOthers) {
  put_mx({{10, "a.example.org"}, {20, "b.example.org"}});
  put_status("a.example.org", Status::kTemporary);
  put_addresses("b.example.org", {"192.0.2.2"});
  EXPECT_EQ(hosts(), Names{"b.example.org"});
}

TEST_F(RoutingCase, OneFamilyWithoutAnswerDoesNotHideTheOther) {
  put_mx({{10, "a.example.org"}});
  put("a.example.org", RecordType::kAaaa, {.status = Status::kTemporary});
  put("a.example.org", RecordType::kA, {.status = Status::kFound, .addresses = {address("192.0.2.1")}});
  EXPECT_EQ(addresses(), Names{"192.0.2.1"});
}

TEST_F(RoutingCase, ExchangersWithoutAddressFail) {
  put_mx({{10, "a.example.org"}});
  put_status("a.example.org", Status::kNoName);
  EXPECT_EQ(failure(), "failed 5.4.4");
}

TEST_F(RoutingCase, OurOwnNameCutsEverythingThatIsNotBetter) {
  put_mx({{10, "a.example.org"}, {20, "mx.posthus.test"}, {20, "b.example.org"}, {30, "c.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1"});
  EXPECT_EQ(hosts(), Names{"a.example.org"});  // nobody else is even asked for
}

TEST_F(RoutingCase, OurOwnAddressCutsLikewise) {
  own = {"192.0.2.2"};
  put_mx({{10, "a.example.org"}, {20, "alias.example.org"}, {20, "b.example.org"}, {30, "c.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1"});
  put_addresses("alias.example.org", {"192.0.2.2"});
  put_addresses("b.example.org", {"192.0.2.3"});
  put_addresses("c.example.org", {"192.0.2.4"});
  EXPECT_EQ(hosts(), Names{"a.example.org"});
}

TEST_F(RoutingCase, NothingLeftIsALoop) {
  put_mx({{10, "mx.posthus.test"}, {20, "b.example.org"}});
  EXPECT_EQ(failure(), "failed 5.4.6");
  own = {"192.0.2.2"};
  put_mx({{10, "alias.example.org"}});
  put_addresses("alias.example.org", {"192.0.2.2"});
  EXPECT_EQ(failure(), "failed 5.4.6");
  put(facts.domain, RecordType::kMx, {.status = Status::kNoData});
  put_addresses("example.org", {"192.0.2.2"});
  EXPECT_EQ(failure(), "failed 5.4.6");
}

TEST_F(RoutingCase, TheBackupWaitsWhenThePrimaryIsUnknownForNow) {
  put_mx({{10, "a.example.org"}, {20, "mx.posthus.test"}});
  put_status("a.example.org", Status::kTemporary);
  EXPECT_EQ(failure(), "deferred 4.4.3");
}

TEST_F(RoutingCase, MailOfARelayDomainWaitsWhateverTheDnsSays) {
  facts.is_relay = true;
  put_status("example.org", Status::kNoName);
  EXPECT_EQ(failure(), "deferred 4.1.2");
  EXPECT_NE(plan().explanation.find("does not exist"), std::string::npos);
  put_mx({{0, ""}});
  EXPECT_EQ(failure(), "deferred 4.1.10");
  put_mx({{10, "mx.posthus.test"}});  // the primary was forgotten
  EXPECT_EQ(failure(), "deferred 4.4.6");
  put_mx({{5, "primary.example.org"}, {10, "mx.posthus.test"}});
  put_status("primary.example.org", Status::kNoName);
  EXPECT_EQ(failure(), "deferred 4.4.4");
  put_addresses("primary.example.org", {"192.0.2.1"});
  EXPECT_EQ(hosts(), Names{"primary.example.org"});
}

TEST_F(RoutingCase, LoopbackAndNonsenseAddressesAreNotConnectedTo) {
  put_mx({{10, "a.example.org"}});
  for (const char* text : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "ff02::1", "::ffff:127.0.0.1"}) {
    put_addresses("a.example.org", {text});
    EXPECT_EQ(failure(), "failed 5.4.4") << text;
  }
  put_addresses("a.example.org", {"127.0.0.1", "192.0.2.1"});
  EXPECT_EQ(addresses(), Names{"192.0.2.1"});
}

TEST_F(RoutingCase, ASettingAllowsLoopbackButNotWhatIsNoAddress) {
  facts.loopback = LoopbackRule::kAllow;
  put_mx({{10, "a.example.org"}});
  put_addresses("a.example.org", {"127.0.0.2", "::1", "0.0.0.0"});
  EXPECT_EQ(addresses(), (Names{"::1", "127.0.0.2"}));
}

TEST_F(RoutingCase, AThousandExchangersAreCutToTwenty) {
  std::vector<dns::MxRecord> records;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "h" + std::to_string(i) + ".example.org";
    records.push_back({static_cast<std::uint16_t>(i), name});
    put_addresses(name, {"198.51.100." + std::to_string(i % 250 + 1), "203.0.113." + std::to_string(i % 250 + 1), "192.0.2.77"});
  }
  put_mx(records);
  EXPECT_EQ(plan().hops.size(), kMaxHops);
  std::set<std::string> distinct;
  for (const std::string& host : hosts()) distinct.insert(host);
  EXPECT_EQ(distinct.size(), 20U);
}

TEST_F(RoutingCase, ThousandAddressesOfOneHostAreBounded) {
  std::vector<std::string> texts;
  for (int i = 0; i < 250; ++i) texts.push_back("192.0.2." + std::to_string(i + 1));
  put_mx({{10, "a.example.org"}});
  put_addresses("a.example.org", texts);
  EXPECT_EQ(plan().hops.size(), kMaxHops);
}

TEST_F(RoutingCase, ANameTwiceAndAnAddressTwiceCountOnce) {
  put_mx({{20, "a.example.org"}, {10, "a.example.org"}, {15, "b.example.org"}});
  put_addresses("a.example.org", {"192.0.2.1", "192.0.2.1"});
  put_addresses("b.example.org", {"192.0.2.1", "192.0.2.2"});
  EXPECT_EQ(addresses(), (Names{"192.0.2.1", "192.0.2.2"}));
}

TEST_F(RoutingCase, AddressLiterals) {
  facts.domain = "[192.0.2.1]";
  EXPECT_EQ(addresses(), Names{"192.0.2.1"});
  facts.domain = "[IPv6:2001:db8::1]";
  EXPECT_EQ(addresses(), Names{"2001:db8::1"});
  facts.domain = "[127.0.0.1]";
  EXPECT_EQ(failure(), "failed 5.4.4");
  facts.domain = "[x400:abc]";
  EXPECT_EQ(failure(), "failed 5.1.2");
  facts.domain = "[]";
  EXPECT_EQ(plan().kind, PlanKind::kLacking);  // no literal: a name the DNS knows nothing of
  own = {"192.0.2.1"};
  facts.domain = "[192.0.2.1]";
  EXPECT_EQ(failure(), "failed 5.4.6");
}

TEST_F(RoutingCase, ARouteIsUsedAsItIsWithoutMx) {
  store::RouteRecord record{.name = "example.org", .hops = {{"relay.example.net", 2525}, {"127.0.0.1", 26}}, .login = "us"};
  facts.route = &record;
  put_addresses("relay.example.net", {"192.0.2.5"});
  const RoutePlan p = plan();
  ASSERT_EQ(p.hops.size(), 2U);
  EXPECT_EQ(p.hops[0].host, "relay.example.net");
  EXPECT_EQ(p.hops[0].port, 2525);
  EXPECT_EQ(p.hops[0].login, "us");
  EXPECT_EQ(p.hops[0].tls, TlsUse::kRequired) << "a password is for a server that has proven its name";
  EXPECT_EQ(p.hops[1].tls, TlsUse::kOpportunistic) << "loopback";
  EXPECT_TRUE(p.hops[0].is_from_route);
  EXPECT_EQ(to_string(p.hops[1].address), "127.0.0.1");  // the admin said so
  EXPECT_EQ(p.hops[1].port, 26);
}

TEST_F(RoutingCase, ARoutesTlsIsKept) {
  using Tls = store::RouteRecord::Tls;
  store::RouteRecord record{.hops = {{"192.0.2.1", 1, Tls::kNever},
                                     {"192.0.2.2", 2, Tls::kOpportunistic},
                                     {"192.0.2.3", 3, Tls::kRequired},
                                     {"192.0.2.4", 4, Tls::kImplicit}}};
  facts.route = &record;
  std::vector<TlsUse> uses;
  for (const Hop& hop : plan().hops) uses.push_back(hop.tls);
  EXPECT_EQ(uses, (std::vector<TlsUse>{TlsUse::kNever, TlsUse::kOpportunistic, TlsUse::kRequired, TlsUse::kImplicit}));
}

TEST_F(RoutingCase, ARouteThatLeadsNowhereOrToUsIsDeferred) {
  store::RouteRecord record{.hops = {{"relay.example.net", 25}}};
  facts.route = &record;
  put_status("relay.example.net", Status::kNoName);
  EXPECT_EQ(failure(), "deferred 4.4.4");
  own = {"192.0.2.1"};
  put_addresses("relay.example.net", {"192.0.2.1"});
  EXPECT_EQ(failure(), "deferred 4.4.4");
}

TEST_F(RoutingCase, ARouteWithoutHostsMeansMx) {
  store::RouteRecord record{.name = "example.org"};
  facts.route = &record;
  EXPECT_EQ(plan().questions, (std::vector<Question>{{"example.org", RecordType::kMx}}));
}

TEST_F(RoutingCase, DnssecIsRemembered) {
  put(facts.domain, RecordType::kMx, {.status = Status::kFound, .is_secure = true, .exchanges = {{10, "a.example.org"}}});
  put_addresses("a.example.org", {"192.0.2.1"});
  EXPECT_TRUE(plan().hops[0].is_exchanger_secure);
  EXPECT_FALSE(plan().hops[0].is_address_secure);
  answers[{"a.example.org", RecordType::kA}].is_secure = true;
  EXPECT_TRUE(plan().hops[0].is_address_secure);
}

}  // namespace
}  // namespace posthus::smtp
