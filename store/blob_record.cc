// Encoding of the rows of kBlobs and kSegments.
#include "store/blob_record.h"

namespace posthus::store {

std::string encode_blob_record(const BlobRecord& record) {
  std::string out;
  out.reserve(28);
  append_u32(out, record.segment);
  append_u64(out, record.offset);
  append_u64(out, record.length);
  append_u32(out, record.references);
  append_u32(out, record.checksum);
  return out;
}

Result<BlobRecord> decode_blob_record(std::string_view bytes) {
  ByteReader reader(bytes);
  BlobRecord record;
  record.segment = reader.u32();
  record.offset = reader.u64();
  record.length = reader.u64();
  record.references = reader.u32();
  record.checksum = reader.u32();
  // Of format 2 a SHA-256 of the text follows.
  if (!reader.ok()) return fail(ErrorKind::kCorrupt, "blob record");
  return record;
}

std::string encode_segment_record(const SegmentRecord& record) {
  std::string out;
  append_u64(out, record.written);
  append_u64(out, record.live);
  append_u8(out, record.is_sealed ? 1 : 0);
  return out;
}

Result<SegmentRecord> decode_segment_record(std::string_view bytes) {
  ByteReader reader(bytes);
  SegmentRecord record;
  record.written = reader.u64();
  record.live = reader.u64();
  record.is_sealed = reader.u8() != 0;
  if (!reader.ok()) return fail(ErrorKind::kCorrupt, "segment record");
  return record;
}

}  // namespace posthus::store
