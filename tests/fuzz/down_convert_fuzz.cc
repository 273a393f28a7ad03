// LINK: posthus_core_mail
// Arbitrary bytes as a message for a 7-bit host: it is refused, or becomes 7-bit with the same parts and contents; the
// same again after a restart.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "tests/unit/core_mail/down_convert_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::mail;
  const std::string message(reinterpret_cast<const char*>(data), size);
  posthus::Result<DownConversion> conversion = DownConversion::plan(message.size(), read_from(message));
  if (!conversion) {
    CHECK(conversion.error().kind == posthus::ErrorKind::kInvalid);
    return 0;
  }
  const std::string text = convert_all(*conversion);
  CHECK(has_only_7bit(text));
  CHECK(conversion->is_needed() || text == message);
  CHECK(difference(message, text).empty());
  conversion->restart();
  CHECK(convert_all(*conversion) == text);
  return 0;
}
