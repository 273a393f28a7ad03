// ENVELOPE: the example of RFC 3501 §7.4.2, defaults, groups, routes, repeated fields and text that needs a literal.
#include "core/mail/envelope.h"

#include <gtest/gtest.h>

#include "core/mail/summary.h"

namespace posthus::mail {
namespace {

TEST(Envelope, OfTheExampleInRfc3501) {
  EXPECT_EQ(make_envelope("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
                          "From: Terry Gray <gray@cac.washington.edu>\r\n"
                          "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
                          "To: imap@cac.washington.edu\r\n"
                          "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
                          "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n"),
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
            "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
            "\"<B27397-0100000@cac.washington.edu>\")");
}

TEST(Envelope, AbsentIsNilAndEmptyIsEmpty) {
  EXPECT_EQ(make_envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(make_envelope("Subject:\r\nTo: \r\nFrom: ,\r\nMessage-ID: \r\n"), "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL \"\")");
}

TEST(Envelope, SenderAndReplyToDefaultToFrom) {
  EXPECT_EQ(make_envelope("From: a@b\r\nSender: \r\nReply-To: r@s\r\n"),
            "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"r\" \"s\")) NIL NIL NIL NIL NIL)");
}

TEST(Envelope, GroupsAndRoutesHaveTheirForms) {
  EXPECT_EQ(
      make_envelope("To: team: Ann <@r.test:a@b>;, c@d\r\nBcc: hidden:;\r\n"),
      "(NIL NIL NIL NIL NIL ((NIL NIL \"team\" NIL)(\"Ann\" \"@r.test\" \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"d\")) NIL "
      "((NIL NIL \"hidden\" NIL)(NIL NIL NIL NIL)) NIL NIL)");
}

TEST(Envelope, RepeatedDestinationsAreJoinedOtherFieldsCountOnce) {
  EXPECT_EQ(make_envelope("To: a@b\r\nSubject: one\r\nTo: c@d\r\nSubject: two\r\nFrom: x@y\r\nFrom: z@z\r\n"),
            "(NIL \"one\" ((NIL NIL \"x\" \"y\")) ((NIL NIL \"x\" \"y\")) ((NIL NIL \"x\" \"y\")) ((NIL NIL \"a\" \"b\")(NIL NIL "
            "\"c\" \"d\")) NIL NIL NIL NIL)");
}

TEST(Envelope, TextIsFoldedToOneLineAndQuotedOrLiteral) {
  EXPECT_EQ(make_envelope("Subject: a \"b\" \\c\r\n\td\r\nIn-Reply-To: <x>\r\n <y>\r\n"),
            "(NIL \"a \\\"b\\\" \\\\c d\" NIL NIL NIL NIL NIL NIL \"<x> <y>\" NIL)");
  EXPECT_EQ(make_envelope("Subject: bl\xc3\xa5\r\n"), "(NIL {4}\r\nbl\xc3\xa5 NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(make_envelope("Subject: =?utf-8?q?bl=C3=A5?=\r\n"), "(NIL \"=?utf-8?q?bl=C3=A5?=\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST(ImapString, IsQuotedWhenItCanBe) {
  const auto written = [](std::string_view text) {
    std::string out;
    append_imap_string(out, text);
    return out;
  };
  EXPECT_EQ(written(""), "\"\"");
  EXPECT_EQ(written("a\tb"), "\"a\tb\"");
  EXPECT_EQ(written("a\rb"), "{3}\r\na\rb");
  EXPECT_EQ(written(std::string_view("a\0b", 3)), "{3}\r\na?b");
  EXPECT_EQ(written("\x7f\xff"), "{2}\r\n\x7f\xff");
  EXPECT_EQ(written(std::string(5000, 'x')), "{5000}\r\n" + std::string(5000, 'x'));
}

}  // namespace
}  // namespace posthus::mail
