// Checker's walk over MTA-STS policies and TLS tallies: every record decodes and stands under its key. RFC 8461, RFC 8460.
#include "store/check.h"
#include "store/long_value.h"
#include "store/record_tls.h"

namespace posthus::store {

void Checker::check_tls() {
  const auto is_first_row = [](std::string_view key) { return key.ends_with(std::string_view("\0\0\0", 3)); };
  std::string buffer;
  scan(Table::kStsPolicies, "MTA-STS policies", [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return;
    const std::string_view base = key.substr(0, key.size() - 2);
    const auto value = get_long_value(snapshot_, Table::kStsPolicies, base, buffer);
    if (!value) return find("an MTA-STS policy", value.error().context);
    const auto policy = decode_sts_policy(*value);
    if (!policy || sts_policy_key(policy->domain) != base) find("an MTA-STS policy", policy ? "key" : policy.error().context);
  });
  scan(Table::kTlsTallies, "TLS tallies", [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return;
    const std::string_view base = key.substr(0, key.size() - 2);
    const auto value = get_long_value(snapshot_, Table::kTlsTallies, base, buffer);
    if (!value) return find("a TLS tally", value.error().context);
    const auto tally = decode_tls_tally(*value);
    if (!tally || tls_tally_key(tally->day, tally->domain) != base) find("a TLS tally", tally ? "key" : tally.error().context);
  });
}

}  // namespace posthus::store
