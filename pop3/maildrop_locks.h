// MaildropLocks: which maildrops are open (RFC 1939 §4: exclusive access), and when each account logged in last
// (LOGIN-DELAY, RFC 2449 §6.5). One per process. Thread rule: any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::pop3 {

class MaildropLocks;

/// Holds one maildrop until it dies. REQUIRES: the MaildropLocks outlives it.
class MaildropLock {
 public:
  MaildropLock(MaildropLock&& other) noexcept : locks_(std::exchange(other.locks_, nullptr)), account_(other.account_) {}
  MaildropLock& operator=(MaildropLock&& other) = delete;
  ~MaildropLock();

 private:
  friend class MaildropLocks;
  MaildropLock(MaildropLocks& locks, AccountId account) : locks_(&locks), account_(account) {}
  MaildropLocks* locks_;
  AccountId account_;
};

class MaildropLocks {
 public:
  MaildropLocks() = default;
  MaildropLocks(const MaildropLocks&) = delete;
  MaildropLocks& operator=(const MaildropLocks&) = delete;

  /// Nothing when another session has it.
  std::optional<MaildropLock> try_lock(AccountId account);

  /// Notes a login at `now`; false (and nothing noted) when the last one was less than `delay` ago.
  bool note_login(AccountId account, Timestamp now, std::chrono::seconds delay);

 private:
  friend class MaildropLock;
  void unlock(AccountId account);

  std::mutex mutex_;
  std::unordered_set<AccountId> locked_;
  std::unordered_map<AccountId, Timestamp> last_login_;  // bounded: entries older than the delay are dropped
};

}  // namespace posthus::pop3
