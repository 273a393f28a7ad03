// Quoted-printable and encoded-words: what is written decodes to what was meant, within the limits of a line.
#include "core/mail/transfer_encoding.h"

#include <gtest/gtest.h>

#include "core/mail/encoded_word.h"
#include "core/mail/header.h"

namespace posthus::mail {
namespace {

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    longest = std::max(longest, end);
    text.remove_prefix(std::min(text.size(), end + 2));
  }
  return longest;
}

TEST(QuotedPrintable, EncodesWhatMustBe) {
  EXPECT_EQ(encode_quoted_printable("a = b\r\n"), "a =3D b\r\n");
  EXPECT_EQ(encode_quoted_printable("blå\r\n"), "bl=C3=A5\r\n");
  EXPECT_EQ(encode_quoted_printable("end \r\nend\t"), "end=20\r\nend=09");
  EXPECT_EQ(encode_quoted_printable("a\rb\nc"), "a=0Db=0Ac");
  EXPECT_EQ(encode_quoted_printable(std::string_view("\0\x7f", 2)), "=00=7F");
  EXPECT_EQ(encode_quoted_printable(""), "");
}

TEST(QuotedPrintable, DecodesToTheSameBytesInShortLines) {
  std::string bytes;
  for (int round = 0; round < 5; ++round) {
    for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
    bytes += std::string(static_cast<std::size_t>(70 + round), 'x') + " \r\n" + std::string(75, 'y') + "=\r\n";
  }
  const std::string encoded = encode_quoted_printable(bytes);
  EXPECT_EQ(decode_transfer_encoding(encoded, "quoted-printable"), bytes);
  EXPECT_LE(longest_line(encoded), 76U);
  EXPECT_TRUE(is_7bit(encoded));
}

TEST(EncodedWords, PlainTextStaysPlain) {
  EXPECT_EQ(encode_header_text("Your message", 9), "Your message");
  EXPECT_EQ(encode_header_text("=?utf-8?q?x?=", 9), "=?UTF-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=");
}

TEST(EncodedWords, LongTextIsFoldedAndNoCharacterIsCut) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Größe – 大小 ";
  const std::string encoded = encode_header_text(text, 9);
  EXPECT_LE(longest_line(encoded), 76U);
  EXPECT_TRUE(is_7bit(encoded));
  EXPECT_EQ(decode_header_text(unfold(encoded)), text);
  EXPECT_EQ(decode_header_text(unfold(encode_header_text(text, 60))), text);
}

TEST(Identity, KnowsWhatMayGoAsItIs) {
  EXPECT_TRUE(is_7bit("a\tb\r\n"));
  EXPECT_FALSE(is_7bit("a\nb"));
  EXPECT_FALSE(is_7bit("a\rb"));
  EXPECT_FALSE(is_7bit("a\r"));
  EXPECT_FALSE(is_7bit("å"));
  EXPECT_TRUE(is_8bit("å\r\n"));
  EXPECT_FALSE(is_8bit(std::string_view("\0", 1)));
  EXPECT_TRUE(is_7bit(std::string(998, 'a') + "\r\n"));
  EXPECT_FALSE(is_7bit(std::string(999, 'a') + "\r\n"));
}

}  // namespace
}  // namespace posthus::mail
