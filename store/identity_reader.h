// Reads second factors, app passwords, administered domains and the audit log in one snapshot.
// Thread rule: as the snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/identity_records.h"
#include "store/passkey_records.h"

namespace posthus::store {

class IdentityReader {
 public:
  explicit IdentityReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<SecondFactorRecord>> second_factor(AccountId account) const;
  Result<bool> has_second_factor(AccountId account) const;
  /// At most kMaxAppPasswords, by id.
  Result<std::vector<AppPasswordRecord>> app_passwords(AccountId account) const;
  /// At most kMaxPasskeys, by id.
  Result<std::vector<PasskeyRecord>> passkeys(AccountId account) const;
  Result<std::optional<PasskeyRecord>> passkey(AccountId account, std::string_view id) const;
  /// The domains a domain admin looks after, sorted (names cut in keys aside); none of others.
  Result<std::vector<std::string>> administered(AccountId account) const;
  /// Who looks after a domain.
  Result<std::vector<AccountId>> admins_of(std::string_view domain) const;
  /// From the newest to the oldest below `before` (0: from the newest on), until `visit` has enough.
  Result<> audits(std::uint64_t before, FunctionRef<Visit(std::uint64_t number, std::string_view json)> visit) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
