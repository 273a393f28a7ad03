// Reads what accounts, domains and forwarding addresses have sent (kSending, kKnownRecipients, kSentToday) and the limits that
// hold for them, in one snapshot.
// Thread rule: as the snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/sending_record.h"
#include "store/sent_today.h"

namespace posthus::store {

/// Limits as they hold for one account: its own, or its domain's, or the server's settings, or these defaults.
struct EffectiveLimits {
  std::uint32_t messages_per_day = 1000;       // setting limits.messages_per_day
  std::uint32_t new_recipients_per_day = 200;  // setting limits.new_recipients_per_day
  // Setting limits.burst: copies in ten minutes that surprise nobody. WHY 300: a newsletter to 150 people and its correction.
  // What strangers would do with a stolen account meets new_recipients_per_day first.
  std::uint32_t burst = 300;
  /// Whose sum the account's mail counts for; empty: nobody's. WHY an account that was given more than a whole domain has by
  /// default stands apart: it must not lose that to a default, nor use it up for the others.
  std::string domain;
  /// All accounts of the domain together: its own, or the server's settings (not below what each account has by default), or
  /// these.
  std::uint32_t domain_messages_per_day = 10'000;       // setting limits.domain_messages_per_day
  std::uint32_t domain_new_recipients_per_day = 2'000;  // setting limits.domain_new_recipients_per_day
};

/// How much one address may forward in a day.
struct ForwardLimits {
  std::uint32_t forwards_per_day = 5'000;          // setting limits.forwards_per_day
  std::uint32_t domain_forwards_per_day = 10'000;  // as the domain's messages a day, counted apart
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
  /// Limits of a domain as a whole.
  Result<EffectiveLimits> domain_limits(std::string_view domain) const;
  /// Of the address that forwards, as Resolution::forwarder has it.
  Result<ForwardLimits> forward_limits(std::string_view forwarder) const;
  /// Of a domain or a forwarding address, rolled to `now`; zeros when nothing has left.
  Result<SentToday> sent_today(std::string_view name, Timestamp now) const;
  /// Of today, those where a limit was met.
  Result<std::vector<SentToday>> limits_met(Timestamp now) const;
  /// Accounts on hold.
  Result<std::vector<SendingRecord>> held() const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
