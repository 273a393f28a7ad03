// Reads what accounts have sent (kSending, kKnownRecipients) and the limits that hold for them, in one snapshot.
// Thread rule: as the snapshot.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/sending_record.h"

namespace posthus::store {

/// Limits as they hold for one account: its own, or its domain's, or the server's settings, or these defaults.
struct EffectiveLimits {
  std::uint32_t messages_per_day = 1000;       // setting limits.messages_per_day
  std::uint32_t new_recipients_per_day = 200;  // setting limits.new_recipients_per_day
  // Setting limits.burst: copies in ten minutes that surprise nobody. WHY 300: a newsletter to 150 people and its correction.
  // What strangers would do with a stolen account meets new_recipients_per_day first.
  std::uint32_t burst = 300;
};

class SendingReader {
 public:
  /// REQUIRES: the snapshot outlives the reader.
  explicit SendingReader(const Snapshot& snapshot) : snapshot_(snapshot) {}
  /// Not rolled; zeros when the account has never sent.
  Result<SendingRecord> record(AccountId account) const;
  Result<bool> knows(AccountId account, std::uint64_t recipient) const;
  /// kNotFound when there is no such account.
  Result<EffectiveLimits> limits(AccountId account) const;
  /// Accounts on hold.
  Result<std::vector<SendingRecord>> held() const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
