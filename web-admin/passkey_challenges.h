// Challenges of passkeys (WebAuthn Level 3 §13.4.3): good for one use, for five minutes, and for one browser. Nothing is kept of
// those that are given out: each is sealed with a key of this process, so that nobody who asks for many pushes out another's.
// Only those that were used are remembered, until they end. Thread rule: any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::web_admin {

inline constexpr std::chrono::seconds kChallengeLife = std::chrono::minutes(5);  // to find the phone or the security key
inline constexpr std::size_t kMaxUsedChallenges = 20'000;  // some 100 bytes each; each has cost its user a passkey

class PasskeyChallenges {
 public:
  /// The clock must outlive it.
  explicit PasskeyChallenges(const Clock& clock);

  enum class Purpose : std::uint8_t { kRegister, kSignIn };
  /// Raw bytes. `browser`: what the browser is known by, a secret of its cookie or the id of its session. `account`: 0 when it is
  /// not known yet who signs in.
  std::string make(Purpose purpose, std::string_view browser, AccountId account) const;
  /// The account it was made for; nothing when it is not ours, of another browser, or over.
  std::optional<AccountId> account_of(Purpose purpose, std::string_view browser, std::string_view challenge) const;
  /// False: it was used before. REQUIRES: account_of() knows it.
  bool use(std::string_view challenge);

 private:
  std::string seal(Purpose purpose, std::string_view browser, std::string_view text) const;

  const Clock& clock_;
  const std::string key_;
  std::mutex mutex_;
  std::map<std::string, Timestamp, std::less<>> used_;  // until when they would be good
};

}  // namespace posthus::web_admin
