// Sealed challenges. See passkey_challenges.h.
#include "web-admin/passkey_challenges.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/base/secret.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kNonce = 16, kSealed = kNonce + 8 + 4, kSeal = 32;  // nonce, end, account; then the seal

}  // namespace

PasskeyChallenges::PasskeyChallenges(const Clock& clock) : clock_(clock), key_(random_bytes(kSeal)) {}

std::string PasskeyChallenges::seal(Purpose purpose, std::string_view browser, std::string_view text) const {
  std::string sealed;
  append_u8(sealed, static_cast<std::uint8_t>(purpose));
  append_text(sealed, browser);
  append_text(sealed, text);
  return hmac_sha256(key_, sealed);
}

std::string PasskeyChallenges::make(Purpose purpose, std::string_view browser, AccountId account) const {
  std::string challenge = random_bytes(kNonce);
  const auto life = std::chrono::microseconds(kChallengeLife).count();
  append_u64(challenge, static_cast<std::uint64_t>(clock_.now().microseconds + life));
  append_u32(challenge, account.value);
  return challenge + seal(purpose, browser, challenge);
}

std::optional<AccountId> PasskeyChallenges::account_of(Purpose purpose, std::string_view browser,
                                                       std::string_view challenge) const {
  if (browser.empty() || challenge.size() != kSealed + kSeal) return std::nullopt;
  const std::string_view text = challenge.substr(0, kSealed);
  if (!equal_in_constant_time(seal(purpose, browser, text), challenge.substr(kSealed))) return std::nullopt;
  ByteReader reader(text.substr(kNonce));
  const Timestamp end{static_cast<std::int64_t>(reader.u64())};
  if (clock_.now() >= end) return std::nullopt;
  return AccountId(reader.u32());
}

bool PasskeyChallenges::use(std::string_view challenge) {
  const std::string nonce(challenge.substr(0, kNonce));
  const Timestamp end{static_cast<std::int64_t>(ByteReader(challenge.substr(kNonce)).u64())};
  const std::lock_guard lock(mutex_);
  if (used_.size() >= kMaxUsedChallenges) std::erase_if(used_, [&](const auto& one) { return clock_.now() >= one.second; });
  // WHY refused when there is no room: a challenge that is forgotten would be good twice.
  if (used_.size() >= kMaxUsedChallenges) return false;
  return used_.emplace(nonce, end).second;
}

}  // namespace posthus::web_admin
