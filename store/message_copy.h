// Copying and moving messages between mailboxes: references, not bytes. Thread rule: the Writer's thread.
#pragma once

#include <vector>

#include "store/apply.h"

namespace posthus::store {

struct Transferred {
  UidSet source_uids;
  std::vector<AddedMessage> added;  // one per source message, in order
};

/// All of it in one transaction. A copy is refused with kOverQuota when it does not fit; a move within an
/// account costs no quota.
/// Keywords go along by name; those that find no room among the destination's are dropped (RFC 9051 §6.4.7: SHOULD).
/// Both records are brought up to date and stored; they may be the same mailbox.
enum class Transfer : bool { kCopy, kMove };
Result<Transferred> transfer_messages(ApplyContext& context, MailboxId source, MailboxId destination, const UidSet& uids,
                                      Transfer transfer, CopyReach reach = CopyReach::kOneAccount);

}  // namespace posthus::store
