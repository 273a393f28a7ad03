// Sends a WriteRequest to the function of its kind; see apply.h.
#include "store/apply.h"

#include "store/apply_kinds.h"
#include "store/rows.h"

namespace posthus::store {

Result<WriteOutcome> apply(ApplyContext& context, const WriteRequest& request) {
  return std::visit([&context](const auto& kind) { return apply_kind(context, kind); }, request);
}

Result<MailboxOwner> find_mailbox_owner(const Snapshot& snapshot, MailboxId mailbox) {
  auto record = POSTHUS_TRY(get_mailbox(snapshot, mailbox));
  if (!record) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(mailbox.value));
  auto user = POSTHUS_TRY(get_user(snapshot, record->account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(record->account.value));
  return MailboxOwner{record->account, std::move(user->address), std::move(record->name)};
}

}  // namespace posthus::store
