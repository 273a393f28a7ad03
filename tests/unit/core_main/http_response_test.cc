// HTTP responses of web servers: whole, cut off, chunked, lying. RFC 9112 §4, §6.3, §7.1.
#include "core/main/http_response.h"

#include <gtest/gtest.h>

namespace posthus::main {
namespace {

TEST(HttpResponseTest, ABodyEndsWhereItsLengthSays) {
  const auto response =
      parse_response("HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello more", 10);
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "text/plain");
  EXPECT_EQ(response->body, "hello");
}

TEST(HttpResponseTest, WithoutLengthTheBodyEndsWithTheConnection) {
  const auto response = parse_response("HTTP/1.0 404\n\nall of it", 100);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "all of it");
}

TEST(HttpResponseTest, ChunksAreJoined) {
  const auto response = parse_response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 15);
  ASSERT_TRUE(response) << response.error().context;
  EXPECT_EQ(response->body, "hello0123456789");
}

TEST(HttpResponseTest, WhatIsCutOffOrBrokenIsNoResponse) {
  for (const char* bytes : {"",
                            "HTTP/1.1 200 OK",
                            "HTTP/1.1 200 OK\r\nA: b\r\n",
                            "HTTP/2 200 OK\r\n\r\n",
                            "HTTP/1.1 2x0 OK\r\n\r\n",
                            "HTTP/1.1 2000\r\n\r\n",
                            "SSH-2.0-x\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nhello\r\n0\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n"}) {
    const auto response = parse_response(bytes, 100);
    EXPECT_FALSE(response) << bytes;
    if (!response) EXPECT_EQ(response.error().kind, ErrorKind::kInvalid) << bytes;
  }
}

TEST(HttpResponseTest, WhatIsTooLargeIsRefused) {
  const auto kind = [](std::string_view bytes) {
    const auto response = parse_response(bytes, 4);
    return response ? ErrorKind::kExists : response.error().kind;
  };
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), ErrorKind::kTooLarge);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\n\r\nhello"), ErrorKind::kTooLarge);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), ErrorKind::kTooLarge);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nffffffff\r\nlo"), ErrorKind::kTooLarge);
  std::string head = "HTTP/1.1 200 OK\r\n";
  while (head.size() < kMaxResponseHead) head += "X-Field: value\r\n";
  EXPECT_EQ(kind(head + "\r\n"), ErrorKind::kInvalid);
}

TEST(HttpResponseTest, AWholeResponseIsKnownBeforeTheConnectionEnds) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_FALSE(is_complete_response(whole.substr(0, i))) << i;
  EXPECT_TRUE(is_complete_response(whole));
  EXPECT_TRUE(is_complete_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  EXPECT_FALSE(is_complete_response("HTTP/1.1 200 OK\r\n\r\nhello")) << "nobody knows";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\nmax_age: 604800\r\n\r\n0\r\n\r\n";
  for (std::size_t i = 0; i < chunked.size(); ++i) EXPECT_FALSE(is_complete_response(chunked.substr(0, i))) << i;
  EXPECT_TRUE(is_complete_response(chunked)) << "a chunk that ends as the last one does";
}

}  // namespace
}  // namespace posthus::main
