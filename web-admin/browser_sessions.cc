// Sessions of browsers. RFC 6265 carries them; the numbers follow OWASP's Session Management Cheat Sheet.
#include "web-admin/browser_sessions.h"

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/random.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretText = 43;  // in base64url
constexpr std::size_t kIdBytes = 8;

std::string key_of(std::string_view secret) { return std::string(as_view(sha256(secret))); }

Timestamp later(Timestamp time, std::chrono::seconds by) {
  return Timestamp{time.microseconds + std::chrono::microseconds(by).count()};
}

}  // namespace

Timestamp BrowserSession::idle_end() const { return std::min(later(last_used, kSessionIdle), end()); }
Timestamp BrowserSession::end() const { return later(created, kSessionLifetime); }

bool BrowserSessions::is_over(const BrowserSession& session) const { return clock_.now() >= session.idle_end(); }

void BrowserSessions::drop_ended() {
  std::erase_if(sessions_, [this](const auto& entry) { return is_over(entry.second); });
}

// Linear over at most kMaxSessions entries, and only at a sign-in, which has cost a password hash.
void BrowserSessions::make_room(AccountId account) {
  const auto is_own = [account](const auto& entry) { return entry.second.account == account; };
  const bool has_too_many = std::ranges::count_if(sessions_, is_own) >= static_cast<std::ptrdiff_t>(kMaxSessionsPerAccount);
  if (!has_too_many && sessions_.size() < kMaxSessions) return;
  auto oldest = sessions_.end();
  for (auto entry = sessions_.begin(); entry != sessions_.end(); ++entry) {
    if (has_too_many && !is_own(*entry)) continue;
    if (oldest == sessions_.end() || entry->second.last_used < oldest->second.last_used) oldest = entry;
  }
  if (oldest != sessions_.end()) sessions_.erase(oldest);
}

BrowserSessions::Opened BrowserSessions::open(BrowserSession session) {
  Opened opened{.secret = base64url_encode(random_bytes(kSecretBytes)), .session = std::move(session)};
  opened.session.id = to_hex(random_bytes(kIdBytes));
  opened.session.created = opened.session.last_used = clock_.now();
  opened.session.user_agent.resize(std::min(opened.session.user_agent.size(), kMaxUserAgent));
  const std::lock_guard lock(mutex_);
  drop_ended();
  make_room(opened.session.account);
  sessions_.emplace(key_of(opened.secret), opened.session);
  return opened;
}

std::optional<BrowserSession> BrowserSessions::use(std::string_view secret) {
  if (secret.size() != kSecretText) return std::nullopt;
  const std::string key = key_of(secret);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return std::nullopt;
  if (is_over(found->second)) {
    sessions_.erase(found);
    return std::nullopt;
  }
  // WHY: a clock that was set back must not shorten a session in use.
  found->second.last_used = std::max(found->second.last_used, clock_.now());
  return found->second;
}

std::vector<BrowserSession> BrowserSessions::of(AccountId account) {
  std::vector<BrowserSession> own;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, session] : sessions_) {
    if (session.account == account && !is_over(session)) own.push_back(session);
  }
  std::ranges::sort(own, std::greater(), [](const BrowserSession& session) { return session.created; });
  return own;
}

bool BrowserSessions::close(AccountId account, std::string_view id) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(sessions_, [&](const auto& entry) { return entry.second.account == account && entry.second.id == id; }) >
         0;
}

std::size_t BrowserSessions::close_others(AccountId account, std::string_view kept) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(sessions_, [&](const auto& entry) { return entry.second.account == account && entry.second.id != kept; });
}

void BrowserSessions::set_credentials(std::string_view id, std::string_view credentials) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, session] : sessions_) {
    if (session.id == id) session.credentials = credentials;
  }
}

void BrowserSessions::set_passkey_handle(std::string_view id, std::string_view handle) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, session] : sessions_) {
    if (session.id == id) session.passkey_handle = handle;
  }
}

void BrowserSessions::set_pending_factor(std::string_view id, std::string_view secret) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, session] : sessions_) {
    if (session.id == id) session.pending_factor = secret;
  }
}

}  // namespace posthus::web_admin
