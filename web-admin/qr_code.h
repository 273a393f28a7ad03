// A QR code (ISO/IEC 18004) as an SVG image, through libqrencode. Thread rule: pure function.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::web_admin {

inline constexpr std::size_t kMaxQrText = 1000;  // longer ones no phone reads off a screen

/// `label`: for those who cannot see it. Errors: kTooLarge, kInvalid (empty), kUnavailable (without the library).
Result<std::string> qr_code_svg(std::string_view text, std::string_view label);

}  // namespace posthus::web_admin
