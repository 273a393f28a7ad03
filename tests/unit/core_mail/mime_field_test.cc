// MIME fields: RFC 2045 §5.1 examples, RFC 2231 §3-§4.1 examples, RFC 2183, RFC 3282, and broken ones.
#include "core/mail/mime_field.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

/// "name=value|name=value"
std::string parameters(std::string_view value) {
  std::string out;
  for (const auto& [name, text] : read_parameters(value)) out += (out.empty() ? "" : "|") + name + "=" + text;
  return out;
}

TEST(Parameters, AreRead) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"text/plain; charset=us-ascii (Plain text)", "charset=us-ascii"},
      {"text/plain; CHARSET=\"us-ascii\"", "charset=us-ascii"},
      {"x; a=\"b\\\"c\\\\d\"; e=f", "a=b\"c\\d|e=f"},
      {"x;a=1;;b=2; ;c", "a=1|b=2"},
      {"x; a=\"1;2\";b=3", "a=1;2|b=3"},
      {"x (comment; a=1); b=2", "b=2"},
      {"x; name=my file (1).txt; b=2", "name=my file|b=2"},
      {"x; name=file(1).txt", "name=file(1).txt"},
      {"x; boundary=----=_Part_1", "boundary=----=_Part_1"},
      {"x; a=", "a="},
      {"x; =b; c=d", "c=d"},
      {"x; a=\"never closed; b=c", "a=never closed; b=c"},
      {"x; a=\"one\r\n two\"", "a=one two"},
      {"x; a=b\r\n\t; c=d", "a=b|c=d"},
      {"no parameters", ""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parameters(text), expected) << text;
}

TEST(Parameters, OfRfc2231AreJoinedAndDecoded) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"message/external-body; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
       "access-type=URL|url=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"},
      {"application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title*=This is ***fun***"},
      {"application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't "
       "it!\"",
       "title*=This is even more ***fun*** isn't it!"},
      {"x; name*1=b; name*0=a; name*2=c", "name=abc"},
      {"x; name*0=a; name*2=c", "name=a"},
      {"x; name*0=a; name*0=b; name*1=c", "name=ac"},
      {"x; filename*=iso-8859-1''bl%E5.txt; filename=bla.txt", "filename*=bl\u00e5.txt|filename=bla.txt"},
      {"x; filename*=utf-8''%zz%4", "filename*=%zz%4"},
      {"x; filename*=noquotes%20", "filename=noquotes "},
      {"x; a*b=1; *=2; a*99999=3", "a*b=1|*=2|a*99999=3"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parameters(text), expected) << text;
}

TEST(Parameters, AreBounded) {
  std::string value = "x";
  for (int i = 0; i < 5000; ++i) value += ";a*" + std::to_string(i) + "=b";
  const auto read = read_parameters(value);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].second, std::string(100, 'b'));
}

Part part_of(std::string_view header, DefaultType type = DefaultType::kText) {
  Part part;
  read_mime_fields(header, type, part);
  return part;
}

TEST(MimeFields, FillThePart) {
  const Part part = part_of(
      "Content-Type: Image/PNG; name=x\r\ncontent-transfer-encoding: (c) BASE64\r\nContent-ID: <1@x>\r\nContent-Description: "
      "a\r\n b\r\n"
      "Content-MD5: Q2hlY2s=\r\nContent-Disposition: Attachment; filename=\"a b\"\r\nContent-Language: en, de-CH "
      "(x)\r\nContent-Location: u\r\n");
  EXPECT_EQ(part.type + "/" + part.subtype, "image/png");
  EXPECT_EQ(part.encoding, "base64");
  EXPECT_EQ(part.id, "<1@x>");
  EXPECT_EQ(part.description, "a b");
  EXPECT_EQ(part.md5, "Q2hlY2s=");
  EXPECT_EQ(part.disposition, "attachment");
  EXPECT_EQ(part.disposition_parameters.at(0).second, "a b");
  EXPECT_EQ(part.languages, (std::vector<std::string>{"en", "de-CH"}));
  EXPECT_EQ(part.location, "u");
}

TEST(MimeFields, MissingOrBrokenTypeIsPlainText) {
  for (const std::string_view header :
       {"", "Content-Type: text\r\n", "Content-Type:\r\n", "Content-Type: /plain; x=y\r\n", "Content-Type: a/\r\n"}) {
    const Part part = part_of(header);
    EXPECT_EQ(part.type + "/" + part.subtype + "/" + part.encoding, "text/plain/7bit") << header;
    EXPECT_TRUE(part.parameters.empty()) << header;
  }
  EXPECT_EQ(part_of("", DefaultType::kMessage).subtype, "rfc822");
  EXPECT_EQ(part_of("Content-Type: broken\r\n", DefaultType::kMessage).subtype, "plain");
}

TEST(MimeFields, FirstOfTwoCounts) {
  EXPECT_EQ(part_of("Content-Type: a/b\r\nContent-Type: c/d\r\n").subtype, "b");
  EXPECT_EQ(part_of("Content-Type(x) : a/b\r\nContent-Type: c / (x) d\r\n").subtype, "d");
}

}  // namespace
}  // namespace posthus::mail
