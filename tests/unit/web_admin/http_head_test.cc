// The grammar of request heads, above all what must be refused so that two parsers never disagree.
#include "web-admin/http_head.h"

#include <gtest/gtest.h>

namespace posthus::web_admin {
namespace {

int status_of(std::string_view head) {
  const auto parsed = parse_head(head);
  return parsed ? 200 : parsed.error().status;
}
std::string with_field(const std::string& field) { return "POST /x HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n"; }

TEST(HttpHeadTest, TakesWhatBrowsersSend) {
  const auto head = parse_head(
      "PATCH /api/v1/users/a%40b?x=1 HTTP/1.1\r\nHost: localhost:2443\r\nContent-Type: application/json\r\n"
      "content-length: 12\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "PATCH");
  EXPECT_EQ(head->target, "/api/v1/users/a%40b?x=1");
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_EQ(head->authorization, "Bearer x");
  EXPECT_TRUE(head->keeps_alive);
  EXPECT_TRUE(head->expects_continue);
}

TEST(HttpHeadTest, AbsoluteFormIsTheOriginForm) {
  EXPECT_EQ(parse_head("GET http://h:80/a?b HTTP/1.1\r\nHost: h\r\n\r\n")->target, "/a?b");
  EXPECT_EQ(parse_head("GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n")->target, "/");
}

TEST(HttpHeadTest, OneEmptyLineInFrontIsPassedOver) { EXPECT_EQ(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200); }

TEST(HttpHeadTest, PersistenceFollowsVersionAndConnection) {
  EXPECT_FALSE(parse_head("GET / HTTP/1.0\r\n\r\n")->keeps_alive);
  EXPECT_FALSE(parse_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n")->keeps_alive);
  EXPECT_TRUE(parse_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: closet\r\n\r\n")->keeps_alive);
}

TEST(HttpHeadTest, SmugglingFormsAreRefused) {
  EXPECT_EQ(status_of(with_field("Content-Length: 1\r\nContent-Length: 1")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length: 1, 1")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length: +1")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length: -1")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length: 0x1")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length:")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length: 18446744073709551616")), 400);
  EXPECT_EQ(status_of(with_field("Content-Length : 1")), 400);
  EXPECT_EQ(status_of(with_field("Transfer-Encoding: chunked")), 411);
  EXPECT_EQ(status_of(with_field("Transfer-Encoding: identity")), 411);
  EXPECT_EQ(status_of(with_field("Content-Length: 1\r\nTransfer-Encoding: chunked")), 400);
  EXPECT_EQ(status_of(with_field("Transfer-Encoding: chunked\r\nContent-Length: 1")), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(status_of(with_field("X: a\r\n folded: b")), 400);
  EXPECT_EQ(status_of(with_field("X: a\rb")), 400);
  EXPECT_EQ(status_of(with_field(std::string("X: a\0b", 6))), 400);
  EXPECT_EQ(status_of(with_field("no colon")), 400);
  EXPECT_EQ(status_of(with_field(": empty name")), 400);
}

TEST(HttpHeadTest, HostIsNeededOnce) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
}

TEST(HttpHeadTest, CredentialsAreNeverAmbiguous) {
  EXPECT_EQ(status_of(with_field("Authorization: Bearer a\r\nAuthorization: Bearer b")), 400);
  EXPECT_EQ(status_of(with_field("Content-Type: text/plain\r\nContent-Type: application/json")), 400);
}

TEST(HttpHeadTest, RequestLinesAreStrict) {
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/11\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / http/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(status_of("G@T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /\xc3\xa5 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /" + std::string(kMaxTarget, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
}

TEST(HttpHeadTest, OnlyContinueCanBeExpected) { EXPECT_EQ(status_of(with_field("Expect: miracles")), 417); }

TEST(HttpHeadTest, FieldsAreCounted) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 0; i < kMaxFields; ++i) head += "X: y\r\n";
  EXPECT_EQ(status_of(head + "\r\n"), 431);
}

TEST(HeadScannerTest, FindsTheEndHoweverBytesAreCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t cut = 1; cut <= head.size(); ++cut) {
    HeadScanner scanner;
    std::string taken;
    HeadScanner::State state = HeadScanner::State::kIncomplete;
    std::string_view left = head;
    const std::string body = head + "body";
    for (std::string_view rest = body; !rest.empty() && state == HeadScanner::State::kIncomplete;) {
      std::size_t count = 0;
      state = scanner.scan(rest.substr(0, cut), count);
      taken += rest.substr(0, count);
      rest.remove_prefix(count);
    }
    EXPECT_EQ(state, HeadScanner::State::kComplete) << cut;
    EXPECT_EQ(taken, left) << cut;
  }
}

TEST(HeadScannerTest, LoneLineFeedsAreSeenAtOnce) {
  HeadScanner scanner;
  std::size_t taken = 0;
  EXPECT_EQ(scanner.scan("GET / HTTP/1.1\nHost", taken), HeadScanner::State::kBareLineFeed);
  HeadScanner second;
  EXPECT_EQ(second.scan("GET / HTTP/1.1\r\n\n", taken), HeadScanner::State::kBareLineFeed);
}

}  // namespace
}  // namespace posthus::web_admin
