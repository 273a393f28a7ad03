// SHA-256 and HMAC (RFC 2104) over OpenSSL's digest, CRC-32C (RFC 3720 appendix B.4 names the polynomial) by instruction
// or table. The digest is fetched once: a fetch per call costs more than hashing a short text. Any thread.
#include "core/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>
#include <utility>

#include "core/base/check.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace posthus {
namespace {

const EVP_MD* sha256_digest() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(digest != nullptr);
  return digest;
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

Context begin_sha256() {
  Context context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_DigestInit_ex2(context.get(), sha256_digest(), nullptr) == 1);
  return context;
}

Sha256Digest finish_sha256(EVP_MD_CTX* context) {
  Sha256Digest digest{};
  CHECK(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
  return digest;
}

Sha256Digest sha256_of_two(std::string_view first, std::string_view second) {
  thread_local const Context context = begin_sha256();
  CHECK(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1);
  CHECK(EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1);
  return finish_sha256(context.get());
}

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// Slicing-by-8 tables of the reflected polynomial 0x1EDC6F41.
constexpr CrcTables kCrcTables = [] {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78U : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t) {
    for (std::size_t i = 0; i < 256; ++i) tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
  }
  return tables;
}();

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) {
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  const auto byte_of = [](char c) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)); };
  for (; left >= 8; left -= 8, p += 8) {
    crc ^= byte_of(p[0]) | byte_of(p[1]) << 8 | byte_of(p[2]) << 16 | byte_of(p[3]) << 24;
    crc = kCrcTables[7][crc & 0xFF] ^ kCrcTables[6][(crc >> 8) & 0xFF] ^ kCrcTables[5][(crc >> 16) & 0xFF] ^
          kCrcTables[4][crc >> 24] ^ kCrcTables[3][byte_of(p[4])] ^ kCrcTables[2][byte_of(p[5])] ^ kCrcTables[1][byte_of(p[6])] ^
          kCrcTables[0][byte_of(p[7])];
  }
  for (; left > 0; --left, ++p) crc = (crc >> 8) ^ kCrcTables[0][(crc ^ byte_of(*p)) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t seed) {
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t crc = seed;
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto short_crc = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++p) short_crc = _mm_crc32_u8(short_crc, static_cast<std::uint8_t>(*p));
  return short_crc;
}
#endif

using CrcFunction = std::uint32_t (*)(std::string_view, std::uint32_t);

CrcFunction choose_crc32c() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_by_instruction;
#endif
  return crc32c_by_table;
}

}  // namespace

struct Sha256::State {
  Context context = begin_sha256();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1); }

Sha256Digest Sha256::finish() {
  const Sha256Digest digest = finish_sha256(state_->context.get());
  CHECK(EVP_DigestInit_ex2(state_->context.get(), nullptr, nullptr) == 1);
  return digest;
}

Sha256Digest sha256(std::string_view bytes) { return sha256_of_two(bytes, {}); }

// RFC 2104 §2: H(K XOR opad, H(K XOR ipad, text))
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlock = 64;
  std::array<char, kBlock> inner{};
  if (key.size() > kBlock) {
    const Sha256Digest short_key = sha256(key);
    std::memcpy(inner.data(), short_key.data(), short_key.size());
  } else if (!key.empty()) {
    std::memcpy(inner.data(), key.data(), key.size());
  }
  std::array<char, kBlock> outer = inner;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5C);
  const Sha256Digest first = sha256_of_two({inner.data(), kBlock}, bytes);
  const Sha256Digest second = sha256_of_two({outer.data(), kBlock}, as_view(first));
  OPENSSL_cleanse(inner.data(), kBlock);
  OPENSSL_cleanse(outer.data(), kBlock);
  return std::string(as_view(second));
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
    out.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
  return out;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static const CrcFunction function = choose_crc32c();
  return ~function(bytes, ~seed);
}

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed) { return ~crc32c_by_table(bytes, ~seed); }

}  // namespace posthus
