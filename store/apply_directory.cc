// Domains, aliases and tokens. Users are in apply_user.cc.
#include <algorithm>

#include "store/alias_domain.h"
#include "store/apply_kinds.h"
#include "store/canonical_address.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/mailbox_lifecycle.h"
#include "store/queue_rows.h"
#include "store/record_certificate.h"
#include "store/record_directory.h"
#include "store/record_dns_check.h"
#include "store/rows.h"
#include "store/run_time_settings.h"

namespace posthus::store {

namespace {

constexpr std::size_t kMaxTokenRecord = 1500;  // one row, with room for its key

/// Errors: kInvalid, kTooLarge.
Result<std::vector<std::string>> alias_targets(const std::vector<std::string>& targets) {
  if (targets.empty()) return fail(ErrorKind::kInvalid, "alias without targets");
  if (targets.size() > kMaxAliasTargets)
    return fail(ErrorKind::kTooLarge, "alias with more than " + std::to_string(kMaxAliasTargets) + " targets");
  return normalised_targets(targets);
}

/// Errors: kInvalid, kTooLarge.
Result<> check_group(const GroupTraits& group, const CanonicalAddress& address) {
  if (address.is_catch_all) return fail(ErrorKind::kInvalid, "a catch-all is no group");
  if (group.display_name.size() > kMaxGroupName) return fail(ErrorKind::kTooLarge, "the name of group " + address.text);
  const bool is_text = std::ranges::none_of(
      group.display_name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F; });
  return is_text ? Result<>{} : fail(ErrorKind::kInvalid, "the name of group " + address.text);
}

/// Of an alias: that what it is an alias of has mailboxes; and that no domain becomes one or stops being one.
Result<> check_alias(const Snapshot& snapshot, const DomainRecord& domain, const std::optional<DomainRecord>& before) {
  if (before && before->alias_of != domain.alias_of)
    return fail(ErrorKind::kInvalid, domain.name + " does not change into an alias");
  if (domain.alias_of.empty()) return {};
  if (domain.kind != DomainKind::kMailboxes) return fail(ErrorKind::kInvalid, "a relay domain is no alias");
  if (domain.own_aliases != 0) return fail(ErrorKind::kInvalid, domain.name + " has no users");
  return check_mailbox_domain(snapshot, domain.alias_of);
}

// Else they would be ordered and renewed for ever.
Result<> erase_orders(WriteTransaction& transaction, const std::string& domain) {
  for (const std::string& name : POSTHUS_TRY(CertificateReader(transaction).ordered_names_of(domain))) {
    POSTHUS_TRY_VOID(erase_long_value(transaction, Table::kCertificates, certificate_key(name)));
  }
  return {};
}

// Those of a domain of ours, secrets among them. What is said of a destination holds whoever looks after it.
Result<> erase_settings(WriteTransaction& transaction, const std::string& domain) {
  for (const RunTimeSetting& setting : run_time_settings()) {
    if (!setting.is_per_destination || setting.name.starts_with("queue.")) continue;
    POSTHUS_TRY_VOID(erase_long_value(transaction, Table::kSettings, setting_key(std::string(setting.name) + "@" + domain)));
  }
  return {};
}

}  // namespace

Result<> check_without_addresses(const Snapshot& snapshot, const std::string& name) {
  const std::string prefix = address_prefix(name);
  if (POSTHUS_TRY(has_prefix(snapshot, Table::kLogins, prefix))) return fail(ErrorKind::kExists, name + " has users");
  if (POSTHUS_TRY(has_prefix(snapshot, Table::kAliases, prefix))) return fail(ErrorKind::kExists, name + " has aliases");
  if (POSTHUS_TRY(has_prefix(snapshot, Table::kMeta, std::string(meta::kRemovingPrefix) + prefix))) {
    return fail(ErrorKind::kExists, name + " has users who are being removed");
  }
  return {};
}

Result<> check_empty(const Snapshot& snapshot, const std::string& name) {
  POSTHUS_TRY_VOID(check_without_addresses(snapshot, name));
  const auto aliases = POSTHUS_TRY(alias_domains_of(snapshot, name));
  if (!aliases.empty()) return fail(ErrorKind::kExists, aliases.front().name + " is an alias of " + name);
  return {};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDomain& request) {
  DomainRecord domain = request.domain;
  domain.name = POSTHUS_TRY(mail::normalise_domain(request.domain.name));
  const auto before = POSTHUS_TRY(get_domain(context.transaction, domain.name));
  if (request.rule == PutRule::kCreate && before) return fail(ErrorKind::kExists, domain.name);
  if (request.rule == PutRule::kReplace && !before) return fail(ErrorKind::kNotFound, domain.name);
  if (!domain.alias_of.empty()) domain.alias_of = POSTHUS_TRY(mail::normalise_domain(domain.alias_of));
  POSTHUS_TRY_VOID(check_alias(context.transaction, domain, before));
  if (domain.own_aliases > kMaxOwnAliases) return fail(ErrorKind::kTooLarge, "addresses of one's own");
  // WHY: mail of a relay domain goes to its primary; a mailbox here would never get any.
  if (before && domain.kind == DomainKind::kRelay) POSTHUS_TRY_VOID(check_empty(context.transaction, domain.name));
  if (before) domain.created = before->created;
  domain.is_without_keys = before && before->is_without_keys;
  if (domain.created == Timestamp{}) domain.created = context.now;
  POSTHUS_TRY_VOID(context.transaction.put(Table::kDomains, domain_key(domain.name), encode_domain_record(domain)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveDomain& request) {
  const std::string name = POSTHUS_TRY(mail::normalise_domain(request.name));
  if (!POSTHUS_TRY(get_domain(context.transaction, name))) return fail(ErrorKind::kNotFound, name);
  POSTHUS_TRY_VOID(check_empty(context.transaction, name));
  // The number of a domain's keys is bounded (apply_settings.cc), so they go at once.
  POSTHUS_TRY(erase_prefix(context.transaction, Table::kDkimKeys, dkim_key_prefix(name), SIZE_MAX));
  POSTHUS_TRY_VOID(erase_administrators(context.transaction, name));
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kDnsChecks, dns_check_key(name)));
  POSTHUS_TRY_VOID(erase_settings(context.transaction, name));
  POSTHUS_TRY_VOID(erase_orders(context.transaction, name));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kDomains, domain_key(name)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAlias& request) {
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.alias.address, CatchAll::kAllow));
  AliasRecord alias{address.text, POSTHUS_TRY(alias_targets(request.alias.targets)), request.alias.created, request.alias.group,
                    AccountId{}};  // what an admin changes is his from then on
  if (alias.group) POSTHUS_TRY_VOID(check_group(*alias.group, address));
  POSTHUS_TRY_VOID(check_mailbox_domain(context.transaction, address.domain));
  const auto before = POSTHUS_TRY(get_alias(context.transaction, address.lookup));
  if (request.rule == PutRule::kCreate) {
    if (before) return fail(ErrorKind::kExists, address.text);
    if (!address.is_catch_all && POSTHUS_TRY(get_login(context.transaction, address.lookup))) {
      return fail(ErrorKind::kExists, address.text + " is a user");
    }
  } else if (!before || before->group.has_value() != alias.group.has_value()) {
    return fail(ErrorKind::kNotFound, address.text);  // neither becomes the other
  }
  if (before) alias.created = before->created;
  if (alias.created == Timestamp{}) alias.created = context.now;
  POSTHUS_TRY_VOID(
      replace_long_value(context.transaction, Table::kAliases, alias_key(address.lookup), encode_alias_record(alias)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveAlias& request) {
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.address, CatchAll::kAllow));
  if (!POSTHUS_TRY(get_alias(context.transaction, address.lookup))) return fail(ErrorKind::kNotFound, address.text);
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kAliases, alias_key(address.lookup)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutToken& request) {
  if (request.token.id.empty()) return fail(ErrorKind::kInvalid, "token without id");
  TokenRecord token = request.token;
  if (token.created == Timestamp{}) token.created = context.now;
  const std::string bytes = encode_token_record(token);
  if (bytes.size() > kMaxTokenRecord) return fail(ErrorKind::kTooLarge, "token " + token.id.substr(0, 32));
  POSTHUS_TRY_VOID(context.transaction.put(Table::kTokens, token_key(token.id), bytes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveToken& request) {
  if (request.id.empty()) return fail(ErrorKind::kNotFound, "token");
  const std::string key = token_key(request.id);
  if (!POSTHUS_TRY(context.transaction.get(Table::kTokens, key)))
    return fail(ErrorKind::kNotFound, "token " + request.id.substr(0, 32));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kTokens, key));
  return WriteOutcome{};
}

}  // namespace posthus::store
