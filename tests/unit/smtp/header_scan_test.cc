// The header of a passing message, in every cut. RFC 5321 §6.3, RFC 6409 §8.
#include "smtp/header_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace posthus::smtp {
namespace {

// Feeds `message` in cuts and returns the bytes that were said to belong to the fields.
std::string fields_of(HeaderScan& scan, const std::string& message, std::size_t cut) {
  std::string fields;
  for (std::size_t at = 0; at < message.size() && !scan.has_ended(); at += cut) {
    const auto piece = std::string_view(message).substr(at, cut);
    const bool was_holding = scan.is_holding_cr();
    const std::size_t count = scan.read(piece);
    if (was_holding && !scan.has_ended()) fields.push_back('\r');
    fields.append(piece.substr(0, count));
  }
  return fields;
}

constexpr std::size_t kScanCuts[] = {1, 2, 3, 7, 100'000};

TEST(HeaderScan, CountsReceivedAndNotesDateAndMessageId) {
  const std::string fields =
      "Received: from a\r\n\tby Date: x\r\nRECEIVED : b\r\nX-Received: c\r\nReceivedx: c\r\nSubject: Date:\r\n Message-ID: "
      "y\r\nmessage-id:<a@b>\r\n";
  for (const std::size_t cut : kScanCuts) {
    HeaderScan scan;
    EXPECT_EQ(fields_of(scan, fields + "\r\nDate: in the body\r\n", cut), fields) << cut;
    EXPECT_TRUE(scan.has_ended());
    EXPECT_EQ(scan.received_fields(), 2u);
    EXPECT_TRUE(scan.has_message_id());
    EXPECT_FALSE(scan.has_date());
  }
}

TEST(HeaderScan, KnowsWhetherItEndsALine) {
  for (const std::size_t cut : kScanCuts) {
    HeaderScan open;
    fields_of(open, "Date: x", cut);
    EXPECT_FALSE(open.has_ended());
    EXPECT_FALSE(open.is_at_line_start());
    HeaderScan closed;
    fields_of(closed, "Date: x\r\n", cut);
    EXPECT_TRUE(closed.is_at_line_start());
    EXPECT_TRUE(closed.has_date());
  }
}

TEST(HeaderScan, TakesALoneCrForText) {
  for (const std::size_t cut : kScanCuts) {
    HeaderScan scan;
    EXPECT_EQ(fields_of(scan, "\rDate: x\r\nDate: y\r\n\r\n", cut), "\rDate: x\r\nDate: y\r\n");
    EXPECT_TRUE(scan.has_date());
  }
}

TEST(HeaderScan, KeepsFromFieldsOnlyWhenAsked) {
  const std::string fields = "X: a\r\n b\r\nFrom: a@b.c,\r\n\td@e.f\r\nTo: g@h.i\r\n j\r\nFROM :k@l.m\r\n";
  for (const std::size_t cut : kScanCuts) {
    HeaderScan keeping(FromFields::kKeep);
    fields_of(keeping, fields + "\r\nFrom: in the body\r\n", cut);
    EXPECT_EQ(keeping.from(), " a@b.c,\r\n\td@e.f\r\n,k@l.m\r\n") << cut;
    HeaderScan passing;
    fields_of(passing, fields, cut);
    EXPECT_EQ(passing.from(), "");
  }
}

TEST(HeaderScan, KeepsNoEndlessFrom) {
  HeaderScan scan(FromFields::kKeep);
  scan.read("From: ");
  for (int i = 0; i < 10'000; ++i) scan.read("a@b.c, ");
  EXPECT_TRUE(scan.is_from_cut());
  EXPECT_LE(scan.from().size(), kMaxFromKept);
}

TEST(HeaderScan, EndsAtOnceInAMessageWithoutHeader) {
  HeaderScan scan;
  EXPECT_EQ(scan.read("\r\nbody\r\n"), 0u);
  EXPECT_TRUE(scan.has_ended());
}

TEST(HeaderScan, AFieldNameMayHaveAnyAmountOfBlanksBehindIt) {
  for (const std::string_view blanks : {" ", "\t", "        ", "                                        "}) {
    for (const std::size_t cut : kScanCuts) {
      HeaderScan scan(FromFields::kKeep);
      fields_of(scan,
                "From" + std::string(blanks) + ": ceo@example.test\r\nReceived" + std::string(blanks) + ": a\r\nFro m: x\r\n\r\n",
                cut);
      EXPECT_EQ(scan.from(), " ceo@example.test\r\n") << cut;
      EXPECT_EQ(scan.received_fields(), 1u) << cut;
    }
  }
}

}  // namespace
}  // namespace posthus::smtp
