// OpenSessions: who is signed in on which connections, so that all of an account can be ended when somebody locks it out.
// Thread rule: any thread. A session that signs in at the very moment its account is locked out may slip through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/session/waker.h"

namespace posthus::session {

class OpenSessions {
  using ByAccount = std::multimap<std::uint32_t, Waker>;

 public:
  /// A session's entry; gone with it. REQUIRES: the registry outlives it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : sessions_(std::exchange(other.sessions_, nullptr)), entry_(other.entry_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      if (this == &other) return *this;
      leave();
      sessions_ = std::exchange(other.sessions_, nullptr);
      entry_ = other.entry_;
      return *this;
    }
    ~Ticket() { leave(); }

   private:
    friend class OpenSessions;
    Ticket(OpenSessions& sessions, ByAccount::iterator entry) : sessions_(&sessions), entry_(entry) {}
    void leave() {
      if (OpenSessions* const left = std::exchange(sessions_, nullptr)) left->remove(entry_);
    }
    OpenSessions* sessions_ = nullptr;
    ByAccount::iterator entry_;
  };

  Ticket add(std::uint32_t account, Waker waker) {
    const std::lock_guard lock(mutex_);
    return Ticket(*this, entries_.emplace(account, std::move(waker)));
  }

  /// All sessions of the account end as soon as they wait for their clients.
  void end(std::uint32_t account) {
    std::vector<Waker> wakers;  // WHY not under the lock: the last handle of a connection may die with its entry
    {
      const std::lock_guard lock(mutex_);
      const auto [first, last] = entries_.equal_range(account);
      for (auto entry = first; entry != last; ++entry) wakers.push_back(entry->second);
    }
    for (const Waker& waker : wakers) waker.end();
  }

 private:
  void remove(ByAccount::iterator entry) {
    ByAccount::node_type gone;  // dies after the lock
    const std::lock_guard lock(mutex_);
    gone = entries_.extract(entry);
  }

  std::mutex mutex_;
  ByAccount entries_;
};

}  // namespace posthus::session
