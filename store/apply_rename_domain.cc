// RenameDomain, in one transaction: a domain that is half renamed is worse than none. First all that will change is read, checked
// and held in memory (at most kMaxRenamedBytes); then it is put. What belongs to accounts names their number and stays as it is;
// queue and trace keep the words they were written with: the old name is still ours, as an alias domain.
// How long it takes: tests/bench/rename_bench.cc.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "store/alias_domain.h"
#include "store/apply_kinds.h"
#include "store/canonical_address.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/queue_reader.h"
#include "store/queue_rows.h"
#include "store/record_directory.h"
#include "store/record_identity.h"
#include "store/record_queue.h"
#include "store/rows.h"
#include "store/run_time_settings.h"
#include "store/sent_today.h"

namespace posthus::store {

namespace {

struct MovedUser {
  UserRecord user;     // as it will be
  std::string former;  // his address before; empty: it is of another domain, and only what he forwards to changes
};
struct MovedAlias {
  AliasRecord alias;   // as it will be
  std::string former;  // base key before
};

class DomainRename {
 public:
  DomainRename(ApplyContext& context, DomainRecord before, std::string to)
      : transaction_(context.transaction),
        now_(context.now),
        before_(std::move(before)),
        from_(before_.name),
        to_(std::move(to)),
        at_from_("@" + from_),
        at_to_("@" + to_) {}

  /// Reads and checks; puts nothing.
  Result<> prepare();
  Result<> put();
  std::uint64_t addresses() const { return addresses_; }

 private:
  Result<> check_name();
  Result<> gather_users();
  Result<> gather_aliases();
  Result<> take_user(std::string_view value);
  Result<> take_alias(std::string_view base, std::string_view value);
  Result<> count(std::size_t bytes);
  bool rename(std::string& address) const;
  struct Redirected {
    bool is_changed = false, led_to_itself = false;
  };
  Result<Redirected> rename_all(std::vector<std::string>& addresses, const std::string& own_lookup) const;

  Result<> put_users();
  Result<> put_aliases();
  Result<> put_domains();
  Result<> put_administrators();
  Result<> put_settings();
  Result<> put_route();
  Result<> put_sent_today();

  WriteTransaction& transaction_;
  const Timestamp now_;
  const DomainRecord before_;
  const std::string from_, to_, at_from_, at_to_;
  std::optional<DomainRecord> former_alias_;  // what the new name was
  std::vector<MovedUser> users_;
  std::vector<MovedAlias> aliases_;
  std::size_t bytes_ = 0, records_ = 0;
  std::uint64_t addresses_ = 0;
};

Result<> DomainRename::prepare() {
  POSTHUS_TRY_VOID(check_name());
  POSTHUS_TRY_VOID(gather_users());
  return gather_aliases();
}

Result<> DomainRename::check_name() {
  if (before_.kind != DomainKind::kMailboxes || !before_.alias_of.empty()) {
    return fail(ErrorKind::kInvalid, from_ + " has no mailboxes");
  }
  if (to_ == from_) return fail(ErrorKind::kInvalid, to_ + " is its name already");
  former_alias_ = POSTHUS_TRY(get_domain(transaction_, to_));
  if (former_alias_ && former_alias_->alias_of != from_) return fail(ErrorKind::kExists, to_);
  POSTHUS_TRY_VOID(check_without_addresses(transaction_, to_));
  if (POSTHUS_TRY(has_prefix(transaction_, Table::kMeta, std::string(meta::kRemovingPrefix) + address_prefix(from_)))) {
    return fail(ErrorKind::kBusy, from_ + " has users who are being removed");
  }
  return {};
}

Result<> DomainRename::count(std::size_t bytes) {
  bytes_ += bytes;
  const bool fits = ++records_ <= kMaxRenamedRecords && bytes_ <= kMaxRenamedBytes;
  return fits ? Result<>{} : fail(ErrorKind::kTooLarge, from_ + " has too many addresses to be renamed at once");
}

/// True when the address is of the domain. Addresses are stored with their domain normalised, so the end says it.
bool DomainRename::rename(std::string& address) const {
  if (!address.ends_with(at_from_)) return false;
  address.replace(address.size() - at_from_.size(), std::string::npos, at_to_);
  return true;
}

/// What would lead back to `own_lookup` now, or is named twice, goes.
Result<DomainRename::Redirected> DomainRename::rename_all(std::vector<std::string>& addresses,
                                                          const std::string& own_lookup) const {
  Redirected redirected;
  std::vector<std::string> others;
  for (std::string& address : addresses) {
    redirected.is_changed |= rename(address);
    const bool is_own = POSTHUS_TRY(canonical_address(address, CatchAll::kRefuse)).lookup == own_lookup;
    redirected.led_to_itself |= is_own;
    if (!is_own) others.push_back(address);
  }
  redirected.is_changed |= redirected.led_to_itself;
  if (redirected.is_changed) addresses = POSTHUS_TRY(normalised_targets(others));
  return redirected;
}

/// All users of the store: others may forward to the domain.
Result<> DomainRename::gather_users() {
  Result<> taken;
  POSTHUS_TRY_VOID(transaction_.scan(Table::kUsers, {}, {}, [&](std::string_view, std::string_view value) {
    // Most records do not name the domain: they are not even decoded.
    if (value.contains(at_from_)) taken = take_user(value);
    return taken ? Visit::kContinue : Visit::kStop;
  }));
  return taken;
}

Result<> DomainRename::take_user(std::string_view value) {
  MovedUser moved{POSTHUS_TRY(decode_user_record(value)), {}};
  std::string former = moved.user.address;
  const bool has_moved = rename(moved.user.address);
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(moved.user.address, CatchAll::kRefuse));
  const Redirected redirected = POSTHUS_TRY(rename_all(moved.user.forward_to, address.lookup));
  if (!has_moved && !redirected.is_changed) return {};
  if (redirected.led_to_itself) moved.user.keeps_copy = true;  // what he forwarded to is his own address now
  moved.user.forward_to = POSTHUS_TRY(forward_addresses(moved.user));
  if (has_moved) moved.former = std::move(former);
  addresses_ += has_moved ? 1 : 0;
  POSTHUS_TRY_VOID(count(value.size() + at_to_.size()));
  users_.push_back(std::move(moved));
  return {};
}

Result<> DomainRename::gather_aliases() {
  return scan_long_values(transaction_, Table::kAliases, {}, {},
                          [this](std::string_view base, std::string_view value) -> Result<Visit> {
                            if (value.contains(at_from_)) POSTHUS_TRY_VOID(take_alias(base, value));
                            return Visit::kContinue;
                          });
}

Result<> DomainRename::take_alias(std::string_view base, std::string_view value) {
  MovedAlias moved{POSTHUS_TRY(decode_alias_record(value)), std::string(base)};
  const bool has_moved = rename(moved.alias.address);
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(moved.alias.address, CatchAll::kAllow));
  const Redirected redirected = POSTHUS_TRY(rename_all(moved.alias.targets, address.lookup));
  if (!has_moved && !redirected.is_changed) return {};
  // It led to what is its own address now: nobody would get its mail.
  if (moved.alias.targets.empty()) return fail(ErrorKind::kInvalid, moved.alias.address + " would lead to itself only");
  addresses_ += has_moved ? 1 : 0;
  POSTHUS_TRY_VOID(count(value.size() + at_to_.size() * moved.alias.targets.size()));
  aliases_.push_back(std::move(moved));
  return {};
}

Result<> DomainRename::put() {
  POSTHUS_TRY_VOID(put_users());
  POSTHUS_TRY_VOID(put_aliases());
  POSTHUS_TRY_VOID(put_domains());
  POSTHUS_TRY_VOID(put_administrators());
  POSTHUS_TRY_VOID(put_settings());
  POSTHUS_TRY_VOID(put_route());
  return put_sent_today();
}

Result<> DomainRename::put_users() {
  for (const MovedUser& moved : users_) {
    POSTHUS_TRY_VOID(put_user(transaction_, moved.user));
    if (moved.former.empty()) continue;
    const CanonicalAddress before = POSTHUS_TRY(canonical_address(moved.former, CatchAll::kRefuse));
    const CanonicalAddress after = POSTHUS_TRY(canonical_address(moved.user.address, CatchAll::kRefuse));
    POSTHUS_TRY_VOID(transaction_.erase(Table::kLogins, address_key(before.lookup)));
    POSTHUS_TRY_VOID(transaction_.put(Table::kLogins, address_key(after.lookup), account_key(moved.user.account)));
    POSTHUS_TRY_VOID(rename_subscriptions(transaction_, moved.user.account, moved.former, moved.user.address));
  }
  return {};
}

Result<> DomainRename::put_aliases() {
  for (const MovedAlias& moved : aliases_) {
    const CanonicalAddress address = POSTHUS_TRY(canonical_address(moved.alias.address, CatchAll::kAllow));
    const std::string base = alias_key(address.lookup);
    if (base != moved.former) POSTHUS_TRY_VOID(erase_long_value(transaction_, Table::kAliases, moved.former));
    POSTHUS_TRY_VOID(replace_long_value(transaction_, Table::kAliases, base, encode_alias_record(moved.alias)));
  }
  return {};
}

/// The domain under its new name, the old name as an alias, and other aliases of the old name as aliases of the new one.
Result<> DomainRename::put_domains() {
  const auto put_domain = [this](const DomainRecord& domain) {
    return transaction_.put(Table::kDomains, domain_key(domain.name), encode_domain_record(domain));
  };
  for (DomainRecord& alias : POSTHUS_TRY(alias_domains_of(transaction_, from_))) {
    alias.alias_of = to_;
    if (alias.name != to_) POSTHUS_TRY_VOID(put_domain(alias));
  }
  DomainRecord renamed = before_;
  renamed.name = to_;
  // Keys are of a name: what signs for the new one was made while it was an alias, or will be made.
  if (former_alias_) renamed.is_without_keys = former_alias_->is_without_keys;
  POSTHUS_TRY_VOID(put_domain(renamed));
  return put_domain({.name = from_,
                     .is_disabled = before_.is_disabled,
                     .created = now_,
                     .language = before_.language,
                     .limits = {},
                     .is_without_keys = before_.is_without_keys,
                     .alias_of = to_});
}

/// Who looks after the domain looks after both names of it, if that is not one too many: then after the new one.
Result<> DomainRename::put_administrators() {
  std::vector<AccountId> accounts;
  POSTHUS_TRY_VOID(transaction_.scan(Table::kAdministered, {}, {}, [&](std::string_view key, std::string_view value) {
    const auto account = account_of_key(key.substr(0, account_key(AccountId{}).size()));
    if (account && value == from_) accounts.push_back(*account);
    return Visit::kContinue;
  }));
  for (const AccountId account : accounts) {
    std::size_t domains = 0;
    const std::string prefix = account_key(account);
    POSTHUS_TRY_VOID(transaction_.scan(Table::kAdministered, prefix, end_of_prefix(prefix), [&](auto, auto) {
      ++domains;
      return Visit::kContinue;
    }));
    POSTHUS_TRY_VOID(transaction_.put(Table::kAdministered, administered_key(account, to_), to_));
    if (domains < kMaxAdministeredDomains) continue;
    POSTHUS_TRY_VOID(transaction_.erase(Table::kAdministered, administered_key(account, from_)));
  }
  return {};
}

/// What is set for the domain holds for the new name; the old one, published as it is, keeps its own. Where the DNS of a name is
/// changed is its own affair: another name may lie with another provider.
Result<> DomainRename::put_settings() {
  for (const RunTimeSetting& setting : run_time_settings()) {
    if (!setting.is_per_destination || setting.name.starts_with("queue.") || setting.name.starts_with("dns.")) continue;
    const std::string base = setting_key(std::string(setting.name) + at_to_);
    const auto value = POSTHUS_TRY(QueueReader(transaction_).setting(std::string(setting.name) + at_from_));
    if (value) {
      POSTHUS_TRY_VOID(replace_long_value(transaction_, Table::kSettings, base, *value));
    } else {
      POSTHUS_TRY_VOID(erase_long_value(transaction_, Table::kSettings, base));
    }
  }
  return {};
}

/// Where mail of senders of the domain goes out, unless the new name has its own.
Result<> DomainRename::put_route() {
  const QueueReader routes(transaction_);
  auto route = POSTHUS_TRY(routes.route("from:" + from_));
  if (!route || POSTHUS_TRY(routes.route("from:" + to_))) return {};
  route->name = "from:" + to_;
  return replace_long_value(transaction_, Table::kRoutes, route_key(route->name), encode_route_record(*route));
}

/// Another name is no new day: what the domain sent and its addresses forwarded goes on counting.
Result<> DomainRename::put_sent_today() {
  std::vector<SentToday> counts;
  Result<> read;
  POSTHUS_TRY_VOID(transaction_.scan(Table::kSentToday, {}, {}, [&](std::string_view, std::string_view value) {
    if (!value.contains(from_)) return Visit::kContinue;
    auto record = decode_sent_today(value);
    if (!record) read = std::unexpected(record.error());
    if (record && (record->name == from_ || record->name.ends_with(at_from_))) counts.push_back(*std::move(record));
    return read ? Visit::kContinue : Visit::kStop;
  }));
  POSTHUS_TRY_VOID(read);
  for (SentToday& record : counts) {
    POSTHUS_TRY_VOID(transaction_.erase(Table::kSentToday, sent_today_key(record.name)));
    if (!rename(record.name)) record.name = to_;
    POSTHUS_TRY_VOID(transaction_.put(Table::kSentToday, sent_today_key(record.name), encode_sent_today(record)));
  }
  return {};
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameDomain& request) {
  const std::string from = POSTHUS_TRY(mail::normalise_domain(request.from));
  auto before = POSTHUS_TRY(get_domain(context.transaction, from));
  if (!before) return fail(ErrorKind::kNotFound, from);
  DomainRename rename(context, *std::move(before), POSTHUS_TRY(mail::normalise_domain(request.to)));
  POSTHUS_TRY_VOID(rename.prepare());
  POSTHUS_TRY_VOID(rename.put());
  WriteOutcome outcome;
  outcome.messages = rename.addresses();
  return outcome;
}

}  // namespace posthus::store
