// Encodings of what proves who somebody is; see record_identity.h.
#include "store/record_identity.h"

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/record_fields.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kIdentityVersion = 1;
constexpr std::size_t kAuditRowKey = 10;  // number, row

}  // namespace

// version, account u32, secret, last step u64, created, count of hashes u8, each
std::string encode_second_factor(const SecondFactorRecord& record) {
  std::string out;
  append_u8(out, kIdentityVersion);
  append_u32(out, record.account.value);
  append_text(out, record.secret);
  append_u64(out, record.last_step);
  append_timestamp(out, record.created);
  append_u8(out, static_cast<std::uint8_t>(record.recovery_hashes.size()));
  for (const std::string& hash : record.recovery_hashes) append_text(out, hash);
  return out;
}

Result<SecondFactorRecord> decode_second_factor(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kIdentityVersion;
  SecondFactorRecord record;
  record.account = AccountId(reader.u32());
  record.secret = reader.text();
  record.last_step = reader.u64();
  record.created = read_timestamp(reader);
  for (std::uint8_t left = reader.u8(); left > 0 && reader.ok(); --left) record.recovery_hashes.emplace_back(reader.text());
  if (!is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "second factor");
  return record;
}

// version, account u32, id, name, protocols u8, secret hash, scram iterations u32, scram salt, stored key, server key, has expiry
// u8, expires, created, last used, last address
std::string encode_app_password(const AppPasswordRecord& record) {
  std::string out;
  append_u8(out, kIdentityVersion);
  append_u32(out, record.account.value);
  append_text(out, record.id);
  append_text(out, record.name);
  append_u8(out, record.protocols);
  append_text(out, record.secret_hash);
  append_u32(out, record.scram_iterations);
  append_text(out, record.scram_salt);
  append_text(out, record.scram_stored_key);
  append_text(out, record.scram_server_key);
  append_u8(out, record.expires ? 1 : 0);
  append_timestamp(out, record.expires.value_or(Timestamp{}));
  append_timestamp(out, record.created);
  append_timestamp(out, record.last_used);
  append_text(out, record.last_address);
  return out;
}

Result<AppPasswordRecord> decode_app_password(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kIdentityVersion;
  AppPasswordRecord record;
  record.account = AccountId(reader.u32());
  record.id = reader.text();
  record.name = reader.text();
  record.protocols = reader.u8();
  record.secret_hash = reader.text();
  record.scram_iterations = reader.u32();
  record.scram_salt = reader.text();
  record.scram_stored_key = reader.text();
  record.scram_server_key = reader.text();
  const bool has_expiry = reader.u8() != 0;
  const Timestamp expires = read_timestamp(reader);
  if (has_expiry) record.expires = expires;
  record.created = read_timestamp(reader);
  record.last_used = read_timestamp(reader);
  record.last_address = reader.text();
  if (!is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "app password");
  return record;
}

std::string app_password_key(AccountId account, std::string_view id) { return account_key(account) + token_key(id); }
std::string administered_key(AccountId account, std::string_view domain) { return account_key(account) + domain_key(domain); }

std::string audit_key(std::uint64_t number) {
  std::string key;
  append_u64(key, number);
  return key;
}

std::optional<std::uint64_t> number_of_audit_key(std::string_view row_key) {
  if (row_key.size() != kAuditRowKey) return std::nullopt;
  return ByteReader(row_key).u64();
}

}  // namespace posthus::store
