// BrowserSessions: who is signed in with a browser. The browser has 256 random bits in a cookie, the server their SHA-256.
// In memory only: a restart of the server signs everybody out. Bounded: the least recently used sessions go first.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/rate_limiter.h"
#include "web-admin/passkey_challenges.h"

namespace posthus::web_admin {

inline constexpr std::chrono::seconds kSessionIdle = std::chrono::hours(4);       // a lunch and a meeting, not a night
inline constexpr std::chrono::seconds kSessionLifetime = std::chrono::hours(72);  // however busy it is
inline constexpr std::size_t kMaxSessions = 5000;                                 // some 500 bytes each
inline constexpr std::size_t kMaxSessionsPerAccount = 20;  // nobody has more browsers; who guessed a password fills no table
inline constexpr std::size_t kMaxUserAgent = 200;          // bytes kept of what a browser calls itself

struct BrowserSession {
  std::string id;  // public, 16 hex digits
  AccountId account;
  std::string login;        // canonical
  std::string credentials;  // fingerprint of the password it was opened with: another password ends it
  Timestamp created, last_used;
  std::string remote_address, user_agent;  // of the sign-in; the latter hostile
  std::string pending_factor = {};         // key of a second factor that is being set up, raw
  std::string passkey = {};                // id of the one it was opened with: without it the session ends; empty: none
  std::string passkey_handle = {};         // told to the authenticator for a passkey that is being made

  Timestamp idle_end() const;
  Timestamp end() const;  // whatever happens
};

class BrowserSessions {
 public:
  /// The clock must outlive it.
  explicit BrowserSessions(const Clock& clock)
      : clock_(clock),
        challenges_(clock),
        refusals_(clock, {.burst = 20, .microseconds_per_token = 300'000'000, .max_keys = 1000}),
        address_changes_(clock, {.burst = 200, .microseconds_per_token = 300'000'000, .max_keys = 1000}) {}

  struct Opened {
    std::string secret;  // for the cookie, nowhere else
    BrowserSession session;
  };
  /// `session` with account, login, credentials, address and agent; the rest is filled in.
  Opened open(BrowserSession session);
  /// The live session with this secret, now used. Nothing for unknown and ended ones.
  std::optional<BrowserSession> use(std::string_view secret);
  /// The account's live sessions, the last opened first.
  std::vector<BrowserSession> of(AccountId account);
  /// False when the account has no such session.
  bool close(AccountId account, std::string_view id);
  /// All of the account, but the one with the id `kept`; how many.
  std::size_t close_others(AccountId account, std::string_view kept);
  /// The account's password was changed from within this session: it stays, the others end by themselves.
  void set_credentials(std::string_view id, std::string_view credentials);
  /// The key of the second factor that is being set up in this session; empty: none any more.
  void set_pending_factor(std::string_view id, std::string_view secret);
  void set_passkey_handle(std::string_view id, std::string_view handle);
  /// Is a refusal of this account still one of the few that are written down? 20 at once, then one every five minutes.
  bool notes_refusal(AccountId account) { return refusals_.try_take(std::to_string(account.value)); }
  /// May this account make or remove one more address of its own? All are written down: nobody's shall push out what admins
  /// did. 200 at once (all that one may have, made and removed), then one every five minutes.
  bool may_change_addresses(AccountId account) { return address_changes_.try_take(std::to_string(account.value)); }
  /// Of browsers that are, or are about to be, signed in.
  PasskeyChallenges& challenges() { return challenges_; }

 private:
  bool is_over(const BrowserSession& session) const;
  void drop_ended();
  void make_room(AccountId account);

  const Clock& clock_;
  PasskeyChallenges challenges_;
  RateLimiter refusals_;
  RateLimiter address_changes_;
  std::mutex mutex_;
  std::map<std::string, BrowserSession, std::less<>> sessions_;  // by SHA-256 of the secret, raw
};

}  // namespace posthus::web_admin
