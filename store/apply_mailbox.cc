// CreateMailbox, DeleteMailbox, SetSubscription, ClaimRecent. Renaming is in apply_rename.cc.
// Deleting takes slices: messages go first, the mailbox itself with the last slice; a crash in between leaves a mailbox
// with fewer messages, and nothing that no name leads to.
#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/mailbox_lifecycle.h"
#include "store/mailbox_name.h"
#include "store/rows.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const CreateMailbox& request) {
  const std::string name = POSTHUS_TRY(checked_mailbox_name(request.name));
  if (!POSTHUS_TRY(get_user(context.transaction, request.account))) {
    return fail(ErrorKind::kNotFound, "account " + std::to_string(request.account.value));
  }
  if (POSTHUS_TRY(get_mailbox_name(context.transaction, request.account, name))) return fail(ErrorKind::kExists, "mailbox");
  const auto superiors = POSTHUS_TRY(missing_superiors(context.transaction, request.account, name));
  const std::size_t count = POSTHUS_TRY(count_names(context.transaction, Table::kMailboxNames, request.account));
  if (count + superiors.size() + 1 > kMaxMailboxesPerAccount) return fail(ErrorKind::kTooLarge, "too many mailboxes");
  POSTHUS_TRY_VOID(put_superiors(context, request.account, superiors));
  const MailboxRecord mailbox = POSTHUS_TRY(put_new_mailbox(context, request.account, name, request.special_use));
  WriteOutcome outcome;
  outcome.account = request.account;
  outcome.mailbox = mailbox.mailbox;
  outcome.uid_validity = mailbox.uid_validity;
  outcome.modseq = mailbox.highest_modseq;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const DeleteMailbox& request) {
  const std::string name = normalise_inbox(request.name);
  if (name == kInbox) return fail(ErrorKind::kDenied, "INBOX is never deleted");
  const auto id = POSTHUS_TRY(get_mailbox_name(context.transaction, request.account, name));
  WriteOutcome outcome;
  outcome.account = request.account;
  // Between slices somebody else may have finished the work, and even made a new mailbox of the name.
  if (context.progress && (!id || id->value != context.progress->other)) return outcome;
  if (!id) return fail(ErrorKind::kNotFound, "mailbox");
  if (POSTHUS_TRY(has_prefix(context.transaction, Table::kMailboxNames, mailbox_name_key(request.account, name + "/")))) {
    return fail(ErrorKind::kExists, "mailbox has inferiors");
  }
  const auto mailbox = POSTHUS_TRY(get_mailbox(context.transaction, *id));
  if (!mailbox) return fail(ErrorKind::kCorrupt, "mailbox " + std::to_string(id->value) + " is missing");
  std::size_t removed = 0;
  if (!POSTHUS_TRY(unmake_mailbox(context, *mailbox, kSliceMessages, removed))) context.next = SliceProgress{0, 0, id->value};
  outcome.mailbox = *id;
  outcome.uid_validity = mailbox->uid_validity;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const SetSubscription& request) {
  const std::string name = POSTHUS_TRY(checked_mailbox_name(request.name));
  const std::string key = mailbox_name_key(request.account, name);
  WriteOutcome outcome;
  outcome.account = request.account;
  if (!request.is_subscribed) {
    POSTHUS_TRY_VOID(context.transaction.erase(Table::kSubscriptions, key));
    return outcome;
  }
  if (!POSTHUS_TRY(get_user(context.transaction, request.account))) {
    return fail(ErrorKind::kNotFound, "account " + std::to_string(request.account.value));
  }
  if (POSTHUS_TRY(context.transaction.get(Table::kSubscriptions, key))) return outcome;
  if (POSTHUS_TRY(count_names(context.transaction, Table::kSubscriptions, request.account)) >= kMaxSubscriptionsPerAccount) {
    return fail(ErrorKind::kTooLarge, "too many subscriptions");
  }
  POSTHUS_TRY_VOID(context.transaction.put(Table::kSubscriptions, key, {}));
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const ClaimRecent& request) {
  auto mailbox = POSTHUS_TRY(get_mailbox(context.transaction, request.mailbox));
  if (!mailbox) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(request.mailbox.value));
  WriteOutcome outcome;
  outcome.mailbox = request.mailbox;
  outcome.uid_validity = mailbox->uid_validity;
  outcome.modseq = mailbox->highest_modseq;
  if (mailbox->recent_from == mailbox->uid_next) return outcome;
  mailbox->recent_from = mailbox->uid_next;
  POSTHUS_TRY_VOID(put_mailbox(context.transaction, *mailbox));
  return outcome;
}

}  // namespace posthus::store
