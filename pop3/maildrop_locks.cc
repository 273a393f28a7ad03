// See maildrop_locks.h.
#include "pop3/maildrop_locks.h"

namespace posthus::pop3 {
namespace {
constexpr std::size_t kMaxRememberedLogins = 50'000;  // then what has passed its delay is dropped: 2 MB or so
}  // namespace

MaildropLock::~MaildropLock() {
  if (locks_) locks_->unlock(account_);
}

std::optional<MaildropLock> MaildropLocks::try_lock(AccountId account) {
  const std::lock_guard guard(mutex_);
  if (!locked_.insert(account).second) return std::nullopt;
  return MaildropLock(*this, account);
}

void MaildropLocks::unlock(AccountId account) {
  const std::lock_guard guard(mutex_);
  locked_.erase(account);
}

bool MaildropLocks::note_login(AccountId account, Timestamp now, std::chrono::seconds delay) {
  if (delay.count() == 0) return true;
  const auto has_passed = [&](Timestamp last) { return now.microseconds - last.microseconds >= delay.count() * 1'000'000; };
  const std::lock_guard guard(mutex_);
  const auto found = last_login_.find(account);
  if (found != last_login_.end() && !has_passed(found->second)) return false;
  if (last_login_.size() >= kMaxRememberedLogins) {
    std::erase_if(last_login_, [&](const auto& entry) { return has_passed(entry.second); });
  }
  last_login_[account] = now;
  return true;
}

}  // namespace posthus::pop3
