// How message texts lie in a segment file. The index can be rebuilt from nothing but these files.
//
//   segment header, 64 bytes:  "PSTHSEG1", segment number u32, 4 bytes 0, store UUID (16), 28 bytes 0, CRC-32C of all before
//   then records, each:        head (64 bytes), text, origin, zeros up to a multiple of 8
//   record head:               "PSTHREC1", blob u64, text length u64, text CRC-32C u32, origin length u32, origin CRC-32C u32,
//                              internal date u64 (µs), 16 bytes 0, CRC-32C of the store UUID and all before
//
// The head's checksum is seeded with the store's UUID, which no correspondent knows: a message text that contains the
// image of a record does not pass for one. The origin comes after the text, so that a spooled file becomes a segment by
// having its first bytes filled in and its end appended to. Integers are big-endian. Thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace posthus::store {

inline constexpr std::uint64_t kSegmentHeaderBytes = 64;
inline constexpr std::uint64_t kRecordHeadBytes = 64;
/// Where the text begins in a segment that holds one large message; spool files leave this room.
inline constexpr std::uint64_t kFirstTextOffset = kSegmentHeaderBytes + kRecordHeadBytes;
inline constexpr std::uint64_t kRecordAlignment = 8;
inline constexpr std::size_t kMaxOriginBytes = 64 * 1024;  // further owners of one message are left out
inline constexpr std::size_t kStoreUuidBytes = 16;

std::string encode_segment_header(std::uint32_t segment, std::string_view store_uuid);
struct SegmentHeader {
  std::uint32_t segment = 0;
  std::string store_uuid;
};
/// Nothing when the bytes are not a segment header.
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

struct RecordHead {
  BlobId blob;
  std::uint64_t text_length = 0;
  std::uint32_t text_checksum = 0;
  std::uint32_t origin_length = 0;
  std::uint32_t origin_checksum = 0;
  Timestamp internal_date;
};
std::string encode_record_head(const RecordHead& head, std::string_view store_uuid);
std::optional<RecordHead> decode_record_head(std::string_view bytes, std::string_view store_uuid);
/// Bytes from one record's head to the next one's.
std::uint64_t record_bytes(std::uint64_t text_length, std::uint64_t origin_length);

/// Whose message it was when it arrived: enough to give it back to its owner.
struct Owner {
  AccountId account;
  MailboxId mailbox;
  std::uint8_t flags = 0;
  std::string address;  // the account's
  std::string mailbox_name;
};
struct Origin {
  std::string reverse_path;
  std::vector<Owner> owners;
};
/// Owners that do not fit into kMaxOriginBytes are left out.
std::string encode_origin(const Origin& origin);
Result<Origin> decode_origin(std::string_view bytes);

/// "0000000042.seg"
std::string segment_file_name(std::uint32_t segment);
std::optional<std::uint32_t> parse_segment_file_name(std::string_view name);

}  // namespace posthus::store
