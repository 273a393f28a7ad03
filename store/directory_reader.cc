// Reads the directory in one snapshot; see directory_reader.h. Recipients are resolved in resolver.cc.
#include "store/directory_reader.h"

#include "core/base/bytes.h"
#include "store/alias_domain.h"
#include "store/canonical_address.h"
#include "store/grant_reader.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_directory.h"
#include "store/resolver.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

/// Scans [from, to) and decodes rows into a page of at most `limit`; `name` gives an item's name for `next`.
/// `decode` gives nothing for rows that are to be passed over.
template <class T, class Decode, class Name>
Result<Page<T>> read_page(const Snapshot& snapshot, Table table, const std::string& from, const std::string& to,
                          std::size_t limit, Decode decode, Name name) {
  Page<T> page;
  Result<> outcome;
  POSTHUS_TRY_VOID(snapshot.scan(table, from, to, [&](std::string_view key, std::string_view value) {
    Result<std::optional<T>> item = decode(key, value);
    if (!item) {
      outcome = std::unexpected(std::move(item).error());
      return Visit::kStop;
    }
    if (!*item) return Visit::kContinue;
    if (page.items.size() >= limit) {
      if (!page.items.empty()) page.next = name(page.items.back());
      return Visit::kStop;
    }
    page.items.push_back(**std::move(item));
    return Visit::kContinue;
  }));
  POSTHUS_TRY_VOID(outcome);
  return page;
}

/// The key just above `key`.
std::string after_key(std::string key) {
  key.push_back('\0');
  return key;
}

/// The lookup key of what people wrote; nothing when it is no address, and hence nobody's.
std::optional<std::string> lookup_of(std::string_view address) {
  auto canonical = canonical_address(address, CatchAll::kAllow);
  if (!canonical) return std::nullopt;
  return std::move(canonical->lookup);
}

/// What the keys of a domain's addresses begin with; of all addresses when `domain` is empty. Errors: kInvalid.
Result<std::string> list_prefix(std::string_view domain) {
  if (domain.empty()) return std::string();
  return address_prefix(POSTHUS_TRY(mail::normalise_domain(domain)));
}

/// Without its plus-detail.
std::string plain_lookup(const mail::Address& address) {
  return mail::lookup_key({std::string(mail::without_detail(address.local_part)), address.domain});
}

/// Does the alias name `owner` (a plain lookup key) directly?
Result<bool> names(const Snapshot& snapshot, const AliasRecord& alias, std::string_view owner) {
  // WHY: members of a group write to each other; who answers in its name has to be somebody's decision.
  if (alias.group) return false;
  for (const std::string& target : alias.targets) {
    const auto parsed = mail::parse_mailbox(target, mail::Utf8::kAllow);
    if (!parsed) continue;
    const mail::Address address = POSTHUS_TRY(at_home(snapshot, *parsed));
    if (mail::lookup_key(address) == owner || plain_lookup(address) == owner) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<DomainRecord>> DirectoryReader::domain(std::string_view normalised_name) const {
  return get_domain(snapshot_, normalised_name);
}

Result<std::optional<UserRecord>> DirectoryReader::user(std::string_view address) const {
  const auto lookup = lookup_of(address);
  if (!lookup) return std::nullopt;
  const auto account = POSTHUS_TRY(get_login(snapshot_, *lookup));
  if (!account) return std::nullopt;
  return get_user(snapshot_, *account);
}

Result<std::optional<UserRecord>> DirectoryReader::user(AccountId account) const { return get_user(snapshot_, account); }

Result<std::optional<UserRecord>> DirectoryReader::user_of_login(std::string_view login) const {
  const auto address = mail::parse_mailbox(login, mail::Utf8::kAllow);
  if (!address) return user(login);
  return user(mail::to_string(POSTHUS_TRY(at_home(snapshot_, *address))));
}

Result<std::optional<UserRecord>> DirectoryReader::first_server_admin() const {
  std::optional<UserRecord> admin;
  Result<> read;
  const auto take = [&](std::string_view account_key) {
    const auto account = account_of_key(account_key);
    if (!account) return Visit::kContinue;
    auto user = get_user(snapshot_, *account);
    if (!user) {
      read = std::unexpected(user.error());
      return Visit::kStop;
    }
    if (!*user || (*user)->is_disabled) return Visit::kContinue;
    admin = std::move(*user);
    return Visit::kStop;
  };
  POSTHUS_TRY_VOID(
      snapshot_.scan(Table::kMeta, meta::kAdminPrefix, end_of_prefix(meta::kAdminPrefix),
                     [&take](std::string_view key, std::string_view) { return take(key.substr(meta::kAdminPrefix.size())); }));
  POSTHUS_TRY_VOID(read);
  if (admin) return admin;
  // RFC 5321 §4.5.1 knows no server without a postmaster: where nobody is an admin, the oldest user is who set it up.
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kUsers, "", "", [&take](std::string_view key, std::string_view) { return take(key); }));
  POSTHUS_TRY_VOID(read);
  return admin;
}

Result<Usage> DirectoryReader::usage(AccountId account) const { return get_usage(snapshot_, account); }

Result<std::optional<AliasRecord>> DirectoryReader::alias_of(std::string_view address, AliasKind kind) const {
  const auto lookup = lookup_of(address);
  if (!lookup) return std::nullopt;
  auto alias = POSTHUS_TRY(get_alias(snapshot_, *lookup));
  if (alias && alias->group.has_value() != (kind == AliasKind::kGroup)) return std::nullopt;
  return alias;
}

Result<std::optional<AliasRecord>> DirectoryReader::alias(std::string_view address) const {
  return alias_of(address, AliasKind::kAlias);
}

Result<std::optional<AliasRecord>> DirectoryReader::group(std::string_view address) const {
  return alias_of(address, AliasKind::kGroup);
}

Result<std::optional<TokenRecord>> DirectoryReader::token(std::string_view id) const {
  if (id.empty()) return std::nullopt;
  const auto row = POSTHUS_TRY(snapshot_.get(Table::kTokens, token_key(id)));
  if (!row) return std::nullopt;
  return POSTHUS_TRY(decode_token_record(*row));
}

Result<Resolution> DirectoryReader::resolve(const mail::Address& recipient, std::uint64_t message_size, QuotaCheck quota) const {
  return Resolver(snapshot_, message_size, quota).resolve(recipient, nullptr);
}

Result<Resolution> DirectoryReader::resolve(const mail::Address& recipient, std::uint64_t message_size,
                                            const GroupWriter& writer) const {
  GroupWriter at_its_home = writer;
  if (writer.address) at_its_home.address = POSTHUS_TRY(at_home(snapshot_, *writer.address));
  return Resolver(snapshot_, message_size, QuotaCheck::kCounts).resolve(recipient, &at_its_home);
}

Result<bool> DirectoryReader::may_send_as(AccountId account, const mail::Address& sender) const {
  if (POSTHUS_TRY(is_address_of(account, sender))) return true;
  for (const GrantRecord& grant : POSTHUS_TRY(GrantReader(snapshot_).of_delegate(account))) {
    if (!grant.may_send) continue;
    const auto owner = POSTHUS_TRY(get_user(snapshot_, grant.owner));
    if (owner && !owner->is_disabled && POSTHUS_TRY(is_address_of(grant.owner, sender))) return true;
  }
  return false;
}

Result<bool> DirectoryReader::is_address_of(AccountId account, const mail::Address& address) const {
  const auto user = POSTHUS_TRY(get_user(snapshot_, account));
  if (!user || address.local_part.empty()) return false;
  const mail::Address sender = POSTHUS_TRY(at_home(snapshot_, address));
  const mail::Address own = POSTHUS_TRY(mail::parse_mailbox(user->address, mail::Utf8::kAllow));
  const std::string own_lookup = mail::lookup_key(own), exact = mail::lookup_key(sender), plain = plain_lookup(sender);
  if (exact == own_lookup || plain == own_lookup) return true;
  // WHY: an address with detail may be somebody else's own address or alias; that one decides.
  if (POSTHUS_TRY(get_login(snapshot_, exact))) return false;
  if (const auto alias = POSTHUS_TRY(get_alias(snapshot_, exact))) return names(snapshot_, *alias, own_lookup);
  if (plain == exact) return false;
  const auto alias = POSTHUS_TRY(get_alias(snapshot_, plain));
  return alias ? names(snapshot_, *alias, own_lookup) : Result<bool>(false);
}

Result<std::uint32_t> DirectoryReader::pop3_retention_days(AccountId account) const {
  const auto user = POSTHUS_TRY(get_user(snapshot_, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  if (user->pop3_retention_days) return *user->pop3_retention_days;
  const auto domain = POSTHUS_TRY(get_domain(snapshot_, std::string_view(user->address).substr(user->address.rfind('@') + 1)));
  return domain ? domain->pop3_retention_days : 0;
}

Result<Page<DomainRecord>> DirectoryReader::domains(std::string_view after, std::size_t limit) const {
  const std::string from = after.empty() ? std::string() : after_key(domain_key(after));
  return read_page<DomainRecord>(
      snapshot_, Table::kDomains, from, {}, limit,
      [](std::string_view, std::string_view value) -> Result<std::optional<DomainRecord>> { return decode_domain_record(value); },
      [](const DomainRecord& record) { return record.name; });
}

Result<Page<UserRecord>> DirectoryReader::users(std::string_view domain, std::string_view after, std::size_t limit) const {
  const std::string prefix = POSTHUS_TRY(list_prefix(domain));
  std::string from = prefix;
  if (!after.empty()) {
    const CanonicalAddress last = POSTHUS_TRY(canonical_address(after, CatchAll::kRefuse));
    from = std::max(from, after_key(address_key(last.lookup)));
  }
  return read_page<UserRecord>(
      snapshot_, Table::kLogins, from, end_of_prefix(prefix), limit,
      [this](std::string_view, std::string_view value) -> Result<std::optional<UserRecord>> {
        const auto account = account_of_key(value);
        if (!account) return fail(ErrorKind::kCorrupt, "login row");
        return get_user(snapshot_, *account);
      },
      [](const UserRecord& record) { return record.address; });
}

Result<Page<AliasRecord>> DirectoryReader::aliases(std::string_view domain, std::string_view after, std::size_t limit) const {
  return alias_page(domain, after, limit, AliasKind::kAlias);
}

Result<Page<AliasRecord>> DirectoryReader::groups(std::string_view domain, std::string_view after, std::size_t limit) const {
  return alias_page(domain, after, limit, AliasKind::kGroup);
}

Result<Page<AliasRecord>> DirectoryReader::alias_page(std::string_view domain, std::string_view after, std::size_t limit,
                                                      AliasKind kind) const {
  const std::string prefix = POSTHUS_TRY(list_prefix(domain));
  std::string from = prefix;
  if (!after.empty()) {
    const CanonicalAddress last = POSTHUS_TRY(canonical_address(after, CatchAll::kAllow));
    from = std::max(from, end_of_prefix(alias_key(last.lookup)));
  }
  std::string buffer;
  return read_page<AliasRecord>(
      snapshot_, Table::kAliases, from, end_of_prefix(prefix), limit,
      [this, &buffer, kind](std::string_view key, std::string_view) -> Result<std::optional<AliasRecord>> {
        if (!key.ends_with(std::string_view("\0\0\0", 3))) return std::nullopt;  // a further row of a long alias
        const auto value = POSTHUS_TRY(get_long_value(snapshot_, Table::kAliases, key.substr(0, key.size() - 2), buffer));
        auto alias = POSTHUS_TRY(decode_alias_record(value));
        if (alias.group.has_value() != (kind == AliasKind::kGroup)) return std::nullopt;
        return alias;
      },
      [](const AliasRecord& record) { return record.address; });
}

Result<Page<TokenRecord>> DirectoryReader::tokens(std::string_view after, std::size_t limit) const {
  const std::string from = after.empty() ? std::string() : after_key(token_key(after));
  return read_page<TokenRecord>(
      snapshot_, Table::kTokens, from, {}, limit,
      [](std::string_view, std::string_view value) -> Result<std::optional<TokenRecord>> { return decode_token_record(value); },
      [](const TokenRecord& record) { return record.id; });
}

}  // namespace posthus::store
