// Counting and encoding; see sent_today.h.
#include "store/sent_today.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "store/sending_record.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kSentTodayVersion = 1;
constexpr std::size_t kSentTodayKey = 16;  // of the name's SHA-256: no two names meet

void add(std::uint32_t& count, std::uint32_t more) {
  count = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{count} + more, UINT32_MAX));
}

}  // namespace

std::string_view to_string(MetLimit met) {
  switch (met) {
    case MetLimit::kMessages: return "messages";
    case MetLimit::kNewRecipients: return "new_recipients";
    case MetLimit::kForwards: return "forwards";
    case MetLimit::kNone: break;
  }
  return "";
}

SentToday rolled(SentToday record, Timestamp now) {
  const std::uint32_t today = day_of(now);
  if (record.day == today) return record;
  SentToday fresh;
  fresh.name = std::move(record.name);
  fresh.day = today;
  return fresh;
}

SentToday counted(SentToday record, const SentMore& more, Timestamp now) {
  record = rolled(std::move(record), now);
  add(record.messages, more.messages);
  add(record.new_recipients, more.new_recipients);
  add(record.forwards, more.forwards);
  return record;
}

std::string sent_today_key(std::string_view name) {
  const Sha256Digest digest = sha256(name);
  return std::string(as_view(digest).substr(0, kSentTodayKey));
}

// version, day u32, messages u32, new recipients u32, forwards u32, met u8, met limit u32, name
std::string encode_sent_today(const SentToday& record) {
  std::string out;
  append_u8(out, kSentTodayVersion);
  for (const std::uint32_t number : {record.day, record.messages, record.new_recipients, record.forwards})
    append_u32(out, number);
  append_u8(out, static_cast<std::uint8_t>(record.met));
  append_u32(out, record.met_limit);
  append_text(out, record.name);
  return out;
}

Result<SentToday> decode_sent_today(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kSentTodayVersion) return fail(ErrorKind::kCorrupt, "version of what was sent today");
  SentToday record;
  for (std::uint32_t* number : {&record.day, &record.messages, &record.new_recipients, &record.forwards}) *number = reader.u32();
  const std::uint8_t met = reader.u8();
  if (met > static_cast<std::uint8_t>(MetLimit::kForwards)) return fail(ErrorKind::kCorrupt, "limit of what was sent today");
  record.met = static_cast<MetLimit>(met);
  record.met_limit = reader.u32();
  record.name = reader.text();
  if (!reader.ok() || !reader.at_end() || record.name.empty()) return fail(ErrorKind::kCorrupt, "what was sent today");
  return record;
}

}  // namespace posthus::store
