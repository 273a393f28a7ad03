// TransferDecoder: content transfer encodings undone in pieces, for BINARY (RFC 9051 §6.4.5, §7.5.2; RFC 2045 §6.7, §6.8):
// memory does not grow with the part. Tolerant: what is no base64 is passed over, broken quoted-printable stays as it is.
// Thread rule: none, a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::imap {

enum class TransferEncoding : std::uint8_t { kIdentity, kBase64, kQuotedPrintable };
/// Nothing for an encoding nobody knows (UNKNOWN-CTE).
std::optional<TransferEncoding> transfer_encoding(std::string_view name);

class TransferDecoder {
 public:
  /// kCrlf: bare LF and bare CR become CRLF, for textual parts (RFC 9051 §7.5.2).
  enum class LineEnds : bool { kAsTheyAre, kCrlf };
  TransferDecoder(TransferEncoding encoding, LineEnds line_ends) : encoding_(encoding), line_ends_(line_ends) {}

  void append(std::string_view encoded, std::string& out);
  /// The end: what was held back.
  void finish(std::string& out);

 private:
  void put(char c, std::string& out);
  void base64(char c, std::string& out);
  void quoted_printable(char c, std::string& out);

  TransferEncoding encoding_;
  LineEnds line_ends_;
  bool after_cr_ = false;
  std::uint32_t bits_ = 0;
  int bit_count_ = 0;
  std::string held_;  // of quoted-printable: "=", "=A" or "=" and white space; bounded
};

}  // namespace posthus::imap
