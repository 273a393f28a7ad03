// Routes as people write them.
#include <gtest/gtest.h>

#include "store/route_url.h"

namespace posthus::store {
namespace {

TEST(RouteUrl, IsReadAndWritten) {
  const std::pair<const char*, const char*> cases[] = {
      {"smtp://relay.test", "smtp://relay.test:25"},
      {"smtps://relay.test", "smtps://relay.test:465"},
      {"smtp://Relay.TEST:2525?tls=required", "smtp://relay.test:2525?tls=required"},
      {"smtp://127.0.0.1:2525?tls=never", "smtp://127.0.0.1:2525?tls=never"},
      {"smtp://[::1]:26?tls=opportunistic", "smtp://[::1]:26"},
      {"smtp://[::1]", "smtp://[::1]:25"},
  };
  for (const auto& [text, expected] : cases) {
    const auto hop = parse_route_url(text);
    ASSERT_TRUE(hop) << text;
    EXPECT_EQ(to_text(*hop), expected);
    EXPECT_EQ(to_text(*parse_route_url(expected)), expected);
  }
  EXPECT_EQ(parse_route_url("smtps://relay.test")->tls, RouteRecord::Tls::kImplicit);
}

TEST(RouteUrl, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "relay.test", "http://relay.test", "smtp://", "smtp://:25", "smtp://relay.test:0", "smtp://relay.test:65536",
        "smtp://relay.test:", "smtp://relay.test:25x", "smtp://[::1", "smtp://[x]:25", "smtp://a b", "smtp://relay.test/path",
        "smtp://relay.test?tls=maybe", "smtps://relay.test?tls=never", "smtp://relay.test?x=1", "smtp://user@relay.test"}) {
    EXPECT_FALSE(parse_route_url(text)) << text;
  }
}

}  // namespace
}  // namespace posthus::store
