// Hashes through OpenSSL, and CRC-32C for stored records.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace posthus {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Incremental SHA-256. Move-only.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(std::string_view bytes);
  /// The digest of all updates; afterwards the object is as new.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
std::string to_hex(std::string_view bytes);
inline std::string_view as_view(const Sha256Digest& d) { return {reinterpret_cast<const char*>(d.data()), d.size()}; }

/// CRC-32C (Castagnoli) of `bytes`, continuing from `seed` (0 to begin). Uses SSE 4.2 where the machine has it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
/// The same by table, on any machine; crc32c() falls back to it.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace posthus
