// VerificationCache: which passwords have been found right lately, so that clients that log in every minute do not cost
// an argon2id evaluation each. Holds keyed hashes only, in memory only. Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/sasl/bounded_table.h"

namespace posthus::sasl {

class VerificationCache {
 public:
  /// The clock must outlive it.
  VerificationCache(const Clock& clock, std::chrono::seconds lifetime, std::size_t entries);

  /// Was `password` (prepared) verified against `password_hash` lately? A changed hash never matches.
  bool knows(std::string_view login, std::string_view password_hash, std::string_view password);
  void remember(std::string_view login, std::string_view password_hash, std::string_view password);
  /// Linear in the number of entries; for changes of a password or an account, which are rare.
  void forget(std::string_view login);

 private:
  struct Entry {
    std::string digest;        // the whole keyed hash: the table's key is only its beginning
    std::string login;         // keyed hash as well
    std::int64_t expires = 0;  // microseconds
  };
  std::string digest(std::string_view login, std::string_view password_hash, std::string_view password) const;
  std::string digest_of_login(std::string_view login) const;

  const Clock& clock_;
  const std::chrono::seconds lifetime_;
  const std::string key_;
  std::mutex mutex_;
  BoundedTable<Entry> entries_;
};

}  // namespace posthus::sasl
