// Password hashes: argon2id (RFC 9106) in the PHC string format,
// "$argon2id$v=19$m=7168,t=5,p=1$<salt>$<hash>" (base64 without padding).
// Thread rule: any thread. Evaluations block for tens of milliseconds; those that run at a time hold kEvaluationsMemoryKib
// together, the others wait, so that a burst of logins costs time and never memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sasl/authenticator.h"

namespace posthus::sasl {

inline constexpr std::size_t kArgon2SaltBytes = 16;  // RFC 9106 §3.1
inline constexpr std::size_t kArgon2HashBytes = 32;

// What a hash brought from elsewhere may ask for: a directory entry must not be able to exhaust the machine.
inline constexpr std::uint32_t kArgon2MaxMemoryKib = 64 * 1024;
inline constexpr std::uint32_t kArgon2MaxPasses = 10;
inline constexpr std::uint32_t kArgon2MaxLanes = 4;

// Two of our own at a time: they keep two cores busy, and who has logged in lately is known without an evaluation. One that
// asks for more than half of it runs alone.
inline constexpr std::uint32_t kEvaluationsMemoryKib = 16 * 1024;

struct Argon2Hash {
  std::uint32_t memory_kib = 0, passes = 0, lanes = 1;
  std::string salt, hash;  // raw bytes
};

/// Nothing for any other function or version, for malformed text and for parameters above the limits.
std::optional<Argon2Hash> parse_phc(std::string_view text);
std::string to_phc(const Argon2Hash& hash);

/// Holds the memory that evaluating `like` takes from construction (which may block; who came first goes first) to destruction.
class EvaluationPlace {
 public:
  explicit EvaluationPlace(const Argon2Hash& like);
  ~EvaluationPlace();
  EvaluationPlace(const EvaluationPlace&) = delete;
  EvaluationPlace& operator=(const EvaluationPlace&) = delete;

 private:
  const std::uint32_t memory_kib_;
};

/// Computes the hash of `password` with the parameters and salt of `like`, for which the place is. Blocks. Nothing when memory is
/// short.
std::optional<std::string> evaluate(const EvaluationPlace& place, const Argon2Hash& like, std::string_view password);

/// A new PHC string for `password` with a random salt. Blocks.
std::string make_phc(std::string_view password, const PasswordCost& cost = {});

}  // namespace posthus::sasl
