// Command lines: verbs, paths, parameters. RFC 5321 §4.1, RFC 3461 §4, RFC 6531 §3.4.
#include "smtp/command.h"

#include <gtest/gtest.h>

#include <string>

namespace posthus::smtp {
namespace {

TEST(ParseCommand, FindsVerbsInAnyCase) {
  EXPECT_EQ(parse_command("mail FROM:<>").verb, Verb::kMail);
  EXPECT_EQ(parse_command("Mail FROM:<>").argument, "FROM:<>");
  EXPECT_EQ(parse_command("STARTTLS").verb, Verb::kStartTls);
  EXPECT_EQ(parse_command("QUIT   ").argument, "");
  EXPECT_EQ(parse_command("").verb, Verb::kUnknown);
  EXPECT_EQ(parse_command("MAILX FROM:<>").verb, Verb::kUnknown);
  EXPECT_EQ(parse_command("GET / HTTP/1.1").verb, Verb::kHttp);
}

TEST(ParseHello, TakesNamesAndLiteralsAndRefusesGarbage) {
  for (const char* good : {"mx.example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_pc", "localhost", "a.b.", "2001:db8::1"}) {
    EXPECT_EQ(parse_hello(good), std::string_view(good));
  }
  EXPECT_EQ(parse_hello("[192.0.2.1] my laptop"), std::string_view("[192.0.2.1]"));
  for (const char* bad : {"", "a(b)", "<x>", "a;b", "gr\xc3\xbc", "a\x01"}) EXPECT_EQ(parse_hello(bad), std::nullopt) << bad;
  EXPECT_EQ(parse_hello(std::string(256, 'a')), std::nullopt);
}

TEST(ParseMail, TakesThePathsOfTheRfc) {
  EXPECT_EQ(parse_mail("FROM:<>")->reverse_path, std::nullopt);
  EXPECT_EQ(parse_mail("FROM:<Smith@bar.com>")->reverse_path, (mail::Address{"Smith", "bar.com"}));
  EXPECT_EQ(parse_mail("from: <smith@BAR.com>")->reverse_path, (mail::Address{"smith", "bar.com"}));
  EXPECT_EQ(parse_mail("FROM:<@hosta.int,@jkl.org:userc@d.bar.org>")->reverse_path, (mail::Address{"userc", "d.bar.org"}));
  EXPECT_EQ(parse_mail("FROM:<\"a>b\"@bar.com>")->reverse_path, (mail::Address{"a>b", "bar.com"}));
  EXPECT_EQ(parse_mail("FROM:<\"a\\\"b\"@bar.com>")->reverse_path, (mail::Address{"a\"b", "bar.com"}));
  EXPECT_EQ(parse_mail("FROM:<a@[192.0.2.1]>")->reverse_path->domain, "[192.0.2.1]");
}

TEST(ParseMail, RefusesWhatIsNoPath) {
  for (const char* bad : {"", "FROM", "FROM:", "FROM:a@b.c", "FROM:<a@b.c", "FROM:a@b.c>", "FROM:<a>", "FROM:<@x:>", "FROM:<@x>",
                          "FROM:<a b@c.d>", "FROM:<a@b c>", "TO:<a@b.c>", "FROM:<@x,y:a@b.c>", "FROM:<\"a@b.c>"}) {
    const auto command = parse_mail(bad);
    ASSERT_FALSE(command) << bad;
    EXPECT_EQ(command.error(), reply::kBadSender) << bad;
  }
  EXPECT_EQ(parse_mail("FROM:<a@b.c>x").error(), reply::kBadArgument);
}

TEST(ParseMail, LetsUtf8PassOnlyWithItsParameter) {
  EXPECT_EQ(parse_mail("FROM:<gr\xc3\xbc\xc3\x9f@b.c>").error(), reply::kNeedsUtf8);
  EXPECT_EQ(parse_mail("FROM:<gr\xc3\xbc\xc3\x9f@b.c> SMTPUTF8")->reverse_path->local_part, "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(parse_mail("FROM:<a@b\xff.c> SMTPUTF8").error(), reply::kBadSender);
}

TEST(ParseRcpt, TakesPostmasterWithoutDomain) {
  EXPECT_EQ(parse_rcpt("TO:<PostMaster>", mail::Utf8::kRefuse)->recipient, (mail::Address{"postmaster", ""}));
  EXPECT_EQ(parse_rcpt("TO:<anna>", mail::Utf8::kRefuse).error(), reply::kBadRecipient);
  EXPECT_EQ(parse_rcpt("TO:<>", mail::Utf8::kRefuse).error(), reply::kBadRecipient);
}

TEST(MailParameters, ReadsEachOfThem) {
  const auto all =
      parse_mail_parameters(" SIZE=500000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ314159+2B AUTH=e+3Dmc2@example.com");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size, 500000u);
  EXPECT_EQ(all->body, Body::k8BitMime);
  EXPECT_TRUE(all->is_utf8);
  EXPECT_EQ(all->ret, Ret::kHeaders);
  EXPECT_EQ(all->envelope_id, "QQ314159+");
  EXPECT_EQ(all->auth, "e=mc2@example.com");
  EXPECT_EQ(parse_mail_parameters(" AUTH=<>")->auth, "");
  EXPECT_EQ(parse_mail_parameters("")->auth, std::nullopt);
  EXPECT_EQ(parse_mail_parameters("   ")->size, 0u);
  EXPECT_EQ(parse_mail_parameters(" SIZE=99999999999999999999")->size, UINT64_MAX);
  EXPECT_EQ(parse_mail_parameters(" BODY=BINARYMIME")->body, Body::kBinaryMime);
}

TEST(MailParameters, RefusesBadUnknownAndDoubled) {
  for (const char* bad : {" SIZE", " SIZE=", " SIZE=x", " SIZE=-1", " SIZE=999999999999999999999", " BODY=9BIT", " BODY",
                          " SMTPUTF8=1", " RET=", " RET=ALL", " ENVID=+4", " ENVID=+zz", " ENVID=+0A", " ENVID=a=b", " AUTH"}) {
    ASSERT_FALSE(parse_mail_parameters(bad)) << bad;
    EXPECT_EQ(parse_mail_parameters(bad).error().code, 501) << bad;
  }
  EXPECT_EQ(parse_mail_parameters(" SIZE=1 SIZE=1").error(), reply::kDuplicateParameter);
  EXPECT_EQ(parse_mail_parameters(" FOO=1").error(), reply::kUnknownParameter);
  EXPECT_EQ(parse_mail_parameters(" NOTIFY=NEVER").error(), reply::kUnknownParameter);
  EXPECT_EQ(parse_mail_parameters("SIZE=1").error(), reply::kBadArgument);
  EXPECT_EQ(parse_mail_parameters(" =1").error(), reply::kBadArgument);
  EXPECT_FALSE(parse_mail_parameters(" ENVID=" + std::string(101, 'a')));
  EXPECT_TRUE(parse_mail_parameters(" ENVID=" + std::string(100, 'a')));
}

TEST(RcptParameters, ReadsNotifyAndOrcpt) {
  const auto both = parse_rcpt_parameters(" NOTIFY=success,FAILURE ORCPT=rfc822;Bob+2Bx@ivory.example");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->notify, notify::kSuccess | notify::kFailure);
  EXPECT_EQ(both->original_recipient, "rfc822;Bob+x@ivory.example");
  EXPECT_EQ(parse_rcpt_parameters(" NOTIFY=NEVER")->notify, notify::kNever);
  EXPECT_EQ(parse_rcpt_parameters(" ORCPT=utf-8;gr\xc3\xbc@b.c")->original_recipient, "utf-8;gr\xc3\xbc@b.c");
}

TEST(RcptParameters, RefusesBadUnknownAndDoubled) {
  for (const char* bad : {" NOTIFY", " NOTIFY=", " NOTIFY=NEVER,SUCCESS", " NOTIFY=SUCCESS,", " NOTIFY=MAYBE", " ORCPT",
                          " ORCPT=rfc822", " ORCPT=;a", " ORCPT=rfc822;", " ORCPT=rfc822;a+0Db"}) {
    ASSERT_FALSE(parse_rcpt_parameters(bad)) << bad;
    EXPECT_EQ(parse_rcpt_parameters(bad).error().code, 501) << bad;
  }
  EXPECT_EQ(parse_rcpt_parameters(" NOTIFY=DELAY NOTIFY=DELAY").error(), reply::kDuplicateParameter);
  EXPECT_EQ(parse_rcpt_parameters(" SIZE=1").error(), reply::kUnknownParameter);
}

TEST(ParseBdat, TakesSizeAndLast) {
  EXPECT_EQ(parse_bdat("86 LAST")->size, 86u);
  EXPECT_TRUE(parse_bdat("0 last")->is_last);
  EXPECT_FALSE(parse_bdat("100000")->is_last);
  for (const char* bad : {"", "LAST", "-1", "1 FIRST", "1 LAST x", "99999999999999999999", "0x10"})
    EXPECT_FALSE(parse_bdat(bad)) << bad;
}

TEST(ParseAuth, TellsEmptyFromMissingResponse) {
  EXPECT_EQ(parse_auth("PLAIN")->initial_response, std::nullopt);
  EXPECT_EQ(parse_auth("PLAIN =")->initial_response, std::string_view());
  EXPECT_EQ(parse_auth("plain dGVzdA==")->initial_response, std::string_view("dGVzdA=="));
  for (const char* bad : {"", "PLAIN a b", "PL@IN", "ABCDEFGHIJKLMNOPQRSTU"}) EXPECT_FALSE(parse_auth(bad)) << bad;
}

TEST(Replies, AreWrittenWithTheirCodes) {
  std::string out;
  append_reply(out, reply::kUnknownUser);
  EXPECT_EQ(out, "550 5.1.1 No such user here\r\n");
  out.clear();
  append_reply(out, reply::kSendData);
  EXPECT_EQ(out.substr(0, 10), "354 Start ");
  out.clear();
  MultiLineReply lines(out, 250);
  lines.line("mx.example.test");
  lines.line("SIZE", 1000);
  lines.finish();
  EXPECT_EQ(out, "250-mx.example.test\r\n250 SIZE 1000\r\n");
}

}  // namespace
}  // namespace posthus::smtp
