// Codes that change every 30 seconds (TOTP, RFC 6238, over HOTP, RFC 4226), with the parameters every authenticator app takes:
// HMAC-SHA-1, six digits, 30 seconds. Pure functions but for make_totp_secret. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace posthus::sasl {

inline constexpr std::int64_t kTotpSeconds = 30;  // RFC 6238 §4.1
inline constexpr std::size_t kTotpDigits = 6;
inline constexpr std::size_t kTotpSecretBytes = 20;  // RFC 4226 §4, R6: 160 bits
inline constexpr std::uint64_t kTotpTolerance = 1;   // steps before and after the present one, RFC 6238 §5.2

std::string make_totp_secret();
/// The code of a time step, with leading zeros.
std::string totp_code(std::string_view secret, std::uint64_t step);
/// The step whose code this is, of those within the tolerance around `now` and after `last_step`; nothing for a wrong code. Looks
/// at all of them whatever it finds.
std::optional<std::uint64_t> find_totp_step(std::string_view secret, std::string_view code, Timestamp now,
                                            std::uint64_t last_step);
/// RFC 4648 §6, without padding, as people type it.
std::string base32_encode(std::string_view bytes);
/// otpauth://totp/ISSUER:ACCOUNT?secret=... as authenticator apps read it off a QR code.
std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret);

}  // namespace posthus::sasl
