// Reads grants in one snapshot. Thread rule: as the snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <optional>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/grant_records.h"

namespace posthus::store {

class GrantReader {
 public:
  explicit GrantReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<GrantRecord>> grant(AccountId owner, AccountId delegate) const;
  /// What he has granted to others, by their accounts; at most kMaxGrants.
  Result<std::vector<GrantRecord>> of_owner(AccountId owner) const;
  /// What others have granted to him, by their accounts; at most kMaxGrants.
  Result<std::vector<GrantRecord>> of_delegate(AccountId delegate) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
