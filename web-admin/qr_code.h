// A QR code (ISO/IEC 18004) as an SVG image, through libqrencode. Thread rule: pure function.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::web_admin {

inline constexpr std::size_t kMaxQrText = 1000;  // longer ones no phone reads off a screen

struct QrImage {
  int size = 0;      // modules a side, quiet zone included
  std::string path;  // of an SVG: the dark modules, one unit each
};

/// Errors: kTooLarge, kInvalid (empty), kUnavailable (without the library).
Result<QrImage> qr_code(std::string_view text);
/// `label`: for those who cannot see it. Errors: as qr_code.
Result<std::string> qr_code_svg(std::string_view text, std::string_view label);

}  // namespace posthus::web_admin
