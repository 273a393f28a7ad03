// check_host() by the examples of RFC 7208 and by its limits; what a record costs.
#include "core/mailauth/spf.h"

#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"
#include "core/mailauth/spf_macro.h"

namespace posthus::mailauth {
namespace {

class SpfTest : public ::testing::Test {
 protected:
  void zone(std::string_view text) { ASSERT_TRUE(zone_.add_zone(text)); }
  template <class T>
  T complete(const std::function<std::optional<T>(dns::Answers&)>& check) {
    dns::Answers answers;
    std::optional<T> result;
    dns::ask_until_complete(zone_, answers, std::chrono::steady_clock::now() + std::chrono::seconds(10), {},
                            [&](dns::Answers& known) { result = check(known); });
    EXPECT_TRUE(result);
    return result.value_or(T{});
  }
  std::string check(const std::string& address, const std::string& domain, const std::string& sender = "") {
    const SpfClient client{*parse_ip_address(address), sender.empty() ? "postmaster@" + domain : sender, "mx." + domain};
    return std::string(
        to_string(complete<SpfVerdict>([&](dns::Answers& answers) { return check_host(client, domain, answers); }).result));
  }
  SpfCost cost(const std::string& domain) {
    return complete<SpfCost>([&](dns::Answers& answers) { return spf_cost(domain, answers); });
  }
  dns::MemoryResolver zone_;
};

// RFC 7208 appendix A.
constexpr std::string_view kExample = R"(
example.com MX 10 mail-a.example.com
example.com MX 20 mail-b.example.com
example.com A 192.0.2.10
example.com A 192.0.2.11
amy.example.com A 192.0.2.65
bob.example.com A 192.0.2.66
mail-a.example.com A 192.0.2.129
mail-b.example.com A 192.0.2.130
example.org MX 10 mail-c.example.org
mail-c.example.org A 192.0.2.140
10.2.0.192.in-addr.arpa PTR example.com
65.2.0.192.in-addr.arpa PTR amy.example.com
140.2.0.192.in-addr.arpa PTR mail-c.example.org
)";

TEST_F(SpfTest, ExamplesOfTheRfc) {
  const std::tuple<std::string, std::string, std::string> kRows[] = {
      {"+all", "192.0.2.99", "pass"},
      {"a -all", "192.0.2.10", "pass"},
      {"a -all", "192.0.2.12", "fail"},
      {"a:example.org -all", "192.0.2.10", "fail"},
      {"mx -all", "192.0.2.129", "pass"},
      {"mx -all", "192.0.2.10", "fail"},
      {"mx:example.org -all", "192.0.2.140", "pass"},
      {"mx mx:example.org -all", "192.0.2.130", "pass"},
      {"mx/30 mx:example.org/30 -all", "192.0.2.131", "pass"},
      {"mx/30 mx:example.org/30 -all", "192.0.2.143", "pass"},
      {"ptr -all", "192.0.2.65", "pass"},
      {"ptr -all", "192.0.2.140", "fail"},
      {"ip4:192.0.2.128/28 -all", "192.0.2.129", "pass"},
      {"ip4:192.0.2.128/28 -all", "192.0.2.65", "fail"},
      {"ip6:2001:db8::/32 -all", "2001:db8::1", "pass"},
      {"?all", "192.0.2.1", "neutral"},
      {"~all", "192.0.2.1", "softfail"},
      {"ip4:192.0.2.1", "192.0.2.2", "neutral"},
  };
  for (const auto& [terms, address, expected] : kRows) {
    zone_.clear();
    zone(std::string(kExample) + "example.com TXT \"v=spf1 " + terms + "\"");
    EXPECT_EQ(check(address, "example.com"), expected) << terms << " " << address;
  }
}

TEST_F(SpfTest, IncludesAndRedirects) {
  zone(
      "a.test TXT \"v=spf1 include:b.test -all\"\nb.test TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
      "c.test TXT \"v=spf1 redirect=b.test\"\nd.test TXT \"v=spf1 include:none.test -all\"\ne.test TXT \"v=spf1 "
      "redirect=none.test\"\n"
      "f.test TXT \"v=spf1 include:f.test\"");
  EXPECT_EQ(check("192.0.2.1", "a.test"), "pass");
  EXPECT_EQ(check("192.0.2.2", "a.test"), "fail");
  EXPECT_EQ(check("192.0.2.1", "c.test"), "pass");
  EXPECT_EQ(check("192.0.2.2", "c.test"), "fail");
  EXPECT_EQ(check("192.0.2.1", "d.test"), "permerror");
  EXPECT_EQ(check("192.0.2.1", "e.test"), "permerror");
  EXPECT_EQ(check("192.0.2.1", "f.test"), "permerror");
}

TEST_F(SpfTest, BrokenRecordsAndTemporaryFailures) {
  zone(
      "two.test TXT \"v=spf1 -all\"\ntwo.test TXT \"v=spf1 +all\"\nbad.test TXT \"v=spf1 ip4:192.0.2.300 -all\"\n"
      "odd.test TXT \"v=spf1 foo:bar -all\"\nother.test TXT \"v=spf10 +all\"\nlate.test !temporary\n"
      "waits.test TXT \"v=spf1 a:late.test -all\"");
  EXPECT_EQ(check("192.0.2.1", "two.test"), "permerror");
  EXPECT_EQ(check("192.0.2.1", "bad.test"), "permerror");
  EXPECT_EQ(check("192.0.2.1", "odd.test"), "permerror");
  EXPECT_EQ(check("192.0.2.1", "other.test"), "none");
  EXPECT_EQ(check("192.0.2.1", "nowhere.test"), "none");
  EXPECT_EQ(check("192.0.2.1", "late.test"), "temperror");
  EXPECT_EQ(check("192.0.2.1", "waits.test"), "temperror");
}

TEST_F(SpfTest, MoreThanTenLookupsAreTooMany) {
  std::string ten = "ten.test TXT \"v=spf1", eleven = "eleven.test TXT \"v=spf1", hosts;
  for (int i = 0; i < 11; ++i) {
    const std::string term = " a:h" + std::to_string(i) + ".test";
    if (i < 10) ten += term;
    eleven += term;
    hosts += "h" + std::to_string(i) + ".test A 198.51.100.1\n";
  }
  zone(ten + " ip4:192.0.2.1 -all\"\n" + eleven + " ip4:192.0.2.1 -all\"\n" + hosts);
  EXPECT_EQ(check("192.0.2.1", "ten.test"), "pass");
  EXPECT_EQ(check("192.0.2.1", "eleven.test"), "permerror");
  EXPECT_EQ(cost("ten.test").lookups, 10);
  EXPECT_EQ(cost("eleven.test").lookups, 11);
}

TEST_F(SpfTest, TheCostIsThatOfAllTermsWhereverTheyAre) {
  zone(
      "a.test TXT \"v=spf1 include:b.test mx -all\"\nb.test TXT \"v=spf1 a:h.test include:c.test ~all\"\nc.test TXT \"v=spf1 "
      "?all\"\n"
      "h.test A 192.0.2.9\na.test MX 10 h.test\nd.test TXT \"v=spf1 ip4:192.0.2.0/24 -all\"");
  EXPECT_EQ(cost("a.test").lookups, 4);
  EXPECT_EQ(cost("a.test").reason, "");
  EXPECT_EQ(cost("d.test").lookups, 0);
}

TEST_F(SpfTest, MoreThanTwoNamesWithoutAddressesAreTooMany) {
  zone(
      "v.test TXT \"v=spf1 a:x1.test a:x2.test ip4:192.0.2.1 -all\"\nw.test TXT \"v=spf1 a:x1.test a:x2.test a:x3.test "
      "ip4:192.0.2.1 -all\"");
  EXPECT_EQ(check("192.0.2.1", "v.test"), "pass");
  EXPECT_EQ(check("192.0.2.1", "w.test"), "permerror");
}

TEST_F(SpfTest, ManyTermsAreBoundedInQuestions) {
  std::string record = "many.test TXT \"v=spf1";
  for (int i = 0; i < 1000; ++i) record += " a:h" + std::to_string(i) + ".test";
  zone(record + " -all\"");
  EXPECT_EQ(check("192.0.2.1", "many.test"), "permerror");
  EXPECT_LE(zone_.questions(), 20u);
}

// RFC 7208 §7.4
TEST(SpfMacroTest, ExamplesOfTheRfc) {
  const SpfMacroValues values{*parse_ip_address("192.0.2.3"), "strong-bad@email.example.com", "mx.example.org",
                              "email.example.com"};
  const auto expand = [&](std::string_view text) { return expand_spf_macros(text, values).value_or("(none)"); };
  EXPECT_EQ(expand("%{s}"), "strong-bad@email.example.com");
  EXPECT_EQ(expand("%{o}"), "email.example.com");
  EXPECT_EQ(expand("%{d4}"), "email.example.com");
  EXPECT_EQ(expand("%{d2}"), "example.com");
  EXPECT_EQ(expand("%{d1}"), "com");
  EXPECT_EQ(expand("%{dr}"), "com.example.email");
  EXPECT_EQ(expand("%{d2r}"), "example.email");
  EXPECT_EQ(expand("%{l-}"), "strong.bad");
  EXPECT_EQ(expand("%{lr-}"), "bad.strong");
  EXPECT_EQ(expand("%{l1r-}"), "strong");
  EXPECT_EQ(expand("%{ir}.%{v}._spf.%{d2}"), "3.2.0.192.in-addr._spf.example.com");
  EXPECT_EQ(expand("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}"), "bad.strong.lp.3.2.0.192.in-addr._spf.example.com");
  EXPECT_EQ(expand("%%%_%-"), "% %20");
  EXPECT_EQ(expand("%{d0}"), "(none)");
  EXPECT_EQ(expand("%{x}"), "(none)");
  EXPECT_EQ(expand("%{d"), "(none)");
  EXPECT_EQ(expand("%"), "(none)");
}

}  // namespace
}  // namespace posthus::mailauth
