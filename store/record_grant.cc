// Keys and encoding of grants; see record_grant.h.
#include "store/record_grant.h"

#include "core/base/bytes.h"
#include "store/key.h"

namespace posthus::store {

namespace {
constexpr std::uint8_t kGrantVersion = 1;
constexpr std::size_t kAccountKey = 4;
}  // namespace

std::string grant_key(AccountId first, AccountId second) { return account_key(first) + account_key(second); }

std::optional<std::pair<AccountId, AccountId>> accounts_of_grant_key(std::string_view key) {
  if (key.size() != 2 * kAccountKey) return std::nullopt;
  const auto first = account_of_key(key.substr(0, kAccountKey)), second = account_of_key(key.substr(kAccountKey));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

// version, owner u32, delegate u32, access u8, may send u8, created i64
std::string encode_grant(const GrantRecord& grant) {
  std::string out;
  append_u8(out, kGrantVersion);
  append_u32(out, grant.owner.value);
  append_u32(out, grant.delegate.value);
  append_u8(out, static_cast<std::uint8_t>(grant.access));
  append_u8(out, grant.may_send ? 1 : 0);
  append_u64(out, static_cast<std::uint64_t>(grant.created.microseconds));
  return out;
}

Result<GrantRecord> decode_grant(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kGrantVersion;
  GrantRecord grant;
  grant.owner = AccountId(reader.u32());
  grant.delegate = AccountId(reader.u32());
  const std::uint8_t access = reader.u8();
  grant.may_send = reader.u8() != 0;
  grant.created = {static_cast<std::int64_t>(reader.u64())};
  const bool is_access = access <= static_cast<std::uint8_t>(MailboxAccess::kFull);
  if (!is_known || !is_access || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "grant");
  grant.access = static_cast<MailboxAccess>(access);
  return grant;
}

}  // namespace posthus::store
