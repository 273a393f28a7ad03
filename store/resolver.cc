// Resolver: recipients to inboxes; see resolver.h. RFC 5321 §4.5.1 (postmaster), RFC 5233 (plus-detail).
#include "store/resolver.h"

#include "core/base/ascii.h"
#include "store/group_writers.h"
#include "store/record_directory.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

bool is_postmaster(std::string_view local_part) {
  return ascii::equal_ignoring_case(mail::without_detail(local_part), "postmaster");
}

// RFC 5321 §4.5.1: the postmaster is there, whatever the primary says.
bool is_asked_of_primary(const mail::Address& address, const DomainRecord& relay) {
  return relay.checks_recipients && !is_postmaster(address.local_part);
}

}  // namespace

std::string_view to_string(SkippedMember::Reason reason) {
  if (reason == SkippedMember::Reason::kFull) return "full";
  return reason == SkippedMember::Reason::kDisabled ? "disabled" : "unknown";
}

Result<Resolution> Resolver::resolve(const mail::Address& recipient, const GroupWriter* writer) {
  if (recipient.domain.empty()) {
    if (is_postmaster(recipient.local_part)) {
      POSTHUS_TRY_VOID(add_server_admin({}));
      return verdict(true);
    }
    // An address of the server as such (RFC 5321 §4.1.3): whose it is, is certain when there is one domain only.
    const auto domain = POSTHUS_TRY(only_domain());
    return domain ? resolve({recipient.local_part, *domain}, writer) : verdict(false);
  }
  const auto domain = POSTHUS_TRY(get_domain(snapshot_, recipient.domain));
  if (!domain) return verdict(false);
  if (domain->kind == DomainKind::kRelay) {
    result_.kind = domain->is_disabled ? Resolution::Kind::kDisabled : Resolution::Kind::kRelay;
    result_.checks_recipients = is_asked_of_primary(recipient, *domain);
    return std::move(result_);
  }
  POSTHUS_TRY_VOID(expand(recipient, {0, writer}));
  // The postmaster of a domain of ours is always there, whatever the state of user, alias or domain of that name.
  if (is_postmaster(recipient.local_part) && !has_target() && !is_over_quota_) POSTHUS_TRY_VOID(add_server_admin({}));
  return verdict(true);
}

Resolution Resolver::verdict(bool domain_is_ours) {
  using Kind = Resolution::Kind;
  if (!has_target()) result_.full_members.clear();
  if (!domain_is_ours) {
    result_.kind = Kind::kNoSuchDomain;
  } else if (is_too_deep_) {
    result_ = {};
    result_.kind = Kind::kAliasLoop;
  } else if (!result_.remote_targets.empty()) {
    result_.kind = Kind::kRemoteAlias;
    // WHY not one of several: the others would go without, and the sender would be told that nobody has it.
    const bool is_only_one = result_.remote_targets.size() == 1 && result_.inboxes.empty() && result_.full_members.empty();
    result_.checks_recipients = is_only_one && is_target_checked_;
  } else if (!result_.inboxes.empty()) {
    result_.kind = Kind::kLocal;
  } else if (kept_out_) {
    result_.kind = *kept_out_;
  } else if (is_over_quota_) {
    result_.kind = Kind::kOverQuota;
  } else if (is_disabled_) {
    result_.kind = Kind::kDisabled;
  } else {
    result_.kind = is_circular_ ? Kind::kAliasLoop : Kind::kNoSuchUser;
  }
  return std::move(result_);
}

/// Exact user, exact alias, both without plus-detail, catch-all. An address whose mailbox is elsewhere is a remote target.
Result<> Resolver::expand(const mail::Address& address, Way way) {
  if (++expanded_ > kMaxExpandedAddresses) {
    is_too_deep_ = true;
    return {};
  }
  const auto domain = POSTHUS_TRY(get_domain(snapshot_, address.domain));
  if (!domain || (domain->kind == DomainKind::kRelay && !domain->is_disabled)) {
    add_remote_target(address, domain);
    return {};
  }
  if (domain->is_disabled) {
    skip(mail::to_string(address), SkippedMember::Reason::kDisabled);
    return {};
  }
  if (!domain->alias_of.empty()) {
    if (way.depth >= kMaxAliasDepth) {
      is_too_deep_ = true;
      return {};
    }
    return expand({address.local_part, domain->alias_of}, {way.depth + 1, way.writer});
  }
  const std::string lookup = mail::lookup_key(address);
  if (POSTHUS_TRY(try_user(lookup, way)) == Found::kYes) return {};
  if (POSTHUS_TRY(try_alias(lookup, way)) == Found::kYes) return {};
  const std::string_view plain = mail::without_detail(address.local_part);
  if (plain.size() != address.local_part.size()) {
    const std::string plain_lookup = mail::lookup_key({std::string(plain), address.domain});
    if (POSTHUS_TRY(try_user(plain_lookup, way)) == Found::kYes) return {};
    if (POSTHUS_TRY(try_alias(plain_lookup, way)) == Found::kYes) return {};
  }
  // WHY: the server's admins answer for the domain, not whoever collects its stray mail.
  if (is_postmaster(address.local_part)) return add_server_admin(way);
  if (POSTHUS_TRY(try_alias("@" + address.domain, way)) == Found::kNo) {
    skip(mail::to_string(address), SkippedMember::Reason::kUnknown);
  }
  return {};
}

void Resolver::add_remote_target(const mail::Address& address, const std::optional<DomainRecord>& domain) {
  if (!seen_.insert(mail::lookup_key(address)).second) return;
  result_.remote_targets.push_back(mail::to_string(address));
  is_target_checked_ = domain && is_asked_of_primary(address, *domain);
}

void Resolver::skip(std::string address, SkippedMember::Reason reason) {
  if (reason == SkippedMember::Reason::kDisabled) is_disabled_ = true;
  if (result_.skipped.size() < kMaxSkippedMembers) result_.skipped.push_back({std::move(address), reason});
}

Result<Resolver::Found> Resolver::try_user(std::string_view lookup, Way way) {
  const auto account = POSTHUS_TRY(get_login(snapshot_, lookup));
  if (!account) return Found::kNo;
  const auto user = POSTHUS_TRY(get_user(snapshot_, *account));
  if (!user) return fail(ErrorKind::kCorrupt, "login without user " + std::to_string(account->value));
  POSTHUS_TRY_VOID(add_user(*user, way));
  return Found::kYes;
}

Result<Resolver::Found> Resolver::try_alias(std::string_view lookup, Way way) {
  const auto alias = POSTHUS_TRY(get_alias(snapshot_, lookup));
  if (!alias) return Found::kNo;
  if (alias->group && way.writer && !POSTHUS_TRY(may_write(snapshot_, *alias, *way.writer))) {
    kept_out_ = alias->group->writers == GroupWriters::kMembers ? Resolution::Kind::kOnlyMembers : Resolution::Kind::kOnlyDomain;
    return Found::kYes;
  }
  if (!seen_.emplace(lookup).second) {
    is_circular_ = true;  // or merely named twice: no matter once a target was found
    return Found::kYes;
  }
  if (way.depth >= kMaxAliasDepth) {
    is_too_deep_ = true;
    return Found::kYes;
  }
  if (way.depth == 0) result_.forwarder = alias->address;
  POSTHUS_TRY_VOID(add_targets(alias->targets, {way.depth, nullptr}));
  return Found::kYes;
}

Result<> Resolver::add_targets(const std::vector<std::string>& targets, Way way) {
  for (const std::string& target : targets) {
    if (is_too_deep_) return {};
    const mail::Address address = POSTHUS_TRY(mail::parse_mailbox(target, mail::Utf8::kAllow));
    POSTHUS_TRY_VOID(expand(address, {way.depth + 1, way.writer}));
  }
  return {};
}

Result<> Resolver::add_server_admin(Way way) {
  const auto admin = POSTHUS_TRY(DirectoryReader(snapshot_).first_server_admin());
  return admin ? add_user(*admin, way) : Result<>{};
}

Result<std::optional<std::string>> Resolver::only_domain() const {
  std::optional<std::string> only;
  bool has_more = false;
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kDomains, "", "", [&](std::string_view key, std::string_view value) {
    const auto domain = decode_domain_record(value);
    if (domain && !domain->alias_of.empty()) return Visit::kContinue;  // another name of a domain is no other domain
    has_more = only.has_value();
    if (!has_more) only.emplace(key);
    return has_more ? Visit::kStop : Visit::kContinue;
  }));
  return has_more ? std::nullopt : only;
}

Result<> Resolver::add_user(const UserRecord& user, Way way) {
  if (user.is_disabled) {
    skip(user.address, SkippedMember::Reason::kDisabled);
    return {};
  }
  const bool has_inbox = user.forward_to.empty() || user.keeps_copy;
  // WHY before what he forwards: his copy is asked for again by his address, and would be forwarded a second time.
  if (has_inbox && POSTHUS_TRY(is_over_quota(user))) {
    add_full_member(user);
    return {};
  }
  if (way.depth == 0) result_.forwarder = user.address;
  if (!user.forward_to.empty()) {
    if (!seen_.insert(user.address).second) {
      is_circular_ = true;
      return {};
    }
    if (way.depth >= kMaxAliasDepth) {
      is_too_deep_ = true;
      return {};
    }
    const GroupWriter forwarder{POSTHUS_TRY(mail::parse_mailbox(user.address, mail::Utf8::kAllow)), user.account};
    POSTHUS_TRY_VOID(add_targets(user.forward_to, {way.depth, &forwarder}));
  }
  if (has_inbox && inboxes_.insert(user.inbox.value).second) result_.inboxes.push_back(user.inbox);
  return {};
}

void Resolver::add_full_member(const UserRecord& user) {
  is_over_quota_ = true;
  if (inboxes_.insert(user.inbox.value).second) result_.full_members.push_back(user.address);
}

Result<bool> Resolver::is_over_quota(const UserRecord& user) const {
  if (user.quota_bytes == 0 || quota_ == QuotaCheck::kNone) return false;
  const Usage usage = POSTHUS_TRY(get_usage(snapshot_, user.account));
  // Without a size from the client a full account is one that has nothing left at all.
  const std::uint64_t needed = message_size_ == 0 ? 1 : message_size_;
  return usage.bytes >= user.quota_bytes || needed > user.quota_bytes - usage.bytes;
}

}  // namespace posthus::store
