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

constexpr std::size_t kCuts[] = {1, 2, 3, 7, 100'000};

TEST(HeaderScan, CountsReceivedAndNotesDateAndMessageId) {
  const std::string fields =
      "Received: from a\r\n\tby Date: x\r\nRECEIVED : b\r\nX-Received: c\r\nReceivedx: c\r\nSubject: Date:\r\n Message-ID: "
      "y\r\nmessage-id:<a@b>\r\n";
  for (const std::size_t cut : kCuts) {
    HeaderScan scan;
    EXPECT_EQ(fields_of(scan, fields + "\r\nDate: in the body\r\n", cut), fields) << cut;
    EXPECT_TRUE(scan.has_ended());
    EXPECT_EQ(scan.received_fields(), 2u);
    EXPECT_TRUE(scan.has_message_id());
    EXPECT_FALSE(scan.has_date());
  }
}

TEST(HeaderScan, KnowsWhetherItEndsALine) {
  for (const std::size_t cut : kCuts) {
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
  for (const std::size_t cut : kCuts) {
    HeaderScan scan;
    EXPECT_EQ(fields_of(scan, "\rDate: x\r\nDate: y\r\n\r\n", cut), "\rDate: x\r\nDate: y\r\n");
    EXPECT_TRUE(scan.has_date());
  }
}

TEST(HeaderScan, EndsAtOnceInAMessageWithoutHeader) {
  HeaderScan scan;
  EXPECT_EQ(scan.read("\r\nbody\r\n"), 0u);
  EXPECT_TRUE(scan.has_ended());
}

}  // namespace
}  // namespace posthus::smtp
