// The checkpoint: see the header.
#include "store/checkpoint.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "store/segment_format.h"

namespace posthus::store {
namespace {

constexpr std::string_view kCheckpointMagic = "PSTHCKP1";
constexpr std::uint64_t kMaxCheckpointBytes = 1024 * 1024;  // two pages and a few numbers

std::string path_in(const std::string& index_directory) { return index_directory + "/checkpoint"; }

}  // namespace

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  std::string out(kCheckpointMagic);
  out.append(checkpoint.store_uuid);
  append_u64(out, checkpoint.sequence);
  append_text(out, checkpoint.meta_pages);
  append_u32(out, crc32c(out));
  return out;
}

Result<Checkpoint> decode_checkpoint(std::string_view bytes) {
  ByteReader reader(bytes);
  Checkpoint checkpoint;
  const bool is_ours = reader.take(kCheckpointMagic.size()) == kCheckpointMagic;
  checkpoint.store_uuid = reader.take(kStoreUuidBytes);
  checkpoint.sequence = reader.u64();
  checkpoint.meta_pages = reader.text();
  const std::uint32_t checksum = reader.u32();
  if (!is_ours || !reader.ok() || !reader.at_end() || checksum != crc32c(bytes.substr(0, bytes.size() - 4))) {
    return fail(ErrorKind::kCorrupt, "checkpoint");
  }
  return checkpoint;
}

Result<> write_checkpoint(const std::string& index_directory, const Checkpoint& checkpoint) {
  return write_file_durably(path_in(index_directory), encode_checkpoint(checkpoint), 0600);
}

Result<std::optional<Checkpoint>> read_checkpoint(const std::string& index_directory) {
  const auto bytes = read_file(path_in(index_directory), kMaxCheckpointBytes);
  if (!bytes && bytes.error().kind == ErrorKind::kNotFound) return std::optional<Checkpoint>();
  if (!bytes) return std::unexpected(bytes.error());
  auto checkpoint = decode_checkpoint(*bytes);
  if (!checkpoint) return fail(ErrorKind::kCorrupt, path_in(index_directory) + " is damaged");
  return std::optional<Checkpoint>(*std::move(checkpoint));
}

}  // namespace posthus::store
