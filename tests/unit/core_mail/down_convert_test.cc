// Down-conversion to 7-bit, of messages written for it and of the real ones in tests/golden/mime.
#include "core/mail/down_convert.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/mail/transfer_encoder.h"
#include "tests/unit/core_mail/down_convert_text.h"

namespace posthus::mail {
namespace {

std::string converted(const std::string& message) {
  Result<DownConversion> conversion = DownConversion::plan(message.size(), read_from(message));
  if (!conversion) return "refused: " + conversion.error().context;
  return convert_all(*conversion);
}

std::string as_quoted_printable(std::string_view text) {
  std::string out;
  QuotedPrintableEncoder encoder;
  for (const char c : text) encoder.append(out, {&c, 1});
  encoder.finish(out);
  return out;
}

TEST(QuotedPrintableEncoder, EncodesWhatMustBeAndNothingElse) {
  EXPECT_EQ(as_quoted_printable("plain text, with = and \xc3\xa5\r\n"), "plain text, with =3D and =C3=A5\r\n");
  EXPECT_EQ(as_quoted_printable("space \r\ntab\t\r\nend "), "space=20\r\ntab=09\r\nend=20");
  EXPECT_EQ(as_quoted_printable("a\rb\nc\r\r\nd\r"), "a=0Db=0Ac=0D\r\nd=0D");
  EXPECT_EQ(as_quoted_printable("--boundary\r\na-b"), "=2D-boundary\r\na-b");
  EXPECT_EQ(as_quoted_printable(std::string_view("\0\x7f", 2)), "=00=7F");
}

TEST(QuotedPrintableEncoder, LinesHaveAtMost76Characters) {
  for (std::size_t length = 70; length < 240; ++length) {
    for (const std::string& unit : {std::string("x"), std::string("\xc3"), std::string(" "), std::string("-")}) {
      std::string text;
      while (text.size() < length) text += unit;
      text += "\r\nnext";
      const std::string out = as_quoted_printable(text);
      std::size_t begin = 0;
      while (begin < out.size()) {
        const std::size_t end = std::min(out.find("\r\n", begin), out.size());
        EXPECT_LE(end - begin, 76U);
        begin = end + 2;
      }
      EXPECT_EQ(decode_transfer_encoding(out, "quoted-printable"), text);
    }
  }
}

TEST(Base64Encoder, CutDoesNotMatter) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(i * 7));
  std::string whole;
  Base64Encoder encoder;
  encoder.append(whole, bytes);
  encoder.finish(whole);
  for (const std::size_t cut : {1U, 3U, 56U, 57U, 58U, 300U}) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += cut) encoder.append(out, std::string_view(bytes).substr(at, cut));
    encoder.finish(out);
    EXPECT_EQ(out, whole);
  }
  EXPECT_EQ(decode_transfer_encoding(whole, "base64"), bytes);
  EXPECT_EQ(whole.find("\r\n"), 76U);
}

TEST(DownConversion, SevenBitStaysAsItIs) {
  const std::string message = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nSubject: x\r\n\r\n7-bit after all\r\n";
  const Result<DownConversion> conversion = DownConversion::plan(message.size(), read_from(message));
  ASSERT_TRUE(conversion.has_value());
  EXPECT_FALSE(conversion->is_needed());
  EXPECT_EQ(converted(message), message);
  EXPECT_EQ(converted(""), "");
}

TEST(DownConversion, TextBecomesQuotedPrintable) {
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding:\r\n 8bit\r\n"
                      "Subject: x\r\n\r\nbl\xc3\xa5 = blue\r\n"),
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: x\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nbl=C3=A5 =3D blue\r\n");
}

TEST(DownConversion, WhatIsNoMimeBecomesMime) {
  EXPECT_EQ(converted("Subject: x\r\n\r\nbl\xc3\xa5\r\nmore of it\r\n"),
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nbl=C3=A5\r\nmore of it\r\n");
}

TEST(DownConversion, TextFullOfOctetsAndOtherTypesBecomeBase64) {
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xf2\xe9\xf7\xe5\xf4\r\n"),
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "8PLp9+X0DQo=");
  EXPECT_EQ(
      converted(std::string("MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\n", 83)),
      "MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBiCg==");
}

constexpr const char* kMultipart =
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "pre\xc3\xa5mble\r\n--b\r\n\r\nseven bits\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa5  and some "
    "more\r\n"
    "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\nSubject: inner\r\n\r\nbl\xc3\xa5 inside\r\n"
    "--b--\r\nepilogue\r\n";

TEST(DownConversion, OnlyThePartsThatNeedItChange) {
  EXPECT_EQ(
      converted(kMultipart),
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
      "pre??mble\r\n--b\r\n\r\nseven bits\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A5  and some more\r\n"
      "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: inner\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nbl=C3=A5 inside\r\n"
      "--b--\r\nepilogue\r\n");
}

TEST(DownConversion, RestartsFromTheBeginning) {
  const std::string message = kMultipart + std::string(100'000, 'x') + "\xc3\xa5";
  Result<DownConversion> conversion = DownConversion::plan(message.size(), read_from(message));
  ASSERT_TRUE(conversion.has_value());
  std::string begun;
  ASSERT_TRUE(conversion->read_on(begun).has_value());
  conversion->restart();
  EXPECT_EQ(convert_all(*conversion), converted(message));
}

TEST(DownConversion, WhatMustNotChangeIsRefused) {
  EXPECT_EQ(converted("Subject: bl\xc3\xa5\r\n\r\nx\r\n"), "refused: its header has octets that are not ASCII");
  const auto signed_mail = [](const std::string& text) {
    return "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; "
           "protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\n" +
           text + "\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nsignature\r\n--b--\r\n";
  };
  EXPECT_EQ(converted(signed_mail("bl\xc3\xa5")), "refused: a signed part of it would have to be changed");
  EXPECT_EQ(converted(signed_mail("blue")), signed_mail("blue"));
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: message/partial\r\n\r\nbl\xc3\xa5\r\n"),
            "refused: it has a part message/partial that is not 7-bit");
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbl\xc3\xa5\r\n"),
            "refused: it has a part multipart/mixed that is not 7-bit");
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\nbl\xc3\xa5\r\n"),
            "refused: it has a multipart or message that cannot be taken apart");
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbl\xc3\xa5\r\n"),
            "refused: it has a part in an encoding of its own");
}

TEST(DownConversion, StrayOctetsInEncodedPartsDoNoHarm) {
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nbl\xc3\xa5=\r\nx\r\n"),
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nbl=C3=A5=\r\nx\r\n");
  EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYW\xa0Jj\r\n"),
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n");
}

TEST(DownConversion, ReadingThatFailsIsItsError) {
  const auto unreadable = [](std::uint64_t, std::uint64_t, std::string&) -> Result<> { return fail(ErrorKind::kIo); };
  EXPECT_EQ(DownConversion::plan(10, unreadable).error().kind, ErrorKind::kIo);
  const auto too_short = [](std::uint64_t, std::uint64_t, std::string& out) -> Result<> {
    out += "x";
    return {};
  };
  EXPECT_EQ(DownConversion::plan(10, too_short).error().kind, ErrorKind::kCorrupt);
}

TEST(DownConversion, RealMessagesKeepTheirParts) {
  std::size_t needed = 0;
  std::size_t refused = 0;
  const std::filesystem::path golden = std::filesystem::path(POSTHUS_SOURCE_DIR) / "tests/golden/mime";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(golden)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string message;
    char previous = 0;
    for (auto at = std::istreambuf_iterator<char>(file); at != std::istreambuf_iterator<char>(); ++at) {
      if (*at == '\n' && previous != '\r') message.push_back('\r');
      message.push_back(*at);
      previous = *at;
    }
    Result<DownConversion> conversion = DownConversion::plan(message.size(), read_from(message));
    if (!conversion) {
      ++refused;
      EXPECT_FALSE(has_only_7bit(message)) << entry.path();
      continue;
    }
    const std::string text = convert_all(*conversion);
    EXPECT_TRUE(has_only_7bit(text)) << entry.path();
    EXPECT_EQ(difference(message, text), "") << entry.path();
    if (!conversion->is_needed()) {
      EXPECT_EQ(text, message) << entry.path();
    }
    needed += conversion->is_needed() ? 1 : 0;
  }
  EXPECT_GT(needed, 10U);
  EXPECT_GT(refused, 5U);
}

}  // namespace
}  // namespace posthus::mail
