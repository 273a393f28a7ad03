// The rows of kBlobs and kSegments, and the names in kMeta that the Writer keeps. Key of kBlobs: blob (8 bytes); key of
// kSegments: segment number (4 bytes); both big-endian. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace posthus::store {

namespace meta_key {
inline constexpr std::string_view kFormat = "format";         // u32
inline constexpr std::string_view kNextBlob = "next_blob";    // u64, the next BlobId to give away
inline constexpr std::string_view kJournal = "journal";       // u64, sequence of the last group (journal.h)
inline constexpr std::string_view kStoreUuid = "store_uuid";  // 16 random bytes
}  // namespace meta_key

inline constexpr std::uint32_t kFormatVersion = 4;  // 2: with a journal; 3: kBlobs without a SHA-256; 4: kQueueSizes

/// Where a message text lies, and how many message records name it.
struct BlobRecord {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;  // of the text's first byte in the segment file
  std::uint64_t length = 0;  // of the text
  std::uint32_t references = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the text
};

inline std::string blob_key(BlobId blob) {
  std::string key;
  append_u64(key, blob.value);
  return key;
}
inline std::string segment_key(std::uint32_t segment) {
  std::string key;
  append_u32(key, segment);
  return key;
}

std::string encode_blob_record(const BlobRecord& record);
Result<BlobRecord> decode_blob_record(std::string_view bytes);

/// `live` counts text bytes of blobs the index names; `written` the bytes of the file up to the last named record.
struct SegmentRecord {
  std::uint64_t written = 0;
  std::uint64_t live = 0;
  bool is_sealed = false;  // nothing is appended any more
};

std::string encode_segment_record(const SegmentRecord& record);
Result<SegmentRecord> decode_segment_record(std::string_view bytes);

}  // namespace posthus::store
