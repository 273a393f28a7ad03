// Checker's walk over grants: every record decodes, stands under its key, is between two accounts that are there, and has its
// row from the other side.
#include "store/check.h"
#include "store/record_grant.h"

namespace posthus::store {

void Checker::check_grants() {
  scan(Table::kGrants, "grants", [&](std::string_view key, std::string_view value) {
    const auto grant = decode_grant(value);
    if (!grant) return find("a grant", grant.error().context);
    if (grant_key(grant->owner, grant->delegate) != key) return find("a grant", "key");
    const std::string where = "grant of account " + std::to_string(grant->owner.value);
    if (!accounts_.contains(grant->owner.value)) find(where, "there is no such account");
    if (!accounts_.contains(grant->delegate.value)) find(where, "there is no account " + std::to_string(grant->delegate.value));
    const auto back = snapshot_.get(Table::kDelegations, grant_key(grant->delegate, grant->owner));
    if (!back || !*back) find(where, "its delegate does not know of it");
  });
  scan(Table::kDelegations, "delegations", [&](std::string_view key, std::string_view value) {
    const auto accounts = accounts_of_grant_key(key);
    if (!accounts || !value.empty()) return find("a delegation", "key or value");
    const auto grant = snapshot_.get(Table::kGrants, grant_key(accounts->second, accounts->first));
    if (!grant || !*grant) find("delegation of account " + std::to_string(accounts->first.value), "nobody granted it");
  });
}

}  // namespace posthus::store
