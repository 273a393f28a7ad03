// Who may write to a group; see group_writers.h.
#include "store/group_writers.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "store/alias_domain.h"
#include "store/resolver.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

std::string without_detail_key(const mail::Address& address) {
  return mail::lookup_key({std::string(mail::without_detail(address.local_part)), address.domain});
}

/// The lookup keys by which somebody may be a member.
Result<std::vector<std::string>> keys_of(const Snapshot& snapshot, const GroupWriter& writer) {
  std::vector<std::string> keys;
  const auto add = [&keys](const mail::Address& address) {
    keys.push_back(mail::lookup_key(address));
    keys.push_back(without_detail_key(address));
  };
  if (writer.address) add(*writer.address);
  if (writer.account.value == 0) return keys;
  const auto user = POSTHUS_TRY(get_user(snapshot, writer.account));
  if (user) add(POSTHUS_TRY(mail::parse_mailbox(user->address, mail::Utf8::kAllow)));
  return keys;
}

/// Walks a group and the aliases and groups in it, each once.
class Membership {
 public:
  Membership(const Snapshot& snapshot, std::vector<std::string> keys) : snapshot_(snapshot), keys_(std::move(keys)) {}

  Result<bool> has(const AliasRecord& group, int depth) {
    for (const std::string& target : group.targets) {
      if (seen_.size() >= kMaxExpandedAddresses) return false;
      const mail::Address named = POSTHUS_TRY(mail::parse_mailbox(target, mail::Utf8::kAllow));
      const mail::Address address = POSTHUS_TRY(at_home(snapshot_, named));
      if (POSTHUS_TRY(leads_here(mail::lookup_key(address), depth))) return true;
      if (POSTHUS_TRY(leads_here(without_detail_key(address), depth))) return true;
    }
    return false;
  }

 private:
  Result<bool> leads_here(const std::string& lookup, int depth) {
    if (std::ranges::find(keys_, lookup) != keys_.end()) return true;
    if (depth >= kMaxAliasDepth || !seen_.insert(lookup).second) return false;
    const auto inner = POSTHUS_TRY(get_alias(snapshot_, lookup));
    return inner ? has(*inner, depth + 1) : Result<bool>(false);
  }

  const Snapshot& snapshot_;
  const std::vector<std::string> keys_;
  std::unordered_set<std::string> seen_;
};

Result<bool> is_of_domain(const Snapshot& snapshot, const AliasRecord& group, const GroupWriter& writer) {
  if (writer.account.value == 0) return false;
  const std::string_view domain = std::string_view(group.address).substr(group.address.rfind('@') + 1);
  if (writer.address) return writer.address->domain == domain;
  const auto user = POSTHUS_TRY(get_user(snapshot, writer.account));
  return user && std::string_view(user->address).substr(user->address.rfind('@') + 1) == domain;
}

}  // namespace

Result<bool> may_write(const Snapshot& snapshot, const AliasRecord& group, const GroupWriter& writer) {
  if (group.group->writers == GroupWriters::kAnyone) return true;
  if (group.group->writers == GroupWriters::kDomain) return is_of_domain(snapshot, group, writer);
  if (writer.account.value == 0) {
    if (!writer.address) return false;
    // WHY: whoever is ours sends with his password; mail from elsewhere in his name is forged as often as not.
    const auto domain = POSTHUS_TRY(get_domain(snapshot, writer.address->domain));
    if (domain && domain->kind == DomainKind::kMailboxes) return false;
  }
  return Membership(snapshot, POSTHUS_TRY(keys_of(snapshot, writer))).has(group, 0);
}

}  // namespace posthus::store
