// The stored form of a summary: round trips, what it costs, and bytes that are not one.
#include <gtest/gtest.h>

#include "tests/unit/core_mail/summary_text.h"

namespace posthus::mail {
namespace {

constexpr std::string_view kMessage =
    "Received: from a by b; Sat, 21 Nov 2026 23:05:46 +0000\r\nFrom: Anna <anna@example.com>\r\nTo: bob@example.org\r\nSubject: "
    "hello\r\n"
    "Date: Sat, 21 Nov 2026 23:05:46 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en, no\r\n\r\n--b\r\nContent-Type: "
    "message/rfc822\r\nContent-ID: <x>\r\n"
    "Content-Disposition: attachment; filename*=utf-8''%c3%a5\r\n\r\nSubject: inner\r\n\r\n.body\r\n--b\r\nContent-Type: "
    "image/png\r\n"
    "Content-MD5: Q2hlY2s=\r\nContent-Location: u\r\nContent-Description: d\r\n\r\n\xff\r\n--b--\r\n";

TEST(SummaryRecord, IsReadBackTheSame) {
  const Summary summary = summarise(kMessage);
  ASSERT_EQ(summary.parts.size(), 4U);
  const Result<Summary> decoded = decode_summary(encode_summary(summary));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(to_text(*decoded), to_text(summary));
}

TEST(SummaryRecord, KeepsAnEnvelopeTheFieldsDoNotGive) {
  Summary summary = summarise(kMessage);
  summary.envelope = "(other)";
  EXPECT_EQ(decode_summary(encode_summary(summary))->envelope, "(other)");
}

TEST(SummaryRecord, OfAnOrdinaryMessageIsLittleMoreThanItsFields) {
  const Summary summary = summarise(kMessage);
  EXPECT_LT(encode_summary(summary).size(), summary.cached_fields.size() + 220);
}

TEST(SummaryView, FindsFieldsWithoutTheParts) {
  const Summary summary = summarise(kMessage);
  const std::string encoded = encode_summary(summary);
  const Result<SummaryView> view = SummaryView::create(encoded);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->size(), kMessage.size());
  EXPECT_EQ(view->header_size(), summary.header_size);
  EXPECT_TRUE(view->has_leading_dot());
  EXPECT_TRUE(view->has_8bit());
  EXPECT_FALSE(view->has_nul());
  EXPECT_EQ(view->envelope(), summary.envelope);
  EXPECT_EQ(view->cached_fields(), summary.cached_fields);
  EXPECT_EQ(view->parts()->size(), 4U);
}

TEST(SummaryRecord, OffsetsThatDoNotNestAreCorrupt) {
  const Summary sound = summarise(kMessage);
  const auto decodes = [](const Summary& summary) { return decode_summary(encode_summary(summary)).has_value(); };
  ASSERT_TRUE(decodes(sound));
  Summary changed = sound;
  changed.header_size = changed.size + 1;
  EXPECT_FALSE(decodes(changed));
  changed = sound;
  changed.parts[1].body_end = changed.parts[0].body_end + 1;
  EXPECT_FALSE(decodes(changed));
  changed = sound;
  changed.parts[1].header_begin = changed.parts[0].body_begin - 1;
  EXPECT_FALSE(decodes(changed));
  changed = sound;
  changed.parts[0].subtree = 3;
  EXPECT_FALSE(decodes(changed));
  changed = sound;
  changed.parts[3].is_message = true;
  EXPECT_FALSE(decodes(changed));
}

TEST(SummaryRecord, CutOrChangedBytesAreCorruptOrAnotherSummary) {
  const std::string encoded = encode_summary(summarise(kMessage));
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    const Result<Summary> decoded = decode_summary(std::string_view(encoded).substr(0, length));
    ASSERT_FALSE(decoded.has_value()) << length;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(decode_summary(encoded + "x").has_value());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    for (const int bit : {1, 0x40, 0x80}) {
      std::string changed = encoded;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      const Result<Summary> decoded = decode_summary(changed);
      if (!decoded) continue;
      std::string structure;
      append_structure(structure, decoded->parts, Structure::kBodyStructure);
      EXPECT_FALSE(structure.empty());
    }
  }
}

}  // namespace
}  // namespace posthus::mail
