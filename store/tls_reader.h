// Reads MTA-STS policies and TLS tallies in one snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/tls_records.h"

namespace posthus::store {

class TlsReader {
 public:
  explicit TlsReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  /// As it was put, expired or not.
  Result<std::optional<StsPolicyRecord>> sts_policy(std::string_view domain) const;
  /// Domains whose policy has expired by `now`, at most `limit`. Cost by policies.
  Result<std::vector<std::string>> expired_sts_policies(Timestamp now, std::size_t limit) const;

  Result<std::optional<TlsTallyRecord>> tls_tally(std::uint32_t day, std::string_view domain) const;
  /// Tallies of days before `day`, oldest first, at most `limit`.
  Result<std::vector<TlsTallyRecord>> tls_tallies_before(std::uint32_t day, std::size_t limit) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
