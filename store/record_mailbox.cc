// Encodings of a mailbox's records; see record_mailbox.h.
#include "store/record_mailbox.h"

#include "core/base/bytes.h"
#include "core/base/check.h"

namespace posthus::store {

namespace {
constexpr std::uint8_t kMailboxVersion = 1;
}

// version, mailbox u32, account u32, uid validity u32, uid next u32, recent from u32, highest ModSeq u64, messages u32,
// unseen u32, deleted u32, bytes u64, special use u8, name to the end
void encode_mailbox_record(const MailboxRecord& record, std::string& out) {
  out.clear();
  append_u8(out, kMailboxVersion);
  append_u32(out, record.mailbox.value);
  append_u32(out, record.account.value);
  append_u32(out, record.uid_validity);
  append_u32(out, record.uid_next.value);
  append_u32(out, record.recent_from.value);
  append_u64(out, record.highest_modseq.value);
  append_u32(out, record.messages);
  append_u32(out, record.unseen);
  append_u32(out, record.deleted);
  append_u64(out, record.bytes);
  append_u8(out, static_cast<std::uint8_t>(record.special_use));
  out.append(record.name);
}

Result<MailboxRecord> decode_mailbox_record(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kMailboxVersion) return fail(ErrorKind::kCorrupt, "mailbox record version");
  MailboxRecord record;
  record.mailbox = MailboxId(reader.u32());
  record.account = AccountId(reader.u32());
  record.uid_validity = reader.u32();
  record.uid_next = Uid(reader.u32());
  record.recent_from = Uid(reader.u32());
  record.highest_modseq = ModSeq(reader.u64());
  record.messages = reader.u32();
  record.unseen = reader.u32();
  record.deleted = reader.u32();
  record.bytes = reader.u64();
  const std::uint8_t special_use = reader.u8();
  if (!reader.ok() || special_use > static_cast<std::uint8_t>(SpecialUse::kArchive)) {
    return fail(ErrorKind::kCorrupt, "mailbox record");
  }
  record.special_use = static_cast<SpecialUse>(special_use);
  record.name = reader.rest();
  return record;
}

// version, count u8, then each name as length u8 and bytes
std::string encode_keywords(const std::vector<std::string>& names) {
  CHECK(names.size() <= kMaxKeywordsPerMailbox);
  std::string out;
  append_u8(out, kMailboxVersion);
  append_u8(out, static_cast<std::uint8_t>(names.size()));
  for (const std::string& name : names) {
    CHECK(name.size() <= kMaxKeywordLength);
    append_u8(out, static_cast<std::uint8_t>(name.size()));
    out.append(name);
  }
  return out;
}

Result<std::vector<std::string>> decode_keywords(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kMailboxVersion) return fail(ErrorKind::kCorrupt, "keywords version");
  const std::size_t count = reader.u8();
  if (count > kMaxKeywordsPerMailbox) return fail(ErrorKind::kCorrupt, "keywords count");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.emplace_back(reader.take(reader.u8()));
  if (!reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "keywords");
  for (const std::string& name : names) {
    if (name.size() > kMaxKeywordLength) return fail(ErrorKind::kCorrupt, "keyword length");
  }
  return names;
}

// version, when u40 (seconds), count u8, then first u32 and last u32 of each range
std::string encode_expunged_row(const ExpungedRow& row) {
  CHECK(row.uids.size() <= kExpungedRangesPerRow);
  std::string out;
  out.reserve(7 + row.uids.size() * 8);
  append_u8(out, kMailboxVersion);
  append_big_endian(out, static_cast<std::uint64_t>(row.when.seconds()), 5);
  append_u8(out, static_cast<std::uint8_t>(row.uids.size()));
  for (const UidRange& range : row.uids) {
    append_u32(out, range.first.value);
    append_u32(out, range.last.value);
  }
  return out;
}

Result<ExpungedRow> decode_expunged_row(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kMailboxVersion) return fail(ErrorKind::kCorrupt, "expunged row version");
  ExpungedRow row;
  row.when = Timestamp::from_seconds(static_cast<std::int64_t>(reader.big_endian(5)));
  const std::size_t count = reader.u8();
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const UidRange range{Uid(reader.u32()), Uid(reader.u32())};
    if (range.first > range.last || (range.first.value <= previous)) return fail(ErrorKind::kCorrupt, "expunged row order");
    previous = range.last.value;
    row.uids.push_back(range);
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "expunged row");
  return row;
}

}  // namespace posthus::store
