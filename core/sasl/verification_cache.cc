// The cache of verification_cache.h.
#include "core/sasl/verification_cache.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/base/secret.h"

namespace posthus::sasl {
namespace {
std::uint64_t beginning(std::string_view digest) { return ByteReader(digest).u64(); }
}  // namespace

VerificationCache::VerificationCache(const Clock& clock, std::chrono::seconds lifetime, std::size_t entries)
    : clock_(clock), lifetime_(lifetime), key_(random_bytes(32)), entries_(entries == 0 ? 1 : entries) {}

std::string VerificationCache::digest(std::string_view login, std::string_view password_hash, std::string_view password) const {
  std::string text;
  text.reserve(login.size() + password_hash.size() + password.size() + 12);  // no copy of the password left behind by growth
  append_text(text, login);
  append_text(text, password_hash);
  append_text(text, password);
  std::string digest = hmac_sha256(key_, text);
  wipe(text);
  return digest;
}

std::string VerificationCache::digest_of_login(std::string_view login) const { return hmac_sha256(key_, login); }

bool VerificationCache::knows(std::string_view login, std::string_view password_hash, std::string_view password) {
  const std::string wanted = digest(login, password_hash, password);
  const std::lock_guard lock(mutex_);
  const Entry* entry = entries_.find(beginning(wanted));
  return entry && equal_in_constant_time(entry->digest, wanted) && clock_.now().microseconds < entry->expires;
}

void VerificationCache::remember(std::string_view login, std::string_view password_hash, std::string_view password) {
  Entry entry;
  entry.digest = digest(login, password_hash, password);
  entry.login = digest_of_login(login);
  entry.expires = clock_.now().microseconds + lifetime_.count() * 1'000'000;
  const std::lock_guard lock(mutex_);
  entries_.touch(beginning(entry.digest)) = std::move(entry);
}

void VerificationCache::forget(std::string_view login) {
  const std::string doomed = digest_of_login(login);
  const std::lock_guard lock(mutex_);
  entries_.erase_if([&](const Entry& entry) { return entry.login == doomed; });
}

}  // namespace posthus::sasl
