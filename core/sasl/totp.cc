// TOTP over OpenSSL's HMAC; see totp.h.
#include "core/sasl/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/random.h"
#include "core/base/secret.h"

namespace posthus::sasl {
namespace {

constexpr std::size_t kSha1Bytes = 20;

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
             bytes.size(), out.data(), &size) != nullptr);
  CHECK(size == kSha1Bytes);
  return std::string(reinterpret_cast<const char*>(out.data()), size);
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

// RFC 3986 §2.1
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

}  // namespace

std::string make_totp_secret() { return random_bytes(kTotpSecretBytes); }

// RFC 4226 §5.3: 31 bits at the place the last four bits name.
std::string totp_code(std::string_view secret, std::uint64_t step) {
  std::string counter;
  append_u64(counter, step);
  const std::string hash = hmac_sha1(secret, counter);
  const std::size_t offset = static_cast<unsigned char>(hash.back()) & 15U;
  const std::uint32_t number = ByteReader(std::string_view(hash).substr(offset)).u32() & 0x7FFFFFFFU;
  std::string digits = std::to_string(number % 1'000'000);
  digits.insert(0, kTotpDigits - digits.size(), '0');
  return digits;
}

std::optional<std::uint64_t> find_totp_step(std::string_view secret, std::string_view code, Timestamp now,
                                            std::uint64_t last_step) {
  if (code.size() != kTotpDigits || now.seconds() < kTotpSeconds) return std::nullopt;
  const auto present = static_cast<std::uint64_t>(now.seconds() / kTotpSeconds);
  std::optional<std::uint64_t> found;
  for (std::uint64_t step = present - kTotpTolerance; step <= present + kTotpTolerance; ++step) {
    const bool is_right = equal_in_constant_time(totp_code(secret, step), code);
    if (is_right && step > last_step) found = step;
  }
  return found;
}

std::string base32_encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out.push_back(kAlphabet[(buffer >> (bits - 5)) & 31U]);
    buffer &= 0xFFU;
  }
  if (bits > 0) out.push_back(kAlphabet[(buffer << (5 - bits)) & 31U]);
  return out;
}

std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret) {
  std::string uri = "otpauth://totp/";
  uri.append(percent_encoded(issuer)).append(":").append(percent_encoded(account));
  uri.append("?secret=").append(base32_encode(secret)).append("&issuer=").append(percent_encoded(issuer));
  return uri;
}

}  // namespace posthus::sasl
