// SignInLog: who has signed in or tried to lately, newest first. In memory, and by take_unsaved() and restore() over restarts;
// bounded: what comes again from the same place in the same way is counted, not listed anew; failures and successes have lists of
// their own, so that a guesser does not push out who really was there. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"

namespace posthus::sasl {

inline constexpr std::size_t kMaxSignIns = 2000;           // of each list, some 400 bytes each
inline constexpr std::int64_t kSignInMergeSeconds = 3600;  // what comes later is a new entry
inline constexpr std::size_t kMaxSignInText = 200;         // bytes kept of a login: strangers write it

struct SignIn {
  std::uint64_t number = 0;  // the higher, the later the last of them
  Timestamp first, last;
  std::uint64_t count = 1;
  std::string login;           // canonical where the account exists, else as typed, cut
  std::string protocol;        // "imap"
  std::string mechanism;       // "PLAIN"
  std::string remote_address;  // empty: a Unix socket
  std::string result;          // "accepted", "rejected", "disabled", "throttled", "needs_code"
  std::string reason;          // why not; empty
  std::string app_password;    // id of the one that was used; empty
  bool is_tls = false;
  std::uint16_t slot = 0;  // its place among those of its list, below kMaxSignIns: what is kept is written over there

  bool is_success() const { return result == "accepted"; }
};

class SignInLog {
 public:
  /// The clock must outlive it.
  explicit SignInLog(const Clock& clock);

  /// What was kept, in any order; each stands in its slot again. REQUIRES: before the first add().
  void restore(std::vector<SignIn> kept);
  /// number, first, last, count and slot are filled in.
  void add(SignIn sign_in);
  /// Newest first.
  std::vector<SignIn> all() const;
  /// Those that have changed since they were taken, `most` at a time.
  std::vector<SignIn> take_unsaved(std::size_t most);
  /// They could not be kept: they are taken again, unless they have changed.
  void put_back(const std::vector<SignIn>& taken);

 private:
  struct Entry : SignIn {
    bool is_unsaved = true;
  };
  using Entries = std::list<Entry>;
  struct Part {
    Entries entries;
    std::unordered_map<std::string, Entries::iterator> index;  // by everything that is the same
    std::vector<std::uint16_t> free;                           // slots
  };

  Part& part_of(const SignIn& sign_in) { return sign_in.is_success() ? accepted_ : failed_; }
  /// A place for one more; that of the oldest when there is no other.
  static std::uint16_t make_room(Part& part);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::uint64_t last_number_ = 0;
  std::size_t unsaved_ = 0;
  Part accepted_, failed_;
};

}  // namespace posthus::sasl
