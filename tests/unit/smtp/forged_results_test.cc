// Authentication-Results in our name go, whatever they look like (RFC 8601 §5); everything else stays, to the byte, in any cut.
#include "smtp/forged_results.h"

#include <gtest/gtest.h>

namespace posthus::smtp {
namespace {

std::string filtered(std::string_view text, std::size_t cut = 1'000'000, std::string hostname = "mx.ours.test") {
  ForgedResults forged(std::move(hostname));
  std::string out;
  const auto sink = [&](std::string_view bytes) { out += bytes; };
  for (std::size_t at = 0; at < text.size(); at += cut) forged.read(text.substr(at, cut), sink);
  forged.finish(sink);
  return out;
}

void expect_removed(std::string_view field) {
  const std::string before = "From: a@b\r\nA: 1\r\n", after = "Subject: x\r\n\r\nAuthentication-Results: mx.ours.test; none\r\n";
  for (const std::size_t cut : {1, 2, 3, 7, 1'000'000}) {
    EXPECT_EQ(filtered(before + std::string(field) + after, cut), before + after) << field << " in pieces of " << cut;
  }
  EXPECT_EQ(filtered(field), "") << field;
}

void expect_kept(std::string_view text) {
  for (const std::size_t cut : {1, 2, 3, 7, 1'000'000}) EXPECT_EQ(filtered(text, cut), text) << "in pieces of " << cut;
}

TEST(ForgedResults, FieldsInOurNameGo) {
  expect_removed("Authentication-Results: mx.ours.test; dkim=pass\r\n");
  expect_removed("authentication-RESULTS : MX.Ours.Test 1; none\r\n");
  expect_removed("Authentication-Results: mx.ours.test;\r\n\tspf=pass\r\n dkim=pass\r\n");
  expect_removed("Authentication-Results:\r\n mx.ours.test\r\n");
  expect_removed("Authentication-Results: (a (b) \\) c) (d)\r\n\t\"mx.ours.test\" ; none\r\n");
  expect_removed("Authentication-Results: \"mx.\\ours.test\"\r\n");
  expect_removed("Authentication-Results: mx.ours.test(comment)\r\n");
  expect_removed("Authentication-Results: mx.ours.test; a\r\nAuthentication-Results: mx.ours.test; b\r\n");
  expect_removed("Authentication-Results: (" + std::string(5000, 'x') + ") mx.ours.test; none\r\n");
  expect_removed("Authentication-Results: mx.ours.test\n");
}

TEST(ForgedResults, EverythingElseStays) {
  expect_kept("Authentication-Results: mx.theirs.test; dkim=pass\r\n header.d=mx.ours.test\r\n\r\n");
  expect_kept("Authentication-Results: mx.ours.test.example; none\r\n\r\n");
  expect_kept("Authentication-Result: mx.ours.test; none\r\nAuthentication-Results-X: mx.ours.test\r\n\r\n");
  expect_kept("ARC-Authentication-Results: i=1; mx.ours.test; none\r\n\r\n");
  expect_kept("A: b\r\n Authentication-Results: mx.ours.test; none\r\n\r\n");
  expect_kept("Authentication-Results:\r\nFrom: mx.ours.test\r\n\r\n");
  expect_kept("Authentication-Results:; mx.ours.test\r\n\r\n");
  expect_kept("\r\nAuthentication-Results: mx.ours.test; none\r\n");
  expect_kept("a\r\n\rb\r\n\r\nAuthentication-Results: mx.ours.test; none\r\n");
  expect_kept("Authentication-Results");
  expect_kept("Authentication-Results: mx.theirs.test");
  expect_kept("");
}

TEST(ForgedResults, WithoutAHostnameNothingGoes) {
  const std::string text = "Authentication-Results: mx.ours.test; none\r\n\r\n";
  EXPECT_EQ(filtered(text, 3, ""), text);
}

TEST(ForgedResults, AreCounted) {
  ForgedResults forged("mx.ours.test");
  forged.read("Authentication-Results: mx.ours.test\r\nA: b\r\nAuthentication-Results: mx.ours.test; x\r\n\r\n",
              [](std::string_view) {});
  EXPECT_EQ(forged.removed(), 2U);
  EXPECT_TRUE(forged.has_ended());
}

}  // namespace
}  // namespace posthus::smtp
