// Addresses of the envelope: RFC 5321 §4.1.2 and §4.1.3, RFC 6531 §3.3, and the key under which they are looked up.
#include "core/mail/address.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

struct MailboxCase {
  std::string_view text, local_part, domain;
};

TEST(Address, ReadsMailboxes) {
  const MailboxCase cases[] = {
      {"user@example.com", "user", "example.com"},
      {"USER.name+tag@Example.COM", "USER.name+tag", "example.com"},
      {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com"},
      {"\"a b\"@example.com", "a b", "example.com"},
      {"\"a\\\"b\\\\c\"@example.com", "a\"b\\c", "example.com"},
      {"\"@\"@example.com", "@", "example.com"},
      {"\"\"@example.com", "", "example.com"},
      {"x@localhost", "x", "localhost"},
      {"x@1-2.3", "x", "1-2.3"},
      {"x@[192.0.2.1]", "x", "[192.0.2.1]"},
      {"x@[ipv6:2001:DB8::0:1]", "x", "[IPv6:2001:db8::1]"},
      {"x@[tag-1:content!]", "x", "[tag-1:content!]"},
  };
  for (const MailboxCase& c : cases) {
    const Result<Address> address = parse_mailbox(c.text, Utf8::kRefuse);
    ASSERT_TRUE(address.has_value()) << c.text;
    EXPECT_EQ(address->local_part, c.local_part) << c.text;
    EXPECT_EQ(address->domain, c.domain) << c.text;
    EXPECT_EQ(parse_mailbox(to_string(*address), Utf8::kRefuse), *address) << c.text;
  }
}

TEST(Address, RefusesWhatIsNoMailbox) {
  const std::string_view cases[] = {"",
                                    "user",
                                    "@example.com",
                                    "user@",
                                    "a..b@example.com",
                                    ".a@example.com",
                                    "a.@example.com",
                                    "a b@example.com",
                                    "a@b@example.com",
                                    "a@-example.com",
                                    "a@example-.com",
                                    "a@example..com",
                                    "a@example.com.",
                                    "a@exam_ple.com",
                                    "\"a@example.com",
                                    "\"a\"b@example.com",
                                    "\"a\r\nb\"@example.com",
                                    "a@[192.0.2]",
                                    "a@[192.0.2.256]",
                                    "a@[2001:db8::1]",
                                    "a@[IPv6:192.0.2.1]",
                                    "a@[IPv6:1::2::3]",
                                    "a@[tag:]",
                                    "a@[:x]",
                                    "a@[tag:a]b]",
                                    "a@[192.0.2.1]x",
                                    "<a@example.com>",
                                    "a@example.com ",
                                    "a\x7f@example.com"};
  for (const std::string_view text : cases) EXPECT_FALSE(parse_mailbox(text, Utf8::kAllow).has_value()) << text;
  EXPECT_FALSE(parse_mailbox(std::string_view("a\0@example.com", 14), Utf8::kAllow).has_value());
}

TEST(Address, KeepsTheLengthsOfRfc5321) {
  EXPECT_TRUE(parse_mailbox(std::string(kMaxLocalPart, 'a') + "@b", Utf8::kRefuse).has_value());
  EXPECT_FALSE(parse_mailbox(std::string(kMaxLocalPart + 1, 'a') + "@b", Utf8::kRefuse).has_value());
  EXPECT_TRUE(parse_mailbox("a@" + std::string(63, 'b') + ".c", Utf8::kRefuse).has_value());
  EXPECT_FALSE(parse_mailbox("a@" + std::string(64, 'b') + ".c", Utf8::kRefuse).has_value());
  std::string domain;
  while (domain.size() + 2 <= kMaxDomain) domain += "a.";
  domain += "a";
  ASSERT_EQ(domain.size(), kMaxDomain);
  EXPECT_TRUE(parse_mailbox("a@" + domain, Utf8::kRefuse).has_value());
  EXPECT_FALSE(parse_mailbox("a@a" + domain, Utf8::kRefuse).has_value());
}

TEST(Address, AllowsUtf8OnlyWhenAsked) {
  EXPECT_FALSE(parse_mailbox("j\u00f8rn@example.com", Utf8::kRefuse).has_value());
  EXPECT_FALSE(parse_mailbox("a@bl\u00e5b\u00e6r.example", Utf8::kRefuse).has_value());
  const Result<Address> address = parse_mailbox("J\u00f8rn@Bl\u00c5b\u00e6r.example", Utf8::kAllow);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->local_part, "J\u00f8rn");
  EXPECT_EQ(address->domain, "xn--blbr-roah.example");
  EXPECT_FALSE(parse_mailbox("a\xff@example.com", Utf8::kAllow).has_value());
  EXPECT_FALSE(parse_mailbox("a@\xc3.example", Utf8::kAllow).has_value());
}

TEST(Address, QuotesOnlyWhatMustBeQuoted) {
  EXPECT_EQ(quote_local_part("a.b"), "a.b");
  EXPECT_EQ(quote_local_part("a b"), "\"a b\"");
  EXPECT_EQ(quote_local_part("a\"b\\"), "\"a\\\"b\\\\\"");
  EXPECT_EQ(quote_local_part(""), "\"\"");
  EXPECT_EQ(quote_local_part(".a"), "\".a\"");
  EXPECT_EQ(quote_local_part("j\u00f8rn"), "j\u00f8rn");
}

TEST(Domain, IsNormalised) {
  EXPECT_EQ(normalise_domain("EXAMPLE.com."), "example.com");
  EXPECT_EQ(normalise_domain("b\u00fccher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normalise_domain("B\u00dcCHER.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normalise_domain("bu\u0308cher.example"), "xn--bcher-kva.example");  // not NFC
  EXPECT_EQ(normalise_domain("stra\u00dfe.example"), "xn--strae-oqa.example");   // IDNA2008, non-transitional
  EXPECT_EQ(normalise_domain("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
  for (const std::string_view bad : {"", ".", "a..b", "a b", "-a", "\u00e9-", "a\xff", "."}) {
    EXPECT_FALSE(normalise_domain(bad).has_value()) << bad;
  }
}

TEST(Domain, IsShownInUnicodeWhereItCanBe) {
  EXPECT_EQ(domain_to_unicode("xn--bcher-kva.example"), "b\u00fccher.example");
  EXPECT_EQ(domain_to_unicode("example.com"), "example.com");
  EXPECT_EQ(domain_to_unicode("xn--\xff.example"), "xn--\xff.example");
}

TEST(Domain, LiteralsAreRecognised) {
  EXPECT_TRUE(is_domain_literal("[127.0.0.1]"));
  EXPECT_TRUE(is_domain_literal("[IPv6:::1]"));
  EXPECT_FALSE(is_domain_literal("127.0.0.1"));
  EXPECT_FALSE(is_domain_literal("[]"));
  EXPECT_FALSE(is_domain_literal("[::1]"));
  EXPECT_FALSE(is_domain_literal("[IPv6:]"));
}

TEST(LookupKey, FoldsCaseAndComposition) {
  const auto key = [](std::string_view text) { return lookup_key(*parse_mailbox(text, Utf8::kAllow)); };
  EXPECT_EQ(key("Anna@Example.com"), "anna@example.com");
  EXPECT_EQ(key("\"Anna\"@example.com"), "anna@example.com");
  EXPECT_EQ(key("J\u00d8RN@example.com"), key("j\u00f8rn@example.com"));
  EXPECT_EQ(key("andre\u0301@example.com"), key("andr\u00e9@example.com"));
  EXPECT_NE(key("andre@example.com"), key("andr\u00e9@example.com"));
}

TEST(LookupKey, DetailIsWhatFollowsThePlus) {
  EXPECT_EQ(without_detail("anna+shop"), "anna");
  EXPECT_EQ(without_detail("anna+shop+x"), "anna");
  EXPECT_EQ(without_detail("anna"), "anna");
  EXPECT_EQ(without_detail("+shop"), "+shop");
}

}  // namespace
}  // namespace posthus::mail
