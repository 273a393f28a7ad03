// Encoded-words (examples of RFC 2047 §8), charsets and transfer encodings (RFC 2045 §6.7, §6.8).
#include "core/mail/encoded_word.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

TEST(EncodedWord, IsDecoded) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
      {"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld J\u00f8rn Simonsen"},
      {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
       "If you can read this you understand the example."},
      {"(=?ISO-8859-1?Q?a?=)", "(a)"},
      {"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
      {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a?=  \t=?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
      {"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
      {"=?utf-8*en?q?caf=C3=A9?=", "caf\u00e9"},
      {"=?utf-8?B?ww==?= =?utf-8?B?pA==?=", "\u00e4"},  // a character cut in two
      {"=?iso-2022-jp?B?GyRCJTUlcyVXJWsbKEI=?=", "\u30b5\u30f3\u30d7\u30eb"},
      {"=?x-unknown?q?a=FFb?=", "a\ufffdb"},
      {"=?utf-8?x?abc?= =?utf-8?q?abc", "=?utf-8?x?abc?= =?utf-8?q?abc"},
      {"=??q?a?= =?", "=??q?a?= =?"},
      {"plain \xff", "plain \ufffd"},
      {"", ""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(decode_header_text(text), expected) << text;
}

TEST(Charset, IsConvertedOrReplaced) {
  EXPECT_EQ(to_utf8("\xe9", "ISO-8859-1"), "\u00e9");
  EXPECT_EQ(to_utf8("\x80", "windows-1252"), "\u20ac");
  EXPECT_EQ(to_utf8("\xcf\xf0\xe8", "windows-1251"), "\u041f\u0440\u0438");
  EXPECT_EQ(to_utf8("\xd0\xd2\xc9", "koi8-r"), "\u043f\u0440\u0438");
  EXPECT_EQ(to_utf8("\xc4\xe3\xba\xc3", "gb2312"), "\u4f60\u597d");
  EXPECT_EQ(to_utf8("a\xc3", "utf-8"), "a\ufffd");
  EXPECT_EQ(to_utf8("\xc4", "big5"), "\ufffd");
  EXPECT_EQ(to_utf8("\u00e9", "us-ascii"), "\u00e9");
  EXPECT_EQ(to_utf8("a\xff", "../../etc/passwd"), "a\ufffd");
  EXPECT_EQ(to_utf8("a\xff", "UTF-8//TRANSLIT"), "a\ufffd");
  EXPECT_EQ(to_utf8(std::string(10'000, '\xe9'), "iso-8859-15").size(), 20'000U);
}

TEST(TransferEncoding, IsDecodedTolerantly) {
  EXPECT_EQ(decode_transfer_encoding("aGVs\r\nbG8=\r\n", "BASE64"), "hello");
  EXPECT_EQ(decode_transfer_encoding("aGVsbG8", "base64"), "hello");
  EXPECT_EQ(decode_transfer_encoding("aA==aQ==", "base64"), "hi");
  EXPECT_EQ(decode_transfer_encoding("a!G-V s*bG8=", "base64"), "hello");
  EXPECT_EQ(decode_transfer_encoding("J=F8rn=\r\nx  \r\n=3D =zz=", "quoted-printable"), "J\xf8rnx\r\n= =zz");
  EXPECT_EQ(decode_transfer_encoding("a=\t\nb", "Quoted-Printable"), "ab");
  EXPECT_EQ(decode_transfer_encoding("a=3D", "8bit"), "a=3D");
}

TEST(SearchFold, LowersLetters) {
  EXPECT_EQ(fold_for_search("ABC xyz"), "abc xyz");
  EXPECT_EQ(fold_for_search("\u00c5SE \u0416 \u03a9"), "\u00e5se \u0436 \u03c9");
  EXPECT_EQ(fold_for_search("A\xff\u00c5"), "a\xff\u00e5");
}

TEST(Utf8, IsCheckedStrictly) {
  EXPECT_TRUE(is_valid_utf8("a\u00e9\U0001f600"));
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

}  // namespace
}  // namespace posthus::mail
