// Expunge: whole, or in slices of about kSliceMessages with a ModSeq and a tombstone row each.
#include "store/apply_kinds.h"
#include "store/message_removal.h"
#include "store/rows.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const Expunge& request) {
  auto mailbox = POSTHUS_TRY(get_mailbox(context.transaction, request.mailbox));
  if (!mailbox) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(request.mailbox.value));
  WriteOutcome outcome;
  outcome.mailbox = request.mailbox;
  outcome.uid_validity = mailbox->uid_validity;
  outcome.modseq = mailbox->highest_modseq;
  // WHY: most EXPUNGE and CLOSE find nothing to do; the count saves a walk through all pages.
  if (request.rule == ExpungeRule::kOnlyDeleted && mailbox->deleted == 0) return outcome;
  Removal removal{.uids = request.uids, .rule = request.rule};
  if (context.progress) removal.from = Uid(static_cast<std::uint32_t>(context.progress->position));
  if (request.atomicity == Atomicity::kSliced) removal.limit = kSliceMessages;
  Removed removed = POSTHUS_TRY(remove_messages(context, *mailbox, removal));
  if (removed.next) context.next = SliceProgress{0, removed.next->value, 0};
  outcome.uids = std::move(removed.uids);
  outcome.modseq = mailbox->highest_modseq;
  return outcome;
}

}  // namespace posthus::store
