// Encoding and reading of login blocks. See record_login_block.h.
#include "store/record_login_block.h"

#include "core/base/bytes.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kLoginBlockVersion = 1;

}  // namespace

bool is_login_block(const LoginBlockRecord& record) {
  return record.kind < kLoginBlockKinds && record.login.size() <= kMaxLoginBlockFieldBytes &&
         record.network.size() <= kMaxLoginBlockFieldBytes;
}

// version, kind u8, failures u32, last failure, until; login, network: each a length u8 and the text
std::string encode_login_block(const LoginBlockRecord& record) {
  std::string out;
  append_u8(out, kLoginBlockVersion);
  append_u8(out, record.kind);
  append_u32(out, record.failures);
  append_u64(out, static_cast<std::uint64_t>(record.last_failure.microseconds));
  append_u64(out, static_cast<std::uint64_t>(record.until.microseconds));
  for (const std::string* text : {&record.login, &record.network}) {
    append_u8(out, static_cast<std::uint8_t>(text->size()));
    out.append(*text);
  }
  return out;
}

Result<LoginBlockRecord> decode_login_block(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_version = reader.u8() == kLoginBlockVersion;
  LoginBlockRecord record;
  record.kind = reader.u8();
  record.failures = reader.u32();
  record.last_failure.microseconds = static_cast<std::int64_t>(reader.u64());
  record.until.microseconds = static_cast<std::int64_t>(reader.u64());
  record.login = reader.take(reader.u8());
  record.network = reader.take(reader.u8());
  if (!is_version || !is_login_block(record) || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "login block");
  return record;
}

std::string login_block_key(std::uint16_t place) {
  std::string key;
  append_u16(key, place);
  return key;
}

bool is_login_block_key(std::string_view key) {
  ByteReader reader(key);
  const std::uint16_t place = reader.u16();
  return reader.ok() && reader.at_end() && place < kMaxLoginBlocks;
}

Result<std::vector<LoginBlockRecord>> read_login_blocks(const Snapshot& snapshot) {
  std::vector<LoginBlockRecord> all;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kLoginBlocks, {}, {}, [&all](std::string_view, std::string_view value) {
    if (auto record = decode_login_block(value)) all.push_back(*std::move(record));
    return Visit::kContinue;
  }));
  return all;
}

}  // namespace posthus::store
