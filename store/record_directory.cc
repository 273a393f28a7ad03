// Encodings of the directory's records; see record_directory.h.
#include "store/record_directory.h"

#include "core/base/bytes.h"
#include "store/record_fields.h"

namespace posthus::store {

namespace {

constexpr std::uint8_t kDirectoryVersion = 1;
// Of domains and users, since mail leaves; rows of version 1 are read, with defaults for what they do not have.
constexpr std::uint8_t kSecondVersion = 2;
constexpr std::uint8_t kSharedUserVersion = 3;  // of a shared account only: others stay as they are
constexpr std::uint8_t kKeylessVersion = 3;     // of a domain that is to have no DKIM keys, likewise
constexpr std::uint8_t kTotalVersion = 4;       // of a domain with limits as a whole, likewise

bool has_any(const SendLimits& limits) { return limits.messages_per_day || limits.new_recipients_per_day; }
constexpr std::uint8_t kAliasedVersion = 5;     // of a domain that is another's alias, or whose users may make addresses
constexpr std::uint8_t kOwnedAliasVersion = 3;  // of an address that a user made for himself

/// has u8, value u32, twice
void append_limits(std::string& out, const SendLimits& limits) {
  for (const auto& limit : {limits.messages_per_day, limits.new_recipients_per_day}) {
    append_u8(out, limit ? 1 : 0);
    append_u32(out, limit.value_or(0));
  }
}
SendLimits read_limits(ByteReader& reader) {
  SendLimits limits;
  for (auto* limit : {&limits.messages_per_day, &limits.new_recipients_per_day}) {
    const bool has_value = reader.u8() != 0;
    const std::uint32_t value = reader.u32();
    if (has_value) *limit = value;
  }
  return limits;
}

/// An enumerator; the reader is broken (kCorrupt) when there is none of that number.
template <class Enum>
Result<Enum> read_enum(ByteReader& reader, Enum last, const char* what) {
  const std::uint8_t value = reader.u8();
  if (value > static_cast<std::uint8_t>(last)) return fail(ErrorKind::kCorrupt, what);
  return static_cast<Enum>(value);
}

}  // namespace

// version, name, disabled u8, default quota u64, retention u32, created i64;
// since version 2: kind u8, checks recipients u8, language u8, limits; version 3 is a domain without keys;
// since version 4: without keys u8, limits of the whole; since version 5: alias of, own aliases u32
std::string encode_domain_record(const DomainRecord& record) {
  const bool is_aliased = !record.alias_of.empty() || record.own_aliases != 0;
  std::string out;
  const bool has_total = has_any(record.total_limits);
  const std::uint8_t version = record.is_without_keys ? kKeylessVersion : kSecondVersion;
  append_u8(out, is_aliased ? kAliasedVersion : has_total ? kTotalVersion : version);
  append_text(out, record.name);
  append_u8(out, record.is_disabled ? 1 : 0);
  append_u64(out, record.default_quota_bytes);
  append_u32(out, record.pop3_retention_days);
  append_timestamp(out, record.created);
  append_u8(out, static_cast<std::uint8_t>(record.kind));
  append_u8(out, record.checks_recipients ? 1 : 0);
  append_u8(out, static_cast<std::uint8_t>(record.language));
  append_limits(out, record.limits);
  if (!has_total && !is_aliased) return out;
  append_u8(out, record.is_without_keys ? 1 : 0);
  append_limits(out, record.total_limits);
  if (!is_aliased) return out;
  append_text(out, record.alias_of);
  append_u32(out, record.own_aliases);
  return out;
}

Result<DomainRecord> decode_domain_record(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version < kDirectoryVersion || version > kAliasedVersion) return fail(ErrorKind::kCorrupt, "domain record version");
  DomainRecord record;
  record.is_without_keys = version == kKeylessVersion;
  record.name = reader.text();
  record.is_disabled = reader.u8() != 0;
  record.default_quota_bytes = reader.u64();
  record.pop3_retention_days = reader.u32();
  record.created = read_timestamp(reader);
  if (version != kDirectoryVersion) {
    record.kind = POSTHUS_TRY(read_enum(reader, DomainKind::kRelay, "domain record kind"));
    record.checks_recipients = reader.u8() != 0;
    record.language = POSTHUS_TRY(read_enum(reader, mail::ReportLanguage::kNorwegian, "domain record language"));
    record.limits = read_limits(reader);
  }
  if (version >= kTotalVersion) {
    record.is_without_keys = reader.u8() != 0;
    record.total_limits = read_limits(reader);
  }
  if (version == kTotalVersion && !has_any(record.total_limits)) {
    return fail(ErrorKind::kCorrupt, "domain record without limits of the whole");
  }
  if (version == kAliasedVersion) {
    record.alias_of = reader.text();
    record.own_aliases = reader.u32();
  }
  return finished(reader, std::move(record), "domain record");
}

// version, account u32, inbox u32, disabled u8, role u8, quota u64, has retention u8, retention u32, created i64,
// scram iterations u32, then texts: address, password hash, scram salt, stored key, server key;
// since version 2: forward addresses, keeps copy u8, limits; version 3 is a shared account
std::string encode_user_record(const UserRecord& record) {
  std::string out;
  append_u8(out, record.is_shared ? kSharedUserVersion : kSecondVersion);
  append_u32(out, record.account.value);
  append_u32(out, record.inbox.value);
  append_u8(out, record.is_disabled ? 1 : 0);
  append_u8(out, static_cast<std::uint8_t>(record.role));
  append_u64(out, record.quota_bytes);
  append_u8(out, record.pop3_retention_days ? 1 : 0);
  append_u32(out, record.pop3_retention_days.value_or(0));
  append_timestamp(out, record.created);
  append_u32(out, record.scram_iterations);
  append_text(out, record.address);
  append_text(out, record.password_hash);
  append_text(out, record.scram_salt);
  append_text(out, record.scram_stored_key);
  append_text(out, record.scram_server_key);
  append_texts(out, record.forward_to);
  append_u8(out, record.keeps_copy ? 1 : 0);
  append_limits(out, record.limits);
  return out;
}

Result<UserRecord> decode_user_record(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version < kDirectoryVersion || version > kSharedUserVersion) return fail(ErrorKind::kCorrupt, "user record version");
  UserRecord record;
  record.is_shared = version == kSharedUserVersion;
  record.account = AccountId(reader.u32());
  record.inbox = MailboxId(reader.u32());
  record.is_disabled = reader.u8() != 0;
  record.role = POSTHUS_TRY(read_enum(reader, Role::kDomainAdmin, "user record role"));
  record.quota_bytes = reader.u64();
  const bool has_retention = reader.u8() != 0;
  const std::uint32_t retention = reader.u32();
  if (has_retention) record.pop3_retention_days = retention;
  record.created = read_timestamp(reader);
  record.scram_iterations = reader.u32();
  record.address = reader.text();
  record.password_hash = reader.text();
  record.scram_salt = reader.text();
  record.scram_stored_key = reader.text();
  record.scram_server_key = reader.text();
  if (version != kDirectoryVersion) {
    record.forward_to = read_texts(reader);
    record.keeps_copy = reader.u8() != 0;
    record.limits = read_limits(reader);
  }
  return finished(reader, std::move(record), "user record");
}

// version, bytes u64, messages u64
std::string encode_usage(const Usage& usage) {
  std::string out;
  out.reserve(17);
  append_u8(out, kDirectoryVersion);
  append_u64(out, usage.bytes);
  append_u64(out, usage.messages);
  return out;
}

Result<Usage> decode_usage(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kDirectoryVersion) return fail(ErrorKind::kCorrupt, "usage version");
  Usage usage;
  usage.bytes = reader.u64();
  usage.messages = reader.u64();
  return finished(reader, usage, "usage");
}

// version, address, targets, created i64; version 2 is a group: display name, writers u8; version 3 is a user's own: account u32
std::string encode_alias_record(const AliasRecord& record) {
  const bool is_owned = record.owner.value != 0 && !record.group;
  std::string out;
  append_u8(out, is_owned ? kOwnedAliasVersion : record.group ? kSecondVersion : kDirectoryVersion);
  append_text(out, record.address);
  append_texts(out, record.targets);
  append_timestamp(out, record.created);
  if (is_owned) append_u32(out, record.owner.value);
  if (!record.group) return out;
  append_text(out, record.group->display_name);
  append_u8(out, static_cast<std::uint8_t>(record.group->writers));
  return out;
}

Result<AliasRecord> decode_alias_record(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version < kDirectoryVersion || version > kOwnedAliasVersion) return fail(ErrorKind::kCorrupt, "alias record version");
  AliasRecord record;
  record.address = reader.text();
  record.targets = read_texts(reader);
  record.created = read_timestamp(reader);
  if (version == kSecondVersion) {
    record.group.emplace();
    record.group->display_name = reader.text();
    record.group->writers = POSTHUS_TRY(read_enum(reader, GroupWriters::kDomain, "group writers"));
  }
  if (version == kOwnedAliasVersion) record.owner = AccountId(reader.u32());
  return finished(reader, std::move(record), "alias record");
}

// version, id, name, secret hash, scopes, has expiry u8, expires i64, created i64
std::string encode_token_record(const TokenRecord& record) {
  std::string out;
  append_u8(out, kDirectoryVersion);
  append_text(out, record.id);
  append_text(out, record.name);
  append_text(out, record.secret_hash);
  append_texts(out, record.scopes);
  append_u8(out, record.expires ? 1 : 0);
  append_timestamp(out, record.expires.value_or(Timestamp{}));
  append_timestamp(out, record.created);
  return out;
}

Result<TokenRecord> decode_token_record(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kDirectoryVersion) return fail(ErrorKind::kCorrupt, "token record version");
  TokenRecord record;
  record.id = reader.text();
  record.name = reader.text();
  record.secret_hash = reader.text();
  record.scopes = read_texts(reader);
  const bool has_expiry = reader.u8() != 0;
  const Timestamp expires = read_timestamp(reader);
  if (has_expiry) record.expires = expires;
  record.created = read_timestamp(reader);
  return finished(reader, std::move(record), "token record");
}

}  // namespace posthus::store
