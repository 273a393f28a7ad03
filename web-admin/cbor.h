// CBOR as authenticators write it (RFC 8949 §3; CTAP 2 §8): items of definite length, read one after the other without recursion.
// WHY not the JSON library's reader: it takes no numbers as keys of maps, and COSE keys have nothing else.
// Thread rule: values; the views are of the bytes it was made with.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace posthus::web_admin {

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : bytes_(bytes) {}

  // Each reads one item of its kind; nothing when the next one is another, is cut off, or has no definite length. After that the
  // reader is of no use.
  std::optional<std::int64_t> integer();  // unsigned or negative, within std::int64_t
  std::optional<std::string_view> byte_string();
  std::optional<std::string_view> text_string();  // UTF-8 is not checked
  std::optional<std::uint64_t> map();             // how many pairs follow
  /// Passes over one item, whatever it is, with all that is in it. False when it is not whole.
  bool skip();

  std::string_view rest() const { return bytes_; }

 private:
  struct Head {
    std::uint8_t major = 0;
    std::uint64_t argument = 0;
  };
  std::optional<Head> head();
  std::optional<std::string_view> string_of(std::uint8_t major);

  std::string_view bytes_;
};

}  // namespace posthus::web_admin
