// BODY, BODYSTRUCTURE and section numbers: the tree of RFC 9051 §6.4.5.1 and the grammar's corners.
#include <gtest/gtest.h>

#include "core/mail/summary.h"

namespace posthus::mail {
namespace {

std::string structure(std::string_view message, Structure kind = Structure::kBodyStructure) {
  std::string out;
  append_structure(out, summarise(message).parts, kind);
  return out;
}

TEST(BodyStructure, OfPlainText) {
  EXPECT_EQ(structure("\r\nab\r\n"), R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL))");
  EXPECT_EQ(structure("\r\nab\r\n", Structure::kBody), R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1))");
  EXPECT_EQ(structure("Content-Type: text/html; charset=utf-8; x=y\r\n\r\n"),
            R"(("text" "html" ("charset" "utf-8" "x" "y") NIL NIL "7bit" 0 0 NIL NIL NIL NIL))");
}

TEST(BodyStructure, OfOtherTypes) {
  EXPECT_EQ(structure("Content-Type: image/png\r\nContent-Transfer-Encoding: Base64\r\nContent-ID: <a@b>\r\nContent-Description: "
                      "d\r\nContent-MD5: m\r\n"
                      "Content-Disposition: inline; filename=x\r\nContent-Language: en\r\nContent-Location: l\r\n\r\nAAAA"),
            R"(("image" "png" NIL "<a@b>" "d" "base64" 4 "m" ("inline" ("filename" "x")) ("en") "l"))");
  EXPECT_EQ(structure("Content-Type: image/png\r\nContent-Disposition: inline\r\n\r\nAAAA", Structure::kBody),
            R"(("image" "png" NIL NIL NIL "7bit" 4))");
}

TEST(BodyStructure, OfMultiparts) {
  EXPECT_EQ(
      structure("Content-Type: multipart/mixed; boundary=b\r\nContent-Disposition: "
                "inline\r\n\r\n--b\r\n\r\na\r\n--b\r\nContent-Type: x/y\r\n\r\nb\r\n--b--\r\n"),
      R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)("x" "y" NIL NIL NIL "7bit" 1 NIL NIL NIL NIL))"
      R"( "mixed" ("boundary" "b") ("inline" NIL) NIL NIL))");
  EXPECT_EQ(structure("Content-Type: multipart/mixed; boundary=b\r\n\r\nno parts", Structure::kBody),
            R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed"))");
}

TEST(BodyStructure, OfEmbeddedMessages) {
  EXPECT_EQ(
      structure("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\na\r\n", Structure::kBody),
      R"(("message" "rfc822" NIL NIL NIL "7bit" 17 (NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1) 3))");
  EXPECT_EQ(structure("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA", Structure::kBody),
            R"(("application" "octet-stream" NIL NIL NIL "base64" 4))");
  EXPECT_EQ(structure("Content-Type: message/delivery-status\r\n\r\nAAAA", Structure::kBody),
            R"(("message" "delivery-status" NIL NIL NIL "7bit" 4))");
}

// The message of the example in RFC 9051 §6.4.5.1.
std::vector<Part> example_parts() {
  const std::string inner =
      "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n3.1\r\n--i\r\nContent-Type: "
      "application/octet-stream\r\n\r\n3.2\r\n--i--\r\n";
  const std::string deep =
      "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n4.2.1\r\n--m\r\nContent-Type: multipart/alternative; "
      "boundary=x\r\n\r\n"
      "--x\r\n\r\n4.2.2.1\r\n--x\r\nContent-Type: text/richtext\r\n\r\n4.2.2.2\r\n--x--\r\n--m--\r\n";
  return summarise(
             "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\n1\r\n--o\r\nContent-Type: "
             "application/octet-stream\r\n\r\n2\r\n"
             "--o\r\nContent-Type: message/rfc822\r\n\r\n" +
             inner +
             "\r\n--o\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n--n\r\nContent-Type: image/gif\r\n\r\n4.1\r\n"
             "--n\r\nContent-Type: message/rfc822\r\n\r\n" +
             deep + "\r\n--n--\r\n--o--\r\n")
      .parts;
}

TEST(ImapString, IsQuotedEscapedOrALiteralWhereverTheByteStands) {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string plain(size, 'x');
    std::string out = "before ";
    append_imap_string(out, plain);
    EXPECT_EQ(out, "before \"" + plain + "\"");
    for (std::size_t at = 0; at < size; ++at) {
      std::string text = plain;
      for (const char odd : {'"', '\\'}) {
        text[at] = odd;
        out.clear();
        append_imap_string(out, text);
        EXPECT_EQ(out, "\"" + plain.substr(0, at) + "\\" + text.substr(at) + "\"");
      }
      for (const char odd : {'\r', '\n', '\x80', '\xff'}) {
        text[at] = odd;
        out.clear();
        append_imap_string(out, text);
        EXPECT_EQ(out, "{" + std::to_string(size) + "}\r\n" + text);
      }
    }
  }
  std::string out;
  append_imap_string(out, std::string_view("a\0b", 3));
  EXPECT_EQ(out, "{3}\r\na?b");
}

TEST(FindPart, FollowsTheExampleOfRfc9051) {
  const std::vector<Part> parts = example_parts();
  const std::pair<std::vector<std::uint32_t>, std::string_view> cases[] = {{{}, "multipart/mixed"},
                                                                           {{1}, "text/plain"},
                                                                           {{2}, "application/octet-stream"},
                                                                           {{3}, "message/rfc822"},
                                                                           {{3, 1}, "text/plain"},
                                                                           {{3, 2}, "application/octet-stream"},
                                                                           {{4}, "multipart/mixed"},
                                                                           {{4, 1}, "image/gif"},
                                                                           {{4, 2}, "message/rfc822"},
                                                                           {{4, 2, 1}, "text/plain"},
                                                                           {{4, 2, 2}, "multipart/alternative"},
                                                                           {{4, 2, 2, 1}, "text/plain"},
                                                                           {{4, 2, 2, 2}, "text/richtext"}};
  for (const auto& [path, type] : cases) {
    const std::optional<std::size_t> index = find_part(parts, path);
    ASSERT_TRUE(index.has_value()) << type;
    EXPECT_EQ(parts[*index].type + "/" + parts[*index].subtype, type);
  }
  for (const std::vector<std::uint32_t>& path :
       std::vector<std::vector<std::uint32_t>>{{0}, {5}, {1, 1}, {3, 3}, {4, 1, 1}, {4, 2, 2, 3}, {4'000'000'000}}) {
    EXPECT_FALSE(find_part(parts, path).has_value());
  }
}

TEST(FindPart, PartOneOfASinglePartIsItself) {
  const std::vector<Part> plain = summarise("\r\nx").parts;
  EXPECT_EQ(find_part(plain, {1}), 0U);
  EXPECT_FALSE(find_part(plain, {2}).has_value());
  EXPECT_FALSE(find_part(plain, {1, 1}).has_value());
  const std::vector<Part> forwarded = summarise("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody").parts;
  EXPECT_EQ(find_part(forwarded, {1}), 0U);
  EXPECT_EQ(find_part(forwarded, {1, 1}), 1U);
  EXPECT_FALSE(find_part(forwarded, {1, 1, 1}).has_value());
  EXPECT_FALSE(find_part({}, {}).has_value());
}

}  // namespace
}  // namespace posthus::mail
