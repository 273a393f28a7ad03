// RenameMailbox, with inferiors, in one transaction (at most kMaxMailboxesPerAccount rows). Renaming INBOX moves its
// messages and leaves it empty; its inferiors stay (RFC 9051 §6.3.6).
#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/mailbox_lifecycle.h"
#include "store/mailbox_name.h"
#include "store/message_copy.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

struct NamedMailbox {
  std::string name;
  MailboxId mailbox;
};

/// The mailbox and its inferiors.
Result<std::vector<NamedMailbox>> family_of(const Snapshot& snapshot, AccountId account, const std::string& name,
                                            MailboxId mailbox) {
  std::vector<NamedMailbox> family{{name, mailbox}};
  bool is_corrupt = false;
  const std::string prefix = mailbox_name_key(account, name + "/");
  POSTHUS_TRY_VOID(
      snapshot.scan(Table::kMailboxNames, prefix, end_of_prefix(prefix), [&](std::string_view key, std::string_view value) {
        const auto id = mailbox_of_key(value);
        if (id) family.push_back({std::string(name_of_key(key)), *id});
        is_corrupt = is_corrupt || !id;
        return Visit::kContinue;
      }));
  if (is_corrupt) return fail(ErrorKind::kCorrupt, "mailbox name row");
  return family;
}

Result<> check_new_names(const Snapshot& snapshot, AccountId account, const std::vector<NamedMailbox>& family, std::size_t cut,
                         const std::string& to) {
  for (const NamedMailbox& member : family) {
    const std::string name = to + member.name.substr(cut);
    if (name.size() > kMaxMailboxName) return fail(ErrorKind::kInvalid, "name of an inferior becomes too long");
    if (POSTHUS_TRY(get_mailbox_name(snapshot, account, name))) return fail(ErrorKind::kExists, "mailbox");
  }
  return {};
}

Result<> rename_one(ApplyContext& context, AccountId account, const NamedMailbox& member, const std::string& name) {
  auto record = POSTHUS_TRY(get_mailbox(context.transaction, member.mailbox));
  if (!record) return fail(ErrorKind::kCorrupt, "mailbox " + std::to_string(member.mailbox.value) + " is missing");
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kMailboxNames, mailbox_name_key(account, member.name)));
  POSTHUS_TRY_VOID(context.transaction.put(Table::kMailboxNames, mailbox_name_key(account, name), mailbox_key(member.mailbox)));
  record->name = name;
  POSTHUS_TRY_VOID(put_mailbox(context.transaction, *record));
  context.changed.push_back(member.mailbox);
  return {};
}

Result<MailboxId> rename_inbox(ApplyContext& context, AccountId account, MailboxId inbox, const std::string& to) {
  const MailboxRecord made = POSTHUS_TRY(put_new_mailbox(context, account, to, SpecialUse::kNone));
  const UidSet all{{Uid(1), Uid(UINT32_MAX)}};
  POSTHUS_TRY_VOID(transfer_messages(context, inbox, made.mailbox, all, Transfer::kMove));
  return made.mailbox;
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameMailbox& request) {
  const std::string from = normalise_inbox(request.from);
  const std::string to = POSTHUS_TRY(checked_mailbox_name(request.to));
  const auto mailbox = POSTHUS_TRY(get_mailbox_name(context.transaction, request.account, from));
  if (!mailbox) return fail(ErrorKind::kNotFound, "mailbox");
  if (POSTHUS_TRY(get_mailbox_name(context.transaction, request.account, to))) return fail(ErrorKind::kExists, "mailbox");
  const bool is_inbox = from == kInbox;
  if (!is_inbox && to.starts_with(from + "/")) return fail(ErrorKind::kInvalid, "rename into its own inferior");
  const auto superiors = POSTHUS_TRY(missing_superiors(context.transaction, request.account, to));
  const std::size_t count = POSTHUS_TRY(count_names(context.transaction, Table::kMailboxNames, request.account));
  if (count + superiors.size() + (is_inbox ? 1 : 0) > kMaxMailboxesPerAccount)
    return fail(ErrorKind::kTooLarge, "too many mailboxes");

  WriteOutcome outcome;
  outcome.account = request.account;
  if (is_inbox) {
    POSTHUS_TRY_VOID(put_superiors(context, request.account, superiors));
    outcome.mailbox = POSTHUS_TRY(rename_inbox(context, request.account, *mailbox, to));
  } else {
    const auto family = POSTHUS_TRY(family_of(context.transaction, request.account, from, *mailbox));
    POSTHUS_TRY_VOID(check_new_names(context.transaction, request.account, family, from.size(), to));
    POSTHUS_TRY_VOID(put_superiors(context, request.account, superiors));
    for (const NamedMailbox& member : family) {
      POSTHUS_TRY_VOID(rename_one(context, request.account, member, to + member.name.substr(from.size())));
    }
    outcome.mailbox = *mailbox;
  }
  const auto record = POSTHUS_TRY(get_mailbox(context.transaction, outcome.mailbox));
  outcome.uid_validity = record->uid_validity;
  return outcome;
}

}  // namespace posthus::store
