// Encoding of segment files: see the header.
#include "store/segment_format.h"

#include "core/base/ascii.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"

namespace posthus::store {
namespace {

constexpr std::string_view kSegmentMagic = "PSTHSEG1";
constexpr std::string_view kRecordMagic = "PSTHREC1";
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::size_t kSegmentDigits = 10;  // any u32, and names sort as numbers

}  // namespace

std::string encode_segment_header(std::uint32_t segment, std::string_view store_uuid) {
  std::string out(kSegmentMagic);
  append_u32(out, segment);
  append_u32(out, 0);
  out.append(store_uuid);
  out.append(kSegmentHeaderBytes - 4 - out.size(), '\0');
  append_u32(out, crc32c(out));
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  ByteReader end(bytes.substr(kSegmentHeaderBytes - 4, 4));
  if (end.u32() != crc32c(bytes.substr(0, kSegmentHeaderBytes - 4))) return std::nullopt;
  ByteReader reader(bytes.substr(kSegmentMagic.size()));
  SegmentHeader header;
  header.segment = reader.u32();
  reader.u32();
  header.store_uuid = reader.take(kStoreUuidBytes);
  return header;
}

std::string encode_record_head(const RecordHead& head, std::string_view store_uuid) {
  std::string out(kRecordMagic);
  out.reserve(kRecordHeadBytes);
  append_u64(out, head.blob.value);
  append_u64(out, head.text_length);
  append_u32(out, head.text_checksum);
  append_u32(out, head.origin_length);
  append_u32(out, head.origin_checksum);
  append_u64(out, static_cast<std::uint64_t>(head.internal_date.microseconds));
  out.append(kRecordHeadBytes - 4 - out.size(), '\0');
  append_u32(out, crc32c(out, crc32c(store_uuid)));
  return out;
}

std::optional<RecordHead> decode_record_head(std::string_view bytes, std::string_view store_uuid) {
  if (bytes.size() < kRecordHeadBytes || !bytes.starts_with(kRecordMagic)) return std::nullopt;
  ByteReader end(bytes.substr(kRecordHeadBytes - 4, 4));
  if (end.u32() != crc32c(bytes.substr(0, kRecordHeadBytes - 4), crc32c(store_uuid))) return std::nullopt;
  ByteReader reader(bytes.substr(kRecordMagic.size()));
  RecordHead head;
  head.blob = BlobId(reader.u64());
  head.text_length = reader.u64();
  head.text_checksum = reader.u32();
  head.origin_length = reader.u32();
  head.origin_checksum = reader.u32();
  head.internal_date.microseconds = static_cast<std::int64_t>(reader.u64());
  return head;
}

std::uint64_t record_bytes(std::uint64_t text_length, std::uint64_t origin_length) {
  const std::uint64_t bytes = kRecordHeadBytes + text_length + origin_length;
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

std::string encode_origin(const Origin& origin) {
  std::string out;
  append_text(out, std::string_view(origin.reverse_path).substr(0, kMaxOriginBytes / 2));
  for (const Owner& owner : origin.owners) {
    std::string row;
    append_u32(row, owner.account.value);
    append_u32(row, owner.mailbox.value);
    append_u8(row, owner.flags);
    append_text(row, owner.address);
    append_text(row, owner.mailbox_name);
    if (out.size() + row.size() > kMaxOriginBytes) break;
    out.append(row);
  }
  return out;
}

Result<Origin> decode_origin(std::string_view bytes) {
  ByteReader reader(bytes);
  Origin origin;
  origin.reverse_path = reader.text();
  while (reader.ok() && !reader.at_end()) {
    Owner owner;
    owner.account = AccountId(reader.u32());
    owner.mailbox = MailboxId(reader.u32());
    owner.flags = reader.u8();
    owner.address = reader.text();
    owner.mailbox_name = reader.text();
    if (reader.ok()) origin.owners.push_back(std::move(owner));
  }
  if (!reader.ok()) return fail(ErrorKind::kCorrupt, "origin of a segment record");
  return origin;
}

std::string segment_file_name(std::uint32_t segment) {
  std::string digits = std::to_string(segment);
  return std::string(kSegmentDigits - digits.size(), '0') + digits + std::string(kSegmentSuffix);
}

std::optional<std::uint32_t> parse_segment_file_name(std::string_view name) {
  if (name.size() != kSegmentDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return std::nullopt;
  return ascii::parse_decimal<std::uint32_t>(name.substr(0, kSegmentDigits));
}

}  // namespace posthus::store
