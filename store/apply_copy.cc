// CopyMessages (COPY, MOVE): one transaction, so that a failure or crash leaves nothing half copied (RFC 9051 §6.4.7).
#include "store/apply_kinds.h"
#include "store/message_copy.h"
#include "store/rows.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const CopyMessages& request) {
  const Transfer transfer = request.is_move ? Transfer::kMove : Transfer::kCopy;
  Transferred done =
      POSTHUS_TRY(transfer_messages(context, request.source, request.destination, request.uids, transfer, request.reach));
  const auto destination = POSTHUS_TRY(get_mailbox(context.transaction, request.destination));
  WriteOutcome outcome;
  outcome.mailbox = request.destination;
  outcome.uid_validity = destination->uid_validity;
  outcome.modseq = destination->highest_modseq;
  outcome.uids = std::move(done.source_uids);
  outcome.added = std::move(done.added);
  return outcome;
}

}  // namespace posthus::store
