// The journal: see the header.
#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "store/positioned_write.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::string_view kJournalMagic = "PSTHJNL1";
constexpr char kPut = 'P', kErase = 'E', kWrite = 'W', kReplaced = '-';
constexpr std::size_t kPutHead = 1 + 1 + 1 + 2;  // kind, table, key length, value length
/// Zeros written ahead of the last record of a file that is still short: the next syncs flush data only, no file metadata.
constexpr std::uint64_t kJournalZeroAhead = 1024 * 1024;

std::string journal_path(const std::string& directory, int number) { return directory + "/journal-" + std::to_string(number); }

std::uint64_t hash_of(Table table, std::string_view key) {
  return std::hash<std::string_view>()(key) * 31 + static_cast<std::uint64_t>(table);
}

std::string encode_head(std::uint64_t sequence, std::string_view changes, std::string_view store_uuid) {
  std::string head(kJournalMagic);
  append_u64(head, sequence);
  append_u64(head, changes.size());
  append_u32(head, crc32c(changes));
  append_u32(head, crc32c(head, crc32c(store_uuid)));
  return head;
}

struct Record {
  std::uint64_t sequence = 0;
  std::string_view changes;
};

/// The record that begins at `bytes`; nothing when there is none, or it was cut off.
std::optional<Record> decode_record(std::string_view bytes, std::string_view store_uuid) {
  ByteReader reader(bytes);
  if (reader.take(kJournalMagic.size()) != kJournalMagic) return std::nullopt;
  Record record;
  record.sequence = reader.u64();
  const std::uint64_t length = reader.u64();
  const std::uint32_t checksum = reader.u32();
  const std::uint32_t head_checksum = reader.u32();
  if (!reader.ok() || head_checksum != crc32c(bytes.substr(0, kJournalHeadBytes - 4), crc32c(store_uuid))) return std::nullopt;
  if (length > reader.rest().size()) return std::nullopt;
  record.changes = reader.take(length);
  if (crc32c(record.changes) != checksum) return std::nullopt;
  return record;
}

Result<> broken() { return fail(ErrorKind::kCorrupt, "journal record"); }

Result<> visit_row(ByteReader& reader, char kind, ChangeVisitor& visitor) {
  const std::uint8_t table = reader.u8();
  const std::uint8_t key_length = reader.u8();
  const std::uint16_t value_length = kind == kErase ? 0 : reader.u16();
  const std::string_view key = reader.take(key_length);
  const std::string_view value = reader.take(value_length);
  if (!reader.ok() || table >= static_cast<std::uint8_t>(Table::kCount)) return broken();
  if (kind == kReplaced) return {};
  return kind == kPut ? visitor.put(static_cast<Table>(table), key, value) : visitor.erase(static_cast<Table>(table), key);
}

Result<> visit_write(ByteReader& reader, ChangeVisitor& visitor) {
  const std::uint32_t segment = reader.u32();
  const std::uint64_t offset = reader.u64();
  const std::string_view bytes = reader.text();
  if (!reader.ok() || offset > INT64_MAX - bytes.size()) return broken();
  return visitor.write(segment, offset, bytes);
}

}  // namespace

void GroupChanges::clear() {
  bytes_.clear();
  last_.clear();
}

void GroupChanges::put(Table table, std::string_view key, std::string_view value) {
  if (replace(table, key, value)) return;
  last_[hash_of(table, key)] = bytes_.size();
  bytes_.push_back(kPut);
  append_u8(bytes_, static_cast<std::uint8_t>(table));
  append_u8(bytes_, static_cast<std::uint8_t>(key.size()));
  append_u16(bytes_, static_cast<std::uint16_t>(value.size()));
  bytes_.append(key).append(value);
}

/// Writes over the last put of the same row when the new value is as long; else marks that one as replaced.
bool GroupChanges::replace(Table table, std::string_view key, std::string_view value) {
  const auto found = last_.find(hash_of(table, key));
  if (found == last_.end()) return false;
  const std::size_t at = found->second;
  const std::string_view entry = std::string_view(bytes_).substr(at);
  ByteReader reader(entry.substr(1));
  const bool is_table = reader.u8() == static_cast<std::uint8_t>(table);
  const std::size_t key_length = reader.u8(), value_length = reader.u16();
  if (!is_table || entry.substr(kPutHead, key_length) != key) return false;  // another row with the same hash
  if (value_length != value.size()) {
    bytes_[at] = kReplaced;
    return false;
  }
  std::ranges::copy(value, bytes_.begin() + static_cast<std::ptrdiff_t>(at + kPutHead + key_length));
  return true;
}

void GroupChanges::erase(Table table, std::string_view key) {
  // WHY the put before stays: erasing comes after it. Only a later put must not go into its place.
  last_.erase(hash_of(table, key));
  bytes_.push_back(kErase);
  append_u8(bytes_, static_cast<std::uint8_t>(table));
  append_u8(bytes_, static_cast<std::uint8_t>(key.size()));
  bytes_.append(key);
}

void GroupChanges::write(std::uint32_t segment, std::uint64_t offset, std::span<const std::string_view> pieces) {
  std::size_t length = 0;
  for (const std::string_view piece : pieces) length += piece.size();
  CHECK(length <= UINT32_MAX);
  bytes_.push_back(kWrite);
  append_u32(bytes_, segment);
  append_u64(bytes_, offset);
  append_u32(bytes_, static_cast<std::uint32_t>(length));
  for (const std::string_view piece : pieces) bytes_.append(piece);
}

Result<> visit_changes(std::string_view changes, ChangeVisitor& visitor) {
  ByteReader reader(changes);
  while (!reader.at_end()) {
    const char kind = static_cast<char>(reader.u8());
    if (kind == kWrite) {
      POSTHUS_TRY_VOID(visit_write(reader, visitor));
    } else if (kind == kPut || kind == kErase || kind == kReplaced) {
      POSTHUS_TRY_VOID(visit_row(reader, kind, visitor));
    } else {
      return broken();
    }
  }
  return reader.ok() ? Result<>() : broken();
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory, std::string store_uuid,
                                               std::uint64_t last_sequence) {
  std::unique_ptr<Journal> journal(new Journal(std::move(store_uuid), last_sequence));
  for (int i = 0; i < 2; ++i) {
    File& file = journal->files_[i];
    file.path = journal_path(directory, i);
    file.fd = UniqueFd(::open(file.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    struct stat info{};
    if (!file.fd || ::fstat(file.fd.get(), &info) != 0) return storage_error(file.path);
    file.allocated = static_cast<std::uint64_t>(info.st_size);
  }
  return journal;
}

Result<> Journal::append(std::string_view changes) {
  std::string head = encode_head(sequence_ + 1, changes, store_uuid_);
  std::vector<iovec> pieces = {{head.data(), head.size()}, {const_cast<char*>(changes.data()), changes.size()}};
  File& file = current();
  const std::uint64_t end = position_ + head.size() + changes.size();
  if (Result<> written = pwritev_all(file.fd.get(), pieces, position_, file.path); !written) {
    // Nobody is told, nothing is synced: the group is refused, and its place written over by the next.
    written.error().kind = ErrorKind::kUnavailable;
    return written;
  }
  if (end > file.allocated) {
    static const std::string zeros(kJournalZeroAhead, '\0');
    file.allocated = pwrite_all(file.fd.get(), zeros, end, file.path) ? end + kJournalZeroAhead : end;
  }
  if (::fdatasync(file.fd.get()) != 0) return fail(ErrorKind::kIo, "sync of " + error_from_errno(errno, file.path).context);
  last_record_ = position_;
  position_ = end;
  ++sequence_;
  return {};
}

Result<> Journal::take_back() {
  CHECK(position_ > last_record_);
  File& file = current();
  POSTHUS_TRY_VOID(pwrite_all(file.fd.get(), std::string(kJournalHeadBytes, '\0'), last_record_, file.path));
  if (::fdatasync(file.fd.get()) != 0) return fail(ErrorKind::kIo, "sync of " + error_from_errno(errno, file.path).context);
  position_ = last_record_;
  --sequence_;
  return {};
}

void Journal::switch_files() {
  current_ = 1 - current_;
  position_ = last_record_ = 0;
}

Result<> read_journal(const std::string& directory, std::string_view store_uuid, std::uint64_t after,
                      FunctionRef<Result<>(std::string_view)> record) {
  std::string files[2];
  std::map<std::uint64_t, std::string_view> by_sequence;
  for (int i = 0; i < 2; ++i) {
    auto bytes = read_file(journal_path(directory, i), kMaxJournalBytes);
    if (!bytes && bytes.error().kind == ErrorKind::kNotFound) continue;
    files[i] = POSTHUS_TRY(std::move(bytes));
    std::string_view rest = files[i];
    std::uint64_t before = 0;
    while (const auto found = decode_record(rest, store_uuid)) {
      // WHY: behind the last record lie those of an earlier turn of the file.
      if (before != 0 && found->sequence != before + 1) break;
      before = found->sequence;
      if (before > after) by_sequence[before] = found->changes;
      rest.remove_prefix(kJournalHeadBytes + found->changes.size());
    }
  }
  for (const auto& [sequence, changes] : by_sequence) {
    if (sequence != after + 1) return fail(ErrorKind::kCorrupt, "the journal lacks group " + std::to_string(after + 1));
    POSTHUS_TRY_VOID(record(changes));
    after = sequence;
  }
  return {};
}

}  // namespace posthus::store
