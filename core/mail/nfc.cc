// Unicode normalization form C through libunistring. See nfc.h.
#include "core/mail/nfc.h"

#include <uninorm.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace posthus::mail {

std::string to_nfc(std::string_view utf8) {
  if (std::all_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(utf8);
  std::size_t length = 0;
  const std::unique_ptr<std::uint8_t, void (*)(void*)> normalised(
      u8_normalize(UNINORM_NFC, reinterpret_cast<const std::uint8_t*>(utf8.data()), utf8.size(), nullptr, &length), std::free);
  if (!normalised) return std::string(utf8);
  return {reinterpret_cast<const char*>(normalised.get()), length};
}

}  // namespace posthus::mail
