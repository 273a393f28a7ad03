// Arbitrary bytes as header text, as a body in every encoding, and (first byte: which) in some charsets: always UTF-8.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/encoded_word.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string decoded = decode_header_text(text);
  CHECK(is_valid_utf8(decoded));
  CHECK(is_valid_utf8(fold_for_search(decoded)));
  CHECK(decode_transfer_encoding(text, "base64").size() <= size);
  CHECK(decode_transfer_encoding(text, "quoted-printable").size() <= size);
  if (size == 0) return 0;
  constexpr std::string_view kCharsets[] = {"utf-8",  "iso-8859-1", "iso-2022-jp", "gb18030", "utf-7",
                                            "utf-16", "euc-kr",     "big5",        "koi8-r",  "none"};
  CHECK(is_valid_utf8(to_utf8(text.substr(1), kCharsets[data[0] % std::size(kCharsets)])));
  return 0;
}
