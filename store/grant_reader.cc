// Reads grants; see grant_reader.h.
#include "store/grant_reader.h"

#include "store/key.h"
#include "store/record_grant.h"

namespace posthus::store {

Result<std::optional<GrantRecord>> GrantReader::grant(AccountId owner, AccountId delegate) const {
  const auto row = POSTHUS_TRY(snapshot_.get(Table::kGrants, grant_key(owner, delegate)));
  if (!row) return std::nullopt;
  return POSTHUS_TRY(decode_grant(*row));
}

Result<std::vector<GrantRecord>> GrantReader::of_owner(AccountId owner) const {
  std::vector<GrantRecord> all;
  Result<> read;
  const std::string prefix = account_key(owner);
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kGrants, prefix, end_of_prefix(prefix), [&](std::string_view, std::string_view value) {
    const auto grant = decode_grant(value);
    if (!grant) {
      read = std::unexpected(grant.error());
      return Visit::kStop;
    }
    all.push_back(*grant);
    return Visit::kContinue;
  }));
  POSTHUS_TRY_VOID(read);
  return all;
}

Result<std::vector<GrantRecord>> GrantReader::of_delegate(AccountId delegate) const {
  std::vector<AccountId> owners;
  const std::string prefix = account_key(delegate);
  POSTHUS_TRY_VOID(
      snapshot_.scan(Table::kDelegations, prefix, end_of_prefix(prefix), [&](std::string_view key, std::string_view) {
        if (const auto accounts = accounts_of_grant_key(key)) owners.push_back(accounts->second);
        return Visit::kContinue;
      }));
  std::vector<GrantRecord> all;
  all.reserve(owners.size());
  for (const AccountId owner : owners) {
    if (auto one = POSTHUS_TRY(grant(owner, delegate))) all.push_back(*one);
  }
  return all;
}

}  // namespace posthus::store
