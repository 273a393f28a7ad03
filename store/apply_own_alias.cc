// PutOwnAlias and RemoveOwnAlias, and what goes with a user who has made addresses. RFC 2142.
#include <algorithm>
#include <array>

#include "core/base/ascii.h"
#include "store/apply_kinds.h"
#include "store/canonical_address.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/own_alias.h"
#include "store/queue_reader.h"
#include "store/record_directory.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

constexpr bool is_letter_or_digit(char c) { return ascii::is_alpha(c) || ascii::is_digit(c); }

// RFC 2142 §2-§7; names a CA may prove a domain by (CA/Browser Forum Baseline Requirements 3.2.2.4.4); names programs write from.
constexpr std::array<std::string_view, 42> kReservedNames{
    "abuse",        "admin",   "administrator", "alert",     "alerts",      "billing",  "bounce",     "bounces",
    "daemon",       "dmarc",   "dns",           "ftp",       "help",        "helpdesk", "hostmaster", "info",
    "it",           "mail",    "mailer-daemon", "marketing", "news",        "no-reply", "nobody",     "noc",
    "noreply",      "office",  "postmaster",    "root",      "sales",       "security", "ssladmin",   "ssladministrator",
    "sslwebmaster", "support", "sysadmin",      "system",    "tls-reports", "tlsrpt",   "usenet",     "uucp",
    "webmaster",    "www"};

Result<UserRecord> user_with_aliases(const Snapshot& snapshot, AccountId account) {
  auto user = POSTHUS_TRY(get_user(snapshot, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  return *std::move(user);
}

std::string_view domain_of(const UserRecord& user) { return std::string_view(user.address).substr(user.address.rfind('@') + 1); }

/// Mail about the domain goes there (setting public.reports).
Result<bool> receives_reports(const Snapshot& snapshot, std::string_view local_part, const std::string& domain) {
  const QueueReader settings(snapshot);
  auto name = POSTHUS_TRY(settings.setting("public.reports@" + domain));
  if (!name) name = POSTHUS_TRY(settings.setting("public.reports"));
  return name && ascii::equal_ignoring_case(*name, local_part);
}

Result<> check_own_alias(const Snapshot& snapshot, const UserRecord& user, const CanonicalAddress& address) {
  const auto domain = POSTHUS_TRY(get_domain(snapshot, address.domain));
  if (address.domain != domain_of(user) || !domain) return fail(ErrorKind::kInvalid, address.text + " is of another domain");
  if (user.is_shared || domain->own_aliases == 0) return fail(ErrorKind::kDenied, address.domain);
  const std::string local_part = address.text.substr(0, address.text.rfind('@'));
  if (!is_own_alias_spelling(local_part)) return fail(ErrorKind::kInvalid, address.text);
  if (is_reserved_local_part(local_part) || POSTHUS_TRY(receives_reports(snapshot, local_part, address.domain))) {
    return fail(ErrorKind::kDenied, address.text);
  }
  POSTHUS_TRY_VOID(check_new_address(snapshot, address));
  if (POSTHUS_TRY(own_aliases_of(snapshot, user)).size() >= domain->own_aliases) {
    return fail(ErrorKind::kTooLarge, std::to_string(domain->own_aliases));
  }
  return {};
}

}  // namespace

bool is_own_alias_spelling(std::string_view local_part) {
  const auto is_inner = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
  if (local_part.empty() || local_part.size() > 64 || !std::ranges::all_of(local_part, is_inner)) return false;
  return is_letter_or_digit(local_part.front()) && is_letter_or_digit(local_part.back()) && !local_part.contains("..");
}

bool is_reserved_local_part(std::string_view local_part) {
  const std::string name = ascii::to_lower(local_part);
  // RFC 2142 §6: the administrative address of a list.
  return name.ends_with("-request") || name.starts_with("owner-") ||
         std::ranges::find(kReservedNames, name) != kReservedNames.end();
}

Result<std::vector<AliasRecord>> own_aliases_of(const Snapshot& snapshot, const UserRecord& user) {
  std::vector<AliasRecord> aliases;
  const std::string prefix = address_prefix(domain_of(user));
  POSTHUS_TRY_VOID(scan_long_values(snapshot, Table::kAliases, prefix, end_of_prefix(prefix),
                                    [&](std::string_view, std::string_view value) -> Result<Visit> {
                                      AliasRecord alias = POSTHUS_TRY(decode_alias_record(value));
                                      if (alias.owner == user.account) aliases.push_back(std::move(alias));
                                      return Visit::kContinue;
                                    }));
  return aliases;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutOwnAlias& request) {
  const UserRecord user = POSTHUS_TRY(user_with_aliases(context.transaction, request.account));
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.address, CatchAll::kRefuse));
  POSTHUS_TRY_VOID(check_own_alias(context.transaction, user, address));
  const AliasRecord alias{.address = address.text, .targets = {user.address}, .created = context.now, .owner = user.account};
  POSTHUS_TRY_VOID(
      replace_long_value(context.transaction, Table::kAliases, alias_key(address.lookup), encode_alias_record(alias)));
  WriteOutcome outcome;
  outcome.account = user.account;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveOwnAlias& request) {
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.address, CatchAll::kRefuse));
  const auto alias = POSTHUS_TRY(get_alias(context.transaction, address.lookup));
  if (!alias || request.account.value == 0 || alias->owner != request.account) return fail(ErrorKind::kNotFound, address.text);
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kAliases, alias_key(address.lookup)));
  WriteOutcome outcome;
  outcome.account = request.account;
  return outcome;
}

Result<> erase_own_aliases(WriteTransaction& transaction, const UserRecord& user) {
  for (const AliasRecord& alias : POSTHUS_TRY(own_aliases_of(transaction, user))) {
    const CanonicalAddress address = POSTHUS_TRY(canonical_address(alias.address, CatchAll::kRefuse));
    POSTHUS_TRY_VOID(erase_long_value(transaction, Table::kAliases, alias_key(address.lookup)));
  }
  return {};
}

Result<> redirect_own_aliases(WriteTransaction& transaction, const UserRecord& before, const std::string& to) {
  const bool stays = to.ends_with("@" + std::string(domain_of(before)));
  for (AliasRecord& alias : POSTHUS_TRY(own_aliases_of(transaction, before))) {
    const CanonicalAddress address = POSTHUS_TRY(canonical_address(alias.address, CatchAll::kRefuse));
    alias.targets = {to};
    if (!stays) alias.owner = AccountId{};
    POSTHUS_TRY_VOID(replace_long_value(transaction, Table::kAliases, alias_key(address.lookup), encode_alias_record(alias)));
  }
  return {};
}

}  // namespace posthus::store
