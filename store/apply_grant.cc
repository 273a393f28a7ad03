// PutGrant and RemoveGrant, and what goes with a user. Each grant has a row from both sides; they come and go together.
#include "store/apply_kinds.h"
#include "store/grant_reader.h"
#include "store/key.h"
#include "store/mailbox_lifecycle.h"
#include "store/mailbox_reader.h"
#include "store/record_grant.h"
#include "store/rows.h"
#include "store/shared_name.h"

namespace posthus::store {

namespace {

// Of one owner when a delegate gets access: mail programs that show subscribed mailboxes only then show them.
constexpr std::size_t kMaxSubscribedAtOnce = 100;

Result<UserRecord> user_of_grant(const Snapshot& snapshot, AccountId account) {
  auto user = POSTHUS_TRY(get_user(snapshot, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  return *std::move(user);
}

Result<> check_numbers(const Snapshot& snapshot, const GrantRecord& grant) {
  const GrantReader reader(snapshot);
  if (POSTHUS_TRY(reader.of_owner(grant.owner)).size() >= kMaxGrants) {
    return fail(ErrorKind::kTooLarge, "a mailbox has at most " + std::to_string(kMaxGrants) + " delegates");
  }
  if (POSTHUS_TRY(reader.of_delegate(grant.delegate)).size() >= kMaxGrants) {
    return fail(ErrorKind::kTooLarge, "somebody is a delegate of at most " + std::to_string(kMaxGrants) + " mailboxes");
  }
  return {};
}

Result<> subscribe(WriteTransaction& transaction, const GrantRecord& grant, const std::string& owner_address) {
  const auto mailboxes = POSTHUS_TRY(list_mailboxes(transaction, grant.owner));
  std::size_t room = kMaxSubscriptionsPerAccount;
  room -= std::min(room, POSTHUS_TRY(count_names(transaction, Table::kSubscriptions, grant.delegate)));
  room = std::min(room, kMaxSubscribedAtOnce);
  for (const MailboxListing& listing : mailboxes) {
    const std::string name = shared_name(owner_address, listing.record.name);
    if (room == 0) return {};
    if (name.size() > kMaxMailboxName) continue;
    POSTHUS_TRY_VOID(transaction.put(Table::kSubscriptions, mailbox_name_key(grant.delegate, name), {}));
    --room;
  }
  return {};
}

Result<> erase_grant(WriteTransaction& transaction, AccountId owner, AccountId delegate, const std::string& owner_address) {
  POSTHUS_TRY_VOID(transaction.erase(Table::kGrants, grant_key(owner, delegate)));
  POSTHUS_TRY_VOID(transaction.erase(Table::kDelegations, grant_key(delegate, owner)));
  const std::string names = mailbox_name_key(delegate, shared_name(owner_address, "") + "/");
  POSTHUS_TRY(erase_prefix(transaction, Table::kSubscriptions, names, SIZE_MAX));
  return {};
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutGrant& request) {
  WriteTransaction& transaction = context.transaction;
  GrantRecord grant = request.grant;
  if (grant.access == MailboxAccess::kNone && !grant.may_send) return fail(ErrorKind::kInvalid, "nothing is granted");
  const UserRecord owner = POSTHUS_TRY(user_of_grant(transaction, grant.owner));
  const UserRecord delegate = POSTHUS_TRY(user_of_grant(transaction, grant.delegate));
  if (grant.owner == grant.delegate) return fail(ErrorKind::kInvalid, "nobody is his own delegate");
  if (delegate.is_shared) return fail(ErrorKind::kInvalid, "nobody signs in as " + delegate.address);
  const auto before = POSTHUS_TRY(GrantReader(transaction).grant(grant.owner, grant.delegate));
  if (!before) POSTHUS_TRY_VOID(check_numbers(transaction, grant));
  grant.created = before ? before->created : context.now;
  POSTHUS_TRY_VOID(transaction.put(Table::kGrants, grant_key(grant.owner, grant.delegate), encode_grant(grant)));
  POSTHUS_TRY_VOID(transaction.put(Table::kDelegations, grant_key(grant.delegate, grant.owner), {}));
  const bool had_access = before && before->access != MailboxAccess::kNone;
  if (grant.access != MailboxAccess::kNone && !had_access) POSTHUS_TRY_VOID(subscribe(transaction, grant, owner.address));
  WriteOutcome outcome;
  outcome.account = grant.owner;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveGrant& request) {
  if (!POSTHUS_TRY(GrantReader(context.transaction).grant(request.owner, request.delegate))) {
    return fail(ErrorKind::kNotFound, "grant");
  }
  const auto owner = POSTHUS_TRY(user_of_grant(context.transaction, request.owner));
  POSTHUS_TRY_VOID(erase_grant(context.transaction, request.owner, request.delegate, owner.address));
  WriteOutcome outcome;
  outcome.account = request.owner;
  return outcome;
}

Result<> erase_grants(WriteTransaction& transaction, const UserRecord& user) {
  const GrantReader reader(transaction);
  for (const GrantRecord& grant : POSTHUS_TRY(reader.of_owner(user.account))) {
    POSTHUS_TRY_VOID(erase_grant(transaction, user.account, grant.delegate, user.address));
  }
  return erase_delegations(transaction, user.account);
}

Result<> rename_subscriptions(WriteTransaction& transaction, AccountId owner, const std::string& from, const std::string& to) {
  for (const GrantRecord& grant : POSTHUS_TRY(GrantReader(transaction).of_owner(owner))) {
    std::vector<std::string> names;
    const std::string before = shared_name(from, "") + "/";
    const std::string prefix = mailbox_name_key(grant.delegate, before);
    POSTHUS_TRY_VOID(
        transaction.scan(Table::kSubscriptions, prefix, end_of_prefix(prefix), [&names](std::string_view key, std::string_view) {
          names.emplace_back(name_of_key(key));
          return Visit::kContinue;
        }));
    for (const std::string& name : names) {
      POSTHUS_TRY_VOID(transaction.erase(Table::kSubscriptions, mailbox_name_key(grant.delegate, name)));
      const std::string after = shared_name(to, name.substr(before.size()));
      if (after.size() > kMaxMailboxName) continue;
      POSTHUS_TRY_VOID(transaction.put(Table::kSubscriptions, mailbox_name_key(grant.delegate, after), {}));
    }
  }
  return {};
}

Result<> erase_delegations(WriteTransaction& transaction, AccountId delegate) {
  for (const GrantRecord& grant : POSTHUS_TRY(GrantReader(transaction).of_delegate(delegate))) {
    const auto owner = POSTHUS_TRY(get_user(transaction, grant.owner));
    POSTHUS_TRY_VOID(erase_grant(transaction, grant.owner, delegate, owner ? owner->address : std::string()));
  }
  return {};
}

}  // namespace posthus::store
