// SentToday: what leaves by a domain, or by an address that forwards, counted for a day's limits. One small row each, written
// with the message in the same transaction, as an account's (store/sending_record.h). Rows of days that are over go with the
// daily maintenance. Thread rule: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::store {

/// Which limit of a day was met. Part of the record: new ones go to the end.
enum class MetLimit : std::uint8_t { kNone, kMessages, kNewRecipients, kForwards };
std::string_view to_string(MetLimit met);  // "messages", ...; "" of kNone

/// Copies to recipients elsewhere; a day is of UTC. Of a domain: what its accounts sent, and, apart, what its addresses
/// forwarded, so that strangers who write to a forward use up nothing of what its people may send. Of an address: forwards only.
struct SentToday {
  std::string name;       // "example.org", "anna@example.org", "@example.org" (a catch-all); as the directory writes it
  std::uint32_t day = 0;  // since 1970, which the counts are of
  std::uint32_t messages = 0, new_recipients = 0, forwards = 0;
  MetLimit met = MetLimit::kNone;  // the first one by which something was refused today
  std::uint32_t met_limit = 0;     // what it was then
};

/// What one message adds.
struct SentMore {
  std::uint32_t messages = 0, new_recipients = 0, forwards = 0;
};

SentToday rolled(SentToday record, Timestamp now);
SentToday counted(SentToday record, const SentMore& more, Timestamp now);

/// Something was refused by a limit of a domain or a forwarding address: noted for the admins, the first one of a day, or one
/// that is higher than what was met before. kInvalid: no name, or no limit.
struct NoteLimit {
  std::string name;
  MetLimit met = MetLimit::kNone;
  std::uint32_t limit = 0;
};

std::string sent_today_key(std::string_view name);  // WHY a hash: an address may be longer than a key
std::string encode_sent_today(const SentToday& record);
Result<SentToday> decode_sent_today(std::string_view bytes);

}  // namespace posthus::store
