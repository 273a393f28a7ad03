// Content transfer encodings undone in pieces: the cut never matters.
#include "imap/transfer_decoder.h"

#include <gtest/gtest.h>

namespace posthus::imap {
namespace {

using LineEnds = TransferDecoder::LineEnds;

void expect_decoded(TransferEncoding encoding, LineEnds line_ends, std::string_view encoded, std::string_view decoded) {
  for (std::size_t cut = 1; cut <= encoded.size(); ++cut) {
    TransferDecoder decoder(encoding, line_ends);
    std::string out;
    for (std::size_t at = 0; at < encoded.size(); at += cut) decoder.append(encoded.substr(at, cut), out);
    decoder.finish(out);
    EXPECT_EQ(out, decoded) << "cut " << cut;
  }
}

TEST(TransferDecoder, base64) {
  expect_decoded(TransferEncoding::kBase64, LineEnds::kAsTheyAre, "SGVs\r\nbG8h\r\n", "Hello!");
  expect_decoded(TransferEncoding::kBase64, LineEnds::kAsTheyAre, "SGVsbG8=", "Hello");
  expect_decoded(TransferEncoding::kBase64, LineEnds::kAsTheyAre, "SGVs!!bA==", "Hell");
  expect_decoded(TransferEncoding::kBase64, LineEnds::kAsTheyAre, "SA==SA==", "HH");
}

TEST(TransferDecoder, quoted_printable) {
  expect_decoded(TransferEncoding::kQuotedPrintable, LineEnds::kAsTheyAre, "Gr=C3=bc=\r\n=C3=9Fe =\t \r\nend=",
                 "Gr\xc3\xbc\xc3\x9f"
                 "e end=");
  expect_decoded(TransferEncoding::kQuotedPrintable, LineEnds::kAsTheyAre, "a=zz =4 ==41 =\nx", "a=zz =4 =A x");
}

TEST(TransferDecoder, lines_of_text_end_with_crlf) {
  expect_decoded(TransferEncoding::kBase64, LineEnds::kCrlf, "YQpiDQpjDWQ=", "a\r\nb\r\nc\r\nd");
}

TEST(TransferDecoder, unknown_encodings_are_told_apart) {
  EXPECT_EQ(transfer_encoding("BASE64"), TransferEncoding::kBase64);
  EXPECT_EQ(transfer_encoding(""), TransferEncoding::kIdentity);
  EXPECT_FALSE(transfer_encoding("x-uuencode"));
}

}  // namespace
}  // namespace posthus::imap
