// SummaryBuilder on small messages: parts, boundaries, offsets, broken structure and the caps.
#include "core/mail/summary.h"

#include <gtest/gtest.h>

#include "tests/unit/core_mail/summary_text.h"

namespace posthus::mail {
namespace {

/// "index:type/subtype'body'" for every leaf, with the nesting as parentheses.
std::string tree(const Summary& summary, std::string_view message, std::size_t index = 0) {
  const Part& part = summary.parts[index];
  std::string out = part.subtype;
  if (part.subtree == 1) return out + "'" + std::string(message.substr(part.body_begin, part.body_end - part.body_begin)) + "'";
  out += "(";
  for (std::size_t child = index + 1; child < index + part.subtree; child += summary.parts[child].subtree)
    out += tree(summary, message, child);
  return out + ")";
}

std::string tree(std::string_view message) {
  const Summary summary = summarise(message);
  EXPECT_EQ(nesting_faults(summary), "");
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    EXPECT_EQ(to_text(summarise_cut(message, cut)), to_text(summary)) << "cut at " << cut;
  }
  return tree(summary, message);
}

std::string multipart(std::string_view boundary, std::string_view body) {
  return "Content-Type: multipart/mixed; boundary=\"" + std::string(boundary) + "\"\r\n\r\n" + std::string(body);
}

TEST(Summary, OfPlainMessages) {
  const Summary summary = summarise("From: a@b\r\nX-Other: 1\r\nSubject: s\r\n\r\nline\r\n.dot\r\n");
  EXPECT_EQ(summary.size, 49U);
  EXPECT_EQ(summary.header_size, 37U);
  EXPECT_EQ(summary.cached_fields, "From: a@b\r\nSubject: s\r\n");
  EXPECT_EQ(summary.parts.at(0).lines, 2U);
  EXPECT_TRUE(summary.has_leading_dot);
  EXPECT_FALSE(summary.has_8bit);
  EXPECT_FALSE(summary.has_nul);
}

TEST(Summary, FlagsAreFoundAnywhere) {
  EXPECT_TRUE(summarise("A: \xc3\xa9\r\n\r\n").has_8bit);
  EXPECT_TRUE(summarise("A: b\r\n\r\n" + std::string(40'000, 'x') + "\xff").has_8bit);
  EXPECT_TRUE(summarise(std::string_view("A: b\r\n\r\nx\0", 10)).has_nul);
  EXPECT_TRUE(summarise("A: b\r\n\r\n.").has_leading_dot);
  EXPECT_TRUE(summarise("A: b\r\n\r\n--x\n.\n").has_leading_dot);
  EXPECT_TRUE(summarise(".A: b\r\n\r\n").has_leading_dot);
  EXPECT_FALSE(summarise("A: b\r\n\r\nx.\r\n").has_leading_dot);
}

TEST(Summary, WithoutBlankLineAllIsHeader) {
  for (const std::string_view message : {"", "A: b", "A: b\r\n", "no field at all\r\n", "\r"}) {
    const Summary summary = summarise(message);
    EXPECT_EQ(summary.header_size, message.size());
    EXPECT_EQ(summary.size, message.size());
    EXPECT_EQ(nesting_faults(summary), "");
    EXPECT_EQ(summary.parts.size(), 1U);
  }
  EXPECT_EQ(summarise("\r\nbody").header_size, 2U);
}

TEST(Summary, BareLineFeedsAreLineEnds) {
  const Summary summary = summarise("A: b\n\none\ntwo\rthree\r\n");
  EXPECT_EQ(summary.header_size, 6U);
  EXPECT_EQ(summary.parts.at(0).lines, 2U);
  EXPECT_EQ(tree("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"), "mixed(plain'one')");
}

TEST(Summary, OfMultiparts) {
  EXPECT_EQ(tree(multipart("b",
                           "preamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
                           "text/html\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n--b\r\nno part\r\n")),
            "mixed(plain'one'html'two\r\n')");
  EXPECT_EQ(tree(multipart("b", "--b\r\n\r\n--b\r\n\r\n\r\n--b--")), "mixed(plain''plain'')");
  EXPECT_EQ(tree(multipart("b", "--b \t\r\n\r\none\r\n--b-- \r\n")), "mixed(plain'one')");
  EXPECT_EQ(tree(multipart("b", "--b\r\nContent-Type: text/html\r\n--b--\r\n")), "mixed(html'')");
  EXPECT_EQ(tree(multipart("b", "--b\r\n\r\nno end")), "mixed(plain'no end')");
  EXPECT_EQ(tree(multipart("b", "--b")), "mixed(plain'')");
  EXPECT_EQ(tree(multipart("b", "no boundary")), "mixed'no boundary'");
  EXPECT_EQ(tree(multipart(" b b ", "-- b b\r\n\r\nx")), "mixed'-- b b\r\n\r\nx'");
}

TEST(Summary, BoundariesAreWholeLines) {
  EXPECT_EQ(tree(multipart("foo", "--foo\r\n\r\n--foobar\r\n --foo\r\nx--foo\r\n--FOO\r\n--foo-\r\n--foo--")),
            "mixed(plain'--foobar\r\n --foo\r\nx--foo\r\n--FOO\r\n--foo-')");
  const std::string inner =
      "--foo\r\nContent-Type: multipart/related; "
      "boundary=foobar\r\n\r\n--foobar\r\n\r\na\r\n--foobar--\r\n--foo\r\n\r\nb\r\n--foo--\r\n";
  EXPECT_EQ(tree(multipart("foo", inner)), "mixed(related(plain'a')plain'b')");
  const std::string prefix =
      "--foobar\r\nContent-Type: multipart/related; boundary=foo\r\n\r\n--foo\r\n\r\na\r\n--foobar\r\n\r\nb\r\n--foobar--\r\n";
  EXPECT_EQ(tree(multipart("foobar", prefix)), "mixed(related(plain'a')plain'b')");
}

TEST(Summary, OuterBoundaryEndsInnerParts) {
  const std::string body =
      "--a\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: "
      "text/plain\r\n\r\n--a\r\n\r\nx\r\n--b\r\n--a--\r\n";
  EXPECT_EQ(tree(multipart("a", body)), "mixed(related(plain'')plain'x\r\n--b')");
}

TEST(Summary, OfEmbeddedMessages) {
  const std::string message =
      "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; "
      "boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n";
  EXPECT_EQ(tree(message), "rfc822(mixed(plain'one'))");
  const Summary summary = summarise(message);
  EXPECT_EQ(summary.parts[0].envelope, "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(summary.parts[0].lines, 7U);
  EXPECT_EQ(summary.parts[1].header_begin, summary.parts[0].body_begin);
  EXPECT_EQ(tree("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA==\r\n"),
            "rfc822'U3ViamVjdDogeA==\r\n'");
  EXPECT_EQ(tree("Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: x\r\n\r\nbody\r\n--d\r\nContent-Type: "
                 "text/plain\r\n\r\ny\r\n--d--\r\n"),
            "digest(rfc822(plain'body')plain'y')");
}

TEST(Summary, MultipartNobodyCanTakeApartIsText) {
  EXPECT_EQ(tree("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\none\r\n"), "plain'--x\r\n\r\none\r\n'");
  EXPECT_EQ(tree(multipart("", "--\r\n\r\none\r\n")), "plain'--\r\n\r\none\r\n'");
}

TEST(Summary, NestingIsCapped) {
  std::string message;
  for (int i = 0; i < 3 * kMaxNesting; ++i)
    message += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" + std::to_string(i) + "\r\n";
  const Summary summary = summarise(message);
  EXPECT_EQ(nesting_faults(summary), "");
  EXPECT_LE(summary.parts.size(), static_cast<std::size_t>(kMaxNesting) + 1);
  EXPECT_TRUE(decode_summary(encode_summary(summary)).has_value());
  std::string messages;
  for (int i = 0; i < 3 * kMaxNesting; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  const Summary embedded = summarise(messages);
  EXPECT_EQ(nesting_faults(embedded), "");
  EXPECT_LE(embedded.parts.size(), static_cast<std::size_t>(kMaxNesting) + 1);
  EXPECT_TRUE(decode_summary(encode_summary(embedded)).has_value());
}

TEST(Summary, PartsAreCapped) {
  std::string body;
  for (std::size_t i = 0; i < 2 * kMaxParts; ++i) body += "--b\r\n\r\nx\r\n";
  const Summary summary = summarise(multipart("b", body));
  EXPECT_EQ(summary.parts.size(), kMaxParts);
  EXPECT_EQ(nesting_faults(summary), "");
  EXPECT_EQ(summary.parts.back().body_end, summary.size);
}

TEST(Summary, HeaderKeptIsCappedTheSameForEveryCut) {
  std::string message = "Subject: s\r\nX-Long: " + std::string(kMaxHeaderKept - 100, 'x') + "\r\nTo: a@b\r\n";
  while (message.size() < kMaxHeaderKept + 5000) message += "Cc: someone@example.com\r\n";
  message += "Date: late\r\n\r\nbody\r\n";
  const Summary summary = summarise(message);
  EXPECT_EQ(summary.header_size, message.size() - 6);
  EXPECT_EQ(summary.parts[0].lines, 1U);
  EXPECT_NE(summary.envelope.find("\"b\""), std::string::npos);
  EXPECT_EQ(summary.envelope.find("late"), std::string::npos);
  for (const std::size_t cut : {std::size_t{1000}, std::size_t{4097}, message.size()})
    EXPECT_EQ(to_text(summarise_cut(message, cut)), to_text(summary));
}

TEST(Summary, BuilderCanBeUsedAgain) {
  SummaryBuilder builder;
  builder.append("Subject: one\r\n\r\n");
  (void)builder.finish();
  builder.append("Subject: two\r\n\r\nbody\r\n");
  EXPECT_EQ(to_text(builder.finish()), to_text(summarise("Subject: two\r\n\r\nbody\r\n")));
}

}  // namespace
}  // namespace posthus::mail
