// Reads MTA-STS policies and TLS tallies; see tls_reader.h.
#include "store/tls_reader.h"

#include <string>

#include "core/base/bytes.h"
#include "store/long_value.h"
#include "store/read_long.h"
#include "store/record_tls.h"

namespace posthus::store {
namespace {

// The key of a first row ends in the NUL behind its domain and row number 0 (store/long_value.h).
bool is_first_row(std::string_view key) { return key.ends_with(std::string_view("\0\0\0", 3)); }

}  // namespace

Result<std::optional<StsPolicyRecord>> TlsReader::sts_policy(std::string_view domain) const {
  return read_long(snapshot_, Table::kStsPolicies, sts_policy_key(domain), decode_sts_policy);
}

Result<std::vector<std::string>> TlsReader::expired_sts_policies(Timestamp now, std::size_t limit) const {
  std::vector<std::string> domains;
  Result<> failure;
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kStsPolicies, {}, {}, [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return Visit::kContinue;
    const auto record = read_long(snapshot_, Table::kStsPolicies, std::string(key.substr(0, key.size() - 2)), decode_sts_policy);
    if (!record) failure = std::unexpected(record.error());
    if (record && *record && (*record)->expires <= now) domains.push_back((*record)->domain);
    return record && domains.size() < limit ? Visit::kContinue : Visit::kStop;
  }));
  POSTHUS_TRY_VOID(failure);
  return domains;
}

Result<std::optional<TlsTallyRecord>> TlsReader::tls_tally(std::uint32_t day, std::string_view domain) const {
  return read_long(snapshot_, Table::kTlsTallies, tls_tally_key(day, domain), decode_tls_tally);
}

Result<std::vector<TlsTallyRecord>> TlsReader::tls_tallies_before(std::uint32_t day, std::size_t limit) const {
  std::vector<TlsTallyRecord> tallies;
  Result<> failure;
  std::string to;
  append_u32(to, day);
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kTlsTallies, {}, to, [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return Visit::kContinue;
    auto record = read_long(snapshot_, Table::kTlsTallies, std::string(key.substr(0, key.size() - 2)), decode_tls_tally);
    if (!record) failure = std::unexpected(record.error());
    if (record && *record) tallies.push_back(*std::move(*record));
    return record && tallies.size() < limit ? Visit::kContinue : Visit::kStop;
  }));
  POSTHUS_TRY_VOID(failure);
  return tallies;
}

}  // namespace posthus::store
