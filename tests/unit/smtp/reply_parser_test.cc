// Replies of other servers: what is taken, what is bounded, what is washed; features of an EHLO answer.
#include "smtp/reply_parser.h"

#include <gtest/gtest.h>

#include "smtp/peer_features.h"

namespace posthus::smtp {
namespace {

using Progress = ReplyParser::Progress;

RemoteReply one(std::string_view bytes) {
  ReplyParser parser;
  EXPECT_EQ(parser.parse(bytes), Progress::kReply) << bytes;
  return to_remote_reply(parser.take());
}

std::string problem(std::string_view bytes) {
  ReplyParser parser;
  EXPECT_EQ(parser.parse(bytes), Progress::kBroken) << bytes;
  return std::string(parser.problem());
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ReplyParser, CodeEnhancedCodeAndTextOfAllLines) {
  struct Row {
    std::string_view bytes;
    std::uint16_t code;
    std::string_view enhanced, text;
  };
  constexpr Row kRows[] = {
      {"250 OK\r\n", 250, "", "OK"},
      {"250\r\n", 250, "", ""},
      {"250 \n", 250, "", ""},
      {"550 5.1.1 no such user\r\n", 550, "5.1.1", "no such user"},
      {"550-5.1.1 no such\r\n550 5.1.1 user\r\n", 550, "5.1.1", "no such user"},
      {"550-first\r\n550 5.7.1 second\r\n", 550, "5.7.1", "first second"},
      {"550-5.1.1\r\n550-\r\n550 user\r\n", 550, "5.1.1", "user"},
      {"571 5.7.1 odd code\r\n", 571, "5.7.1", "odd code"},
      // A class that is not the reply's says nothing.
      {"450 5.1.1 later\r\n", 450, "", "5.1.1 later"},
      {"550 5.1 x\r\n", 550, "", "5.1 x"},
      {"550 5.1.1234 x\r\n", 550, "", "5.1.1234 x"},
      {"550 5.1.1x\r\n", 550, "", "5.1.1x"},
      {"550 5.123.456\r\n", 550, "5.123.456", ""},
      {"550 \x1b[2J\tred\x7f\r\n", 550, "", "?[2J red?"},
      {"550 \xc3\xa5 \xff \xc2\x9b \xed\xa0\x80 \xf0\x9f\x98\x80\r\n", 550, "", "\xc3\xa5 ? ? ??? \xf0\x9f\x98\x80"},
      {"550 \xc3\r\n", 550, "", "?"},
      {"550 a\rb\r\n", 550, "", "a?b"},
  };
  for (const Row& row : kRows) {
    const RemoteReply reply = one(row.bytes);
    EXPECT_EQ(reply.code, row.code) << row.bytes;
    EXPECT_EQ(reply.enhanced, row.enhanced) << row.bytes;
    EXPECT_EQ(reply.text, row.text) << row.bytes;
  }
}

TEST(ReplyParser, WhatIsNoReplyBreaksTheConnection) {
  for (const std::string_view bytes : {"\r\n", "25\r\n", "OK\r\n", "250OK\r\n", "250=OK\r\n", "199 a\r\n", "600 a\r\n",
                                       "2x0 a\r\n", " 250 a\r\n", "-50 a\r\n", "+25 a\r\n"}) {
    EXPECT_EQ(problem(bytes), "what it said is not a reply");
  }
  EXPECT_EQ(problem("250-a\r\n251 b\r\n"), "the lines of a reply have different codes");
}

TEST(ReplyParser, EverythingIsBounded) {
  EXPECT_EQ(one("250 " + std::string(ReplyParser::kMaxLine - 6, 'x') + "\r\n").text.size(), store::kMaxRemoteWords);
  EXPECT_EQ(problem("250 " + std::string(ReplyParser::kMaxLine, 'x') + "\r\n"), "a reply line without end");
  EXPECT_EQ(problem(std::string(ReplyParser::kMaxLine, '2')), "a reply line without end");
  EXPECT_EQ(one(repeat("250-a\r\n", ReplyParser::kMaxLines - 1) + "250 a\r\n").text.size(), 199U);
  EXPECT_EQ(problem(repeat("250-a\r\n", ReplyParser::kMaxLines + 1)), "a reply without end");
  EXPECT_EQ(problem(repeat("250-" + std::string(1000, 'x') + "\r\n", 17)), "a reply without end");
  // Cut between characters, not in one.
  const std::string text = one("250 " + repeat("\xe2\x82\xac", 300) + "\r\n").text;
  EXPECT_EQ(text.size(), store::kMaxRemoteWords / 3 * 3);
}

TEST(ReplyParser, TakesNoMoreThanTheReplyAndWaitsForItsEnd) {
  ReplyParser parser;
  std::string_view bytes = "250-a\r\n250 b\r\n354 go";
  ASSERT_EQ(parser.parse(bytes), Progress::kReply);
  EXPECT_EQ(parser.take().lines, "a\nb\n");
  EXPECT_EQ(bytes, "354 go");
  EXPECT_EQ(parser.parse(bytes), Progress::kMore);
  EXPECT_EQ(bytes, "354 go");
  bytes = "354 go\r\n";
  ASSERT_EQ(parser.parse(bytes), Progress::kReply);
  EXPECT_EQ(parser.take().code, 354);
}

TEST(PeerFeatures, AreReadFromTheLinesBehindTheFirst) {
  const PeerFeatures features = parse_ehlo_answer(
      "PIPELINING greets you\n8bitmime\nSIZE 1000\nCHUNKING\nBINARYMIME\nSMTPUTF8\nDSN\nSTARTTLS\nREQUIRETLS\n"
      "AUTH CRAM-MD5 plain LOGIN\nLIMITS RCPTMAX=20  mailmax=5 RCPTDOMAINMAX=1 OTHER=x\nX-UNKNOWN\n\n");
  EXPECT_FALSE(features.pipelining);
  EXPECT_TRUE(features.eight_bit_mime && features.chunking && features.binary_mime && features.smtputf8 && features.dsn);
  EXPECT_TRUE(features.starttls && features.requiretls && features.auth_plain && features.auth_login && features.size);
  EXPECT_EQ(features.max_size, 1000U);
  EXPECT_EQ(features.max_recipients, 20U);
  EXPECT_EQ(features.max_transactions, 5U);
  EXPECT_EQ(features.max_recipient_domains, 1U);
}

TEST(PeerFeatures, NonsenseOffersNothing) {
  const PeerFeatures features = parse_ehlo_answer(
      "mx\nBINARYMIME\nSIZE 99999999999999999999999\nAUTH\nLIMITS RCPTMAX=-1 MAILMAX=99999999999 RCPTDOMAINMAX\nSTARTTLSX\n");
  EXPECT_FALSE(features.binary_mime);  // of no use without CHUNKING
  EXPECT_FALSE(features.starttls || features.auth_plain || features.auth_login);
  EXPECT_TRUE(features.size);
  EXPECT_EQ(features.max_size, 0U);
  EXPECT_EQ(features.max_recipients + features.max_transactions + features.max_recipient_domains, 0U);
  EXPECT_FALSE(parse_ehlo_answer("").chunking);
}

}  // namespace
}  // namespace posthus::smtp
