// Encoding of passkeys; see record_passkey.h.
#include "store/record_passkey.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "store/key.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kPasskeyVersion = 1;
constexpr std::size_t kPasskeyIdBytes = 8;  // WHY so few: only passkeys of one account stand beside each other

}  // namespace

// version, account u32, id, name, relying party, user handle, credential id, public key, algorithm u32, sign count u32,
// transports u8, is backup eligible u8, created, last used, last address
std::string encode_passkey(const PasskeyRecord& record) {
  std::string out;
  append_u8(out, kPasskeyVersion);
  append_u32(out, record.account.value);
  for (const std::string* text :
       {&record.id, &record.name, &record.relying_party, &record.user_handle, &record.credential_id, &record.public_key}) {
    append_text(out, *text);
  }
  append_u32(out, static_cast<std::uint32_t>(record.algorithm));
  append_u32(out, record.sign_count);
  append_u8(out, record.transports);
  append_u8(out, record.is_backup_eligible ? 1 : 0);
  append_u64(out, static_cast<std::uint64_t>(record.created.microseconds));
  append_u64(out, static_cast<std::uint64_t>(record.last_used.microseconds));
  append_text(out, record.last_address);
  return out;
}

Result<PasskeyRecord> decode_passkey(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kPasskeyVersion;
  PasskeyRecord record;
  record.account = AccountId(reader.u32());
  for (std::string* text :
       {&record.id, &record.name, &record.relying_party, &record.user_handle, &record.credential_id, &record.public_key}) {
    *text = reader.text();
  }
  record.algorithm = static_cast<std::int32_t>(reader.u32());
  record.sign_count = reader.u32();
  record.transports = reader.u8();
  const std::uint8_t eligible = reader.u8();
  record.is_backup_eligible = eligible == 1;
  record.created.microseconds = static_cast<std::int64_t>(reader.u64());
  record.last_used.microseconds = static_cast<std::int64_t>(reader.u64());
  record.last_address = reader.text();
  if (!is_known || eligible > 1 || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "passkey");
  return record;
}

std::string passkey_id(std::string_view credential_id) {
  return to_hex(as_view(sha256(credential_id)).substr(0, kPasskeyIdBytes));
}

std::string passkey_key(AccountId account, std::string_view id) {
  // WHY as text: what is no id has a key of another length, and there is nothing under it.
  return account_key(account) + std::string(id.substr(0, 2 * kPasskeyIdBytes + 1));
}

}  // namespace posthus::store
