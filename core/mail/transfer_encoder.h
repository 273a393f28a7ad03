// Encoders of content transfer encodings, fed in pieces: quoted-printable (RFC 2045 §6.7) and base64 (§6.8).
// Thread rule: an object belongs to one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthus::mail {

/// Lines of at most 76 characters. CRLF of the input is a line end, a CR or LF alone is encoded; a '-' at the beginning of
/// a line is encoded, so that no line looks like a boundary.
class QuotedPrintableEncoder {
 public:
  void append(std::string& out, std::string_view bytes);
  /// The end of the content; adds no line end.
  void finish(std::string& out);

 private:
  void put(std::string& out, char byte);
  void literal(std::string& out, char byte);
  void escaped(std::string& out, char byte);
  void make_room(std::string& out, std::size_t length);

  std::size_t column_ = 0;
  char held_ = 0;  // a CR, space or tab whose fate the next byte decides; 0: none
};

/// Lines of 76 characters; none ends with a line end but where another follows.
class Base64Encoder {
 public:
  void append(std::string& out, std::string_view bytes);
  void finish(std::string& out);

 private:
  void put_line(std::string& out, std::string_view bytes);

  std::string held_;  // fewer bytes than make a line
  bool is_first_ = true;
};

/// Octets above 127 in text that is quoted-printable already become "=XX"; everything else stays as it is.
class HighOctetEscaper {
 public:
  void append(std::string& out, std::string_view bytes);

 private:
  std::size_t column_ = 0;
};

}  // namespace posthus::mail
