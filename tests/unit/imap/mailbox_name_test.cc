// Mailbox names: modified UTF-7 with the examples of RFC 9051 Appendix A.1, and LIST patterns.
#include "imap/mailbox_name.h"

#include <gtest/gtest.h>

namespace posthus::imap {
namespace {

TEST(MailboxName, modified_utf7_both_ways) {
  const std::pair<const char*, const char*> names[] = {
      {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"},
      {"&U,BTF2XlZyyKng-", "台北日本語"},
      {"Entw&APw-rfe", "Entwürfe"},
      {"a &- b", "a & b"},
      {"&2D3eAA-", "😀"},
      {"&-&AOQ-", "&ä"},
  };
  for (const auto& [utf7, utf8] : names) {
    EXPECT_EQ(from_modified_utf7(utf7), utf8);
    EXPECT_EQ(to_modified_utf7(utf8), utf7);
  }
}

TEST(MailboxName, broken_modified_utf7_is_refused) {
  for (const auto* name :
       {"&Jjo!", "&U,BTFw-&ZeVnLIqe-", "&", "&AGE-", "&AGEA-", "&2D0-", "&3gA-", "&A-", "a&b", "&AP!-", "\x01", "ä"}) {
    EXPECT_FALSE(from_modified_utf7(name)) << name;
  }
}

TEST(MailboxName, inbox_is_one_name_in_any_case) {
  EXPECT_EQ(to_mailbox_name("inBOX", NameForm::kUtf8), "INBOX");
  EXPECT_EQ(to_mailbox_name("inbox/a", NameForm::kUtf8), "INBOX/a");
  EXPECT_EQ(to_mailbox_name("inboxes", NameForm::kUtf8), "inboxes");
  EXPECT_FALSE(to_mailbox_name("", NameForm::kUtf8));
  EXPECT_FALSE(to_mailbox_name("a\x01", NameForm::kUtf8));
  EXPECT_FALSE(to_mailbox_name("\xff", NameForm::kUtf8));
  EXPECT_EQ(to_mailbox_name("&AOQ-", NameForm::kUtf8), "&AOQ-");
}

struct PatternCase {
  const char* name;
  const char* pattern;
  bool matches;
};

TEST(MailboxName, patterns) {
  const PatternCase cases[] = {
      // clang-format off
      {"INBOX", "*", true},      {"INBOX", "%", true},       {"INBOX", "inbox", true},  {"INBOX", "i%x", true},   {"a/b", "*", true},
      {"a/b", "%", false},       {"a/b", "a/%", true},       {"a/b/c", "a/%", false},   {"a/b/c", "a/*", true},   {"a/b/c", "%/%/c", true},
      {"a", "a/%", false},       {"abc", "a%c%", true},      {"ab", "", false},         {"", "", true},           {"abc", "ABC", false},
      {"a/b/c/d", "*b*d", true}, {"a/b/c/d", "%b*d", false}, {"INBOX/x", "inb*", true}, {"INBOX/x", "*X", false}, {"xaby", "*ab%", true},
      // clang-format on
  };
  for (const auto& c : cases) EXPECT_EQ(matches_pattern(c.name, c.pattern), c.matches) << c.name << " " << c.pattern;
}

TEST(MailboxName, many_wildcards_cost_no_more_than_pattern_times_name) {
  // Exponential matchers do not come back from this.
  std::string pattern, name(200, 'a');
  for (int i = 0; i < 200; ++i) pattern += "*a%";
  pattern.resize(500);
  EXPECT_FALSE(matches_pattern(name + "b", pattern + "c"));
}

}  // namespace
}  // namespace posthus::imap
