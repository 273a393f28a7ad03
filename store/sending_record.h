// SendingRecord: what leaves by an account's hand, counted for its limits and for noticing that somebody else uses it.
// It is written with each message, in the same transaction (AddMessage::sent). Thread rule: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace posthus::store {

inline constexpr std::int64_t kHabitWindowSeconds = 600;
inline constexpr std::size_t kMaxKnownNetworks = 12;       // home, work, train, phone; the one used least lately goes first
inline constexpr std::uint32_t kKnownRecipientDays = 180;  // then a recipient is new again

/// A client network an account has sent from, and the day it last did.
struct KnownNetwork {
  std::string network;  // "192.0.2.0/24"
  std::uint32_t day = 0;
};

/// Counts are of copies to recipients elsewhere: one message to three people is three. Days are days since 1970, UTC.
struct SendingRecord {
  AccountId account;
  std::uint32_t day = 0;  // which the next four are of
  std::uint32_t messages = 0, new_recipients = 0;
  std::uint32_t bounces = 0;   // recipients who failed for good
  std::uint32_t day_peak = 0;  // the busiest window
  Timestamp window_start;      // of the ten minutes under way
  std::uint32_t window_messages = 0;
  std::uint32_t usual_peak = 0;  // the busiest window of the days before, fading
  std::vector<KnownNetwork> networks;
  bool is_held = false;     // its mail waits until an admin releases the account
  std::string hold_reason;  // store/hold_reason.h
  Timestamp held_since;
};
inline constexpr std::size_t kMaxHoldReason = 300;  // the record must fit one row

/// What was sent with a message; part of AddMessage.
struct SentCopies {
  AccountId account;
  std::string network;                    // of the client; empty: unknown
  std::vector<std::uint64_t> recipients;  // recipient_hash of each one elsewhere, each once
  std::string hold_reason;                // not empty: this changes the account's habit; it is on hold from this message on
  std::string domain = {};                // of the account; the copies count for it as well
};

std::uint32_t day_of(Timestamp time);
/// Of an address as mail::to_string writes it.
std::uint64_t recipient_hash(std::string_view address);
/// The record as it stands at `now`: days and windows that are over are closed.
SendingRecord rolled(SendingRecord record, Timestamp now);
/// The record after `sent`, of which `new_recipients` are new.
SendingRecord counted(SendingRecord record, const SentCopies& sent, std::uint32_t new_recipients, Timestamp now);

std::string encode_sending_record(const SendingRecord& record);
Result<SendingRecord> decode_sending_record(std::string_view bytes);

}  // namespace posthus::store
