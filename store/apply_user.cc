// PutUser, RenameUser and RemoveUser. Removing takes slices: first the login goes (he receives nothing and cannot log in), then
// his mail a slice at a time; until the end a row of kMeta keeps the address taken, and a repeated RemoveUser goes on from it.
#include <array>

#include "store/apply_kinds.h"
#include "store/canonical_address.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/mailbox_lifecycle.h"
#include "store/mailbox_name.h"
#include "store/record_directory.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

constexpr std::size_t kMaxPasswordHash = 300;  // argon2id in PHC format with the longest salt and tag in use is below 200
constexpr std::size_t kMaxScramField = 128;    // SHA-512 would take 64

struct NamedUse {
  std::string_view name;
  SpecialUse use;
};
constexpr std::array<NamedUse, 6> kFirstMailboxes{{{kInbox, SpecialUse::kNone},
                                                   {"Drafts", SpecialUse::kDrafts},
                                                   {"Sent", SpecialUse::kSent},
                                                   {"Junk", SpecialUse::kJunk},
                                                   {"Trash", SpecialUse::kTrash},
                                                   {"Archive", SpecialUse::kArchive}}};

std::string admin_key(AccountId account) { return std::string(meta::kAdminPrefix) + account_key(account); }
std::string removing_key(std::string_view lookup) { return std::string(meta::kRemovingPrefix) + address_key(lookup); }

Result<> check_credentials(const UserRecord& user) {
  // WHY: who has its password, or a role, would be somebody.
  if (user.is_shared && (!user.password_hash.empty() || user.role != Role::kUser)) {
    return fail(ErrorKind::kInvalid, "a shared account has neither password nor role");
  }
  const bool fits = user.password_hash.size() <= kMaxPasswordHash && user.scram_salt.size() <= kMaxScramField &&
                    user.scram_stored_key.size() <= kMaxScramField && user.scram_server_key.size() <= kMaxScramField;
  return fits ? Result<>{} : fail(ErrorKind::kTooLarge, "credentials");
}

/// The domains of a domain admin as they are stored. Errors: kInvalid, kNotFound, kTooLarge.
Result<std::vector<std::string>> administered_domains(const Snapshot& snapshot, const PutUser& request) {
  std::vector<std::string> domains;
  if (!request.administers || request.administers->empty()) return domains;
  if (request.user.role != Role::kDomainAdmin) return fail(ErrorKind::kInvalid, "only domain admins have domains");
  if (request.administers->size() > kMaxAdministeredDomains) {
    return fail(ErrorKind::kTooLarge, "a domain admin of more than " + std::to_string(kMaxAdministeredDomains) + " domains");
  }
  for (const std::string& text : *request.administers) {
    domains.push_back(POSTHUS_TRY(mail::normalise_domain(text)));
    if (!POSTHUS_TRY(get_domain(snapshot, domains.back()))) return fail(ErrorKind::kNotFound, domains.back());
  }
  return domains;
}

/// The user's row, and the lists of admins kept beside it.
Result<> store_user(WriteTransaction& transaction, const UserRecord& user, const PutUser& request,
                    const std::vector<std::string>& domains) {
  POSTHUS_TRY_VOID(put_user(transaction, user));
  // Who is no longer a domain admin keeps nothing that would come back with the role.
  if (request.administers || user.role != Role::kDomainAdmin) {
    POSTHUS_TRY_VOID(replace_administered(transaction, user.account, domains));
  }
  if (user.role == Role::kServerAdmin) return transaction.put(Table::kMeta, admin_key(user.account), "1");
  return transaction.erase(Table::kMeta, admin_key(user.account));
}

Result<WriteOutcome> create_user(ApplyContext& context, UserRecord user, const CanonicalAddress& address,
                                 const PutUser& request) {
  POSTHUS_TRY_VOID(check_new_address(context.transaction, address));
  const auto domains = POSTHUS_TRY(administered_domains(context.transaction, request));
  WriteTransaction& transaction = context.transaction;
  user.account = AccountId(static_cast<std::uint32_t>(POSTHUS_TRY(next_number(transaction, meta::kLastAccount))));
  user.address = address.text;
  if (user.created == Timestamp{}) user.created = context.now;
  for (const NamedUse& first : kFirstMailboxes) {
    const MailboxRecord mailbox = POSTHUS_TRY(put_new_mailbox(context, user.account, first.name, first.use));
    if (first.name == kInbox) user.inbox = mailbox.mailbox;
    POSTHUS_TRY_VOID(transaction.put(Table::kSubscriptions, mailbox_name_key(user.account, first.name), {}));
  }
  POSTHUS_TRY_VOID(transaction.put(Table::kLogins, address_key(address.lookup), account_key(user.account)));
  POSTHUS_TRY_VOID(put_usage(transaction, user.account, {}));
  POSTHUS_TRY_VOID(store_user(transaction, user, request, domains));
  WriteOutcome outcome;
  outcome.account = user.account;
  outcome.mailbox = user.inbox;
  return outcome;
}

/// First slice: nobody delivers to him or logs in any more.
Result<> unhook_user(ApplyContext& context, AccountId account, std::string_view lookup) {
  WriteTransaction& transaction = context.transaction;
  if (const auto user = POSTHUS_TRY(get_user(transaction, account))) {
    POSTHUS_TRY_VOID(erase_grants(transaction, *user));
    POSTHUS_TRY_VOID(erase_own_aliases(transaction, *user));
  }
  POSTHUS_TRY_VOID(transaction.erase(Table::kLogins, address_key(lookup)));
  POSTHUS_TRY_VOID(transaction.erase(Table::kUsers, account_key(account)));
  POSTHUS_TRY_VOID(erase_identity(transaction, account));
  POSTHUS_TRY_VOID(transaction.erase(Table::kMeta, admin_key(account)));
  return transaction.put(Table::kMeta, removing_key(lookup), account_key(account));
}

/// The account's first mailbox by name, if it has one left.
Result<std::optional<MailboxRecord>> first_mailbox(const Snapshot& snapshot, AccountId account) {
  std::optional<MailboxId> id;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(
      snapshot.scan(Table::kMailboxNames, prefix, end_of_prefix(prefix), [&id](std::string_view, std::string_view value) {
        id = mailbox_of_key(value);
        return Visit::kStop;
      }));
  if (!id) return std::nullopt;
  auto mailbox = POSTHUS_TRY(get_mailbox(snapshot, *id));
  if (!mailbox) return fail(ErrorKind::kCorrupt, "mailbox " + std::to_string(id->value) + " is missing");
  return mailbox;
}

/// Later slices: mailboxes one after the other, then what is left. True when nothing is left.
Result<bool> remove_possessions(ApplyContext& context, AccountId account) {
  std::size_t removed = 0;
  constexpr std::size_t kMailboxesPerSlice = 100;
  for (std::size_t i = 0; i < kMailboxesPerSlice && removed < kSliceMessages; ++i) {
    const auto mailbox = POSTHUS_TRY(first_mailbox(context.transaction, account));
    if (!mailbox) {
      const std::size_t erased =
          POSTHUS_TRY(erase_prefix(context.transaction, Table::kSubscriptions, account_key(account), kSliceMessages));
      const std::size_t known =
          POSTHUS_TRY(erase_prefix(context.transaction, Table::kKnownRecipients, account_key(account), kSliceMessages));
      return erased < kSliceMessages && known < kSliceMessages;
    }
    if (!POSTHUS_TRY(unmake_mailbox(context, *mailbox, kSliceMessages - removed, removed))) return false;
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> forward_addresses(const UserRecord& user) {
  auto addresses = POSTHUS_TRY(normalised_targets(user.forward_to));
  std::size_t bytes = 0;
  for (const std::string& address : addresses) bytes += address.size();
  if (addresses.size() > kMaxForwards || bytes > kMaxForwardedBytes) {
    return fail(ErrorKind::kTooLarge,
                "mail is forwarded to at most " + std::to_string(kMaxForwards) + " addresses; an alias takes more");
  }
  return addresses;
}

Result<> check_new_address(const Snapshot& snapshot, const CanonicalAddress& address) {
  POSTHUS_TRY_VOID(check_mailbox_domain(snapshot, address.domain));
  if (POSTHUS_TRY(get_login(snapshot, address.lookup))) return fail(ErrorKind::kExists, address.text);
  if (POSTHUS_TRY(get_alias(snapshot, address.lookup))) return fail(ErrorKind::kExists, address.text);
  if (POSTHUS_TRY(snapshot.get(Table::kMeta, removing_key(address.lookup)))) {
    return fail(ErrorKind::kExists, address.text + " is being removed");
  }
  return {};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutUser& request) {
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.user.address, CatchAll::kRefuse));
  POSTHUS_TRY_VOID(check_credentials(request.user));
  UserRecord user = request.user;
  user.forward_to = POSTHUS_TRY(forward_addresses(request.user));
  if (request.rule == PutRule::kCreate) return create_user(context, std::move(user), address, request);
  const auto account = POSTHUS_TRY(get_login(context.transaction, address.lookup));
  const auto before = account ? POSTHUS_TRY(get_user(context.transaction, *account)) : std::nullopt;
  if (!before) return fail(ErrorKind::kNotFound, address.text);
  if (user.account != before->account || user.inbox != before->inbox) {
    return fail(ErrorKind::kInvalid, "account and inbox of " + address.text + " do not change");
  }
  const auto domains = POSTHUS_TRY(administered_domains(context.transaction, request));
  user.address = before->address;
  user.created = before->created;
  POSTHUS_TRY_VOID(store_user(context.transaction, user, request, domains));
  if (user.is_shared && !before->is_shared) {
    POSTHUS_TRY_VOID(erase_identity(context.transaction, user.account));
    POSTHUS_TRY_VOID(erase_delegations(context.transaction, user.account));
  }
  WriteOutcome outcome;
  outcome.account = user.account;
  outcome.mailbox = user.inbox;
  return outcome;
}

// All that is his names his account, not his address; what names the address (targets of aliases, forwards of others) goes on by
// the alias.
Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameUser& request) {
  const CanonicalAddress from = POSTHUS_TRY(canonical_address(request.from, CatchAll::kRefuse));
  const CanonicalAddress to = POSTHUS_TRY(canonical_address(request.to, CatchAll::kRefuse));
  WriteTransaction& transaction = context.transaction;
  const auto account = POSTHUS_TRY(get_login(transaction, from.lookup));
  auto user = account ? POSTHUS_TRY(get_user(transaction, *account)) : std::nullopt;
  if (!user) return fail(ErrorKind::kNotFound, from.text);
  const std::string before = user->address;
  if (from.lookup != to.lookup) {  // else he is written in another way only
    POSTHUS_TRY_VOID(check_new_address(transaction, to));
    POSTHUS_TRY_VOID(redirect_own_aliases(transaction, *user, to.text));
    POSTHUS_TRY_VOID(rename_subscriptions(transaction, *account, before, to.text));
    POSTHUS_TRY_VOID(transaction.erase(Table::kLogins, address_key(from.lookup)));
    POSTHUS_TRY_VOID(transaction.put(Table::kLogins, address_key(to.lookup), account_key(*account)));
    const AliasRecord alias{.address = before, .targets = {to.text}, .created = context.now};
    POSTHUS_TRY_VOID(replace_long_value(transaction, Table::kAliases, alias_key(from.lookup), encode_alias_record(alias)));
  }
  user->address = to.text;
  POSTHUS_TRY_VOID(put_user(transaction, *user));
  WriteOutcome outcome;
  outcome.account = *account;
  outcome.mailbox = user->inbox;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveUser& request) {
  const CanonicalAddress address = POSTHUS_TRY(canonical_address(request.address, CatchAll::kRefuse));
  WriteOutcome outcome;
  if (const auto account = POSTHUS_TRY(get_login(context.transaction, address.lookup)); account && !context.progress) {
    POSTHUS_TRY_VOID(unhook_user(context, *account, address.lookup));
    context.next = SliceProgress{1, 0, account->value};
    outcome.account = *account;
    return outcome;
  }
  const std::string key = removing_key(address.lookup);
  const auto row = POSTHUS_TRY(context.transaction.get(Table::kMeta, key));
  const auto account = row ? account_of_key(*row) : std::nullopt;
  if (!account) return context.progress ? Result<WriteOutcome>(outcome) : fail(ErrorKind::kNotFound, address.text);
  outcome.account = *account;
  if (!POSTHUS_TRY(remove_possessions(context, *account))) {
    context.next = SliceProgress{1, 0, account->value};
    return outcome;
  }
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kUsage, account_key(*account)));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kSending, account_key(*account)));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kMeta, key));
  return outcome;
}

}  // namespace posthus::store
