// Address lists as people wrote them: RFC 5322 appendix A.1-A.6, obsolete syntax, and broken ones.
#include "core/mail/address_list.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

/// One line per member: "name<route mailbox@host>", "group{" and "}".
std::string listed(std::string_view value) {
  std::string out;
  for_each_listed_address(value, [&](const ListedAddress& a) {
    if (!out.empty()) out += "; ";
    if (a.kind == ListedKind::kGroupStart) {
      out.append(a.name).append("{");
    } else if (a.kind == ListedKind::kGroupEnd) {
      out += "}";
    } else {
      out.append(a.name).append("<").append(a.route).append(a.route.empty() ? "" : " ");
      out.append(a.mailbox).append("@").append(a.host).append(">");
    }
  });
  return out;
}

TEST(AddressList, IsRead) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"John Doe <jdoe@machine.example>", "John Doe<jdoe@machine.example>"},
      {"\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public<john.q.public@example.com>"},
      {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
       "Mary Smith<mary@x.test>; <jdoe@example.org>; Who?<one@y.test>"},
      {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
       "<boss@nil.test>; Giant; \"Big\" Box<sysservices@example.net>"},
      {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
       "A Group{; Ed Jones<c@a.test>; <joe@where.test>; John<jdoe@one.test>; }"},
      {"Undisclosed recipients:;", "Undisclosed recipients{; }"},
      {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete<pete@silly.test>"},
      {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org",
       "A Group{; Chris Jones<c@public.example>; <joe@example.org>; }"},
      {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "Hidden recipients{; }"},
      {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public<john.q.public@example.com>"},
      {"Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test . example",
       "Mary Smith<@node.test,@b.test mary@example.net>; <jdoe@test.example>"},
      {"John . Doe @ example.org", "<John.Doe@example.org>"},
      {"jdoe@example.org (John Doe)", "John Doe<jdoe@example.org>"},
      {"<jdoe@example.org> (John Doe)", "John Doe<jdoe@example.org>"},
      {"\"a b\"@example.org", "<a b@example.org>"},
      {"<\"a. b\"@example.org>", "<a. b@example.org>"},
      {"x@[192.0.2.1]", "<x@[192.0.2.1]>"},
      {"=?utf-8?q?J=C3=B8rn?= <j@x>", "=?utf-8?q?J=C3=B8rn?=<j@x>"},
      {"J\xc3\xb8rn \xc3\x85s <j@x>", "J\xc3\xb8rn \xc3\x85s<j@x>"},
      {"a@b <c@d>, e@f", "a@b<c@d>; <e@f>"},
      {"root", "<root@>"},
      {"<>", "<@>"},
      {"two words", "two words<@>"},
      {"John Doe john@x", "John Doe<john@x>"},
      {"", ""},
      {" , ,, ", ""},
      {"(only a comment)", ""},
      {"\"never closed", "<never closed@>"},
      {"(never closed", ""},
      {"John <never@closed", "John<never@closed>"},
      {"a@b;c@d", "<a@b>; <c@d>"},
      {"g:a@b;,c@d", "g{; <a@b>; }; <c@d>"},
      {"g:h:a@b", "g{; <a@b>; }"},
      {"f@[;", "<f@[;>"},
      {"f@a[1]", "<f@a[1]>"},
      {"[list] Ann <a@b>,Bo.<c@d>", "[list] Ann<a@b>; Bo.<c@d>"},
      {"Ann  B <a@b>", "Ann B<a@b>"},
      {"Ann . B <a@b>", "Ann. B<a@b>"},
      {"\"Ann \\\"A\\\"\" <a@b>", "Ann \"A\"<a@b>"},
      {"\"\"<a@b>;\"x, y\" <c@d>", "<a@b>; x, y<c@d>"},
      {"Ann <a@b> Bo <c@d>", "Ann<a@b>"},
      {"a@b\"c\"", "<a@b\"c\">"},
      {"a@ b", "<a@b>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(listed(text), expected) << text;
}

TEST(AddressList, TakesLinearTimeOnHostileText) {
  for (const std::string_view piece : {"a. ", "(", "\"a\" ", "<", "@", ":", "a,", "<@a,", "\\", ";", "[", "a b ", ".", "g:;"}) {
    std::string text;
    while (text.size() < 200'000) text += piece;
    std::size_t count = 0;
    for_each_listed_address(text, [&](const ListedAddress&) { ++count; });
    EXPECT_LE(count, text.size()) << piece;
  }
}

}  // namespace
}  // namespace posthus::mail
