// Counting and encoding; see sending_record.h.
#include "store/sending_record.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/mail/address.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kSendingVersion = 1;
constexpr std::int64_t kDaySeconds = 24 * 3600;
constexpr std::uint32_t kFadeDays = 64;  // by then an eighth a day has left nothing of any peak that counts

/// The busiest window of a day, an eighth less for every day that follows.
std::uint32_t faded(std::uint32_t peak, std::uint32_t days) {
  for (std::uint32_t day = 0; day < std::min(days, kFadeDays) && peak > 0; ++day) peak -= (peak + 7) / 8;
  return peak;
}

std::uint32_t plus(std::uint32_t count, std::size_t more) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{count} + more, UINT32_MAX));
}

void remember_network(SendingRecord& record, const std::string& network) {
  if (network.empty()) return;
  const auto known = std::ranges::find(record.networks, network, &KnownNetwork::network);
  if (known != record.networks.end()) {
    known->day = record.day;
    return;
  }
  if (record.networks.size() >= kMaxKnownNetworks) {
    record.networks.erase(std::ranges::min_element(record.networks, {}, &KnownNetwork::day));
  }
  record.networks.push_back({network, record.day});
}

}  // namespace

std::uint32_t day_of(Timestamp time) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(time.seconds(), 0) / kDaySeconds);
}

std::uint64_t recipient_hash(std::string_view address) {
  const auto parsed = mail::parse_mailbox(address, mail::Utf8::kAllow);
  const Sha256Digest digest = sha256(parsed ? mail::lookup_key(*parsed) : std::string(address));
  return ByteReader(as_view(digest)).u64();
}

SendingRecord rolled(SendingRecord record, Timestamp now) {
  const std::int64_t since = now.seconds() - record.window_start.seconds();
  if (since < 0 || since >= kHabitWindowSeconds) {
    record.day_peak = std::max(record.day_peak, record.window_messages);
    record.window_messages = 0;
    record.window_start = now;
  }
  const std::uint32_t today = day_of(now);
  if (record.day == today) return record;
  const std::uint32_t days = today > record.day ? today - record.day : 1;
  record.usual_peak = faded(std::max(faded(record.usual_peak, 1), record.day_peak), days - 1);
  record.day = today;
  record.messages = record.new_recipients = record.bounces = record.day_peak = 0;
  return record;
}

SendingRecord counted(SendingRecord record, const SentCopies& sent, std::uint32_t new_recipients, Timestamp now) {
  record = rolled(std::move(record), now);
  record.account = sent.account;
  record.messages = plus(record.messages, sent.recipients.size());
  record.window_messages = plus(record.window_messages, sent.recipients.size());
  record.new_recipients = plus(record.new_recipients, new_recipients);
  remember_network(record, sent.network);
  if (sent.hold_reason.empty() || record.is_held) return record;
  record.is_held = true;
  record.hold_reason = sent.hold_reason.substr(0, kMaxHoldReason);
  record.held_since = now;
  return record;
}

// version, account u32, day u32, messages u32, new recipients u32, bounces u32, day peak u32, window start i64, window
// messages u32, usual peak u32, held u8, held since i64, hold reason, count of networks u8, each: day u32, text
std::string encode_sending_record(const SendingRecord& record) {
  std::string out;
  append_u8(out, kSendingVersion);
  append_u32(out, record.account.value);
  for (const std::uint32_t count : {record.day, record.messages, record.new_recipients, record.bounces, record.day_peak}) {
    append_u32(out, count);
  }
  append_u64(out, static_cast<std::uint64_t>(record.window_start.microseconds));
  append_u32(out, record.window_messages);
  append_u32(out, record.usual_peak);
  append_u8(out, record.is_held ? 1 : 0);
  append_u64(out, static_cast<std::uint64_t>(record.held_since.microseconds));
  append_text(out, record.hold_reason);
  append_u8(out, static_cast<std::uint8_t>(record.networks.size()));
  for (const KnownNetwork& known : record.networks) {
    append_u32(out, known.day);
    append_text(out, known.network);
  }
  return out;
}

Result<SendingRecord> decode_sending_record(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kSendingVersion) return fail(ErrorKind::kCorrupt, "sending record version");
  SendingRecord record;
  record.account = AccountId(reader.u32());
  for (std::uint32_t* count : {&record.day, &record.messages, &record.new_recipients, &record.bounces, &record.day_peak}) {
    *count = reader.u32();
  }
  record.window_start.microseconds = static_cast<std::int64_t>(reader.u64());
  record.window_messages = reader.u32();
  record.usual_peak = reader.u32();
  record.is_held = reader.u8() != 0;
  record.held_since.microseconds = static_cast<std::int64_t>(reader.u64());
  record.hold_reason = reader.text();
  for (std::uint8_t left = reader.u8(); left > 0 && reader.ok(); --left) {
    const std::uint32_t day = reader.u32();
    record.networks.push_back({std::string(reader.text()), day});
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "sending record");
  return record;
}

}  // namespace posthus::store
