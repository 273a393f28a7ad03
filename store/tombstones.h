// Tombstones: which uids vanished under which ModSeq (kExpunged), for QRESYNC (RFC 7162 §3.2.10). They are dropped by
// age; the horizon row (ModSeq 0) tells how far back they still reach. Thread rule: that of the snapshot.
#pragma once

#include <optional>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// Uids expunged after `since`; nothing when tombstones after `since` have been dropped.
Result<std::optional<UidSet>> read_tombstones(const Snapshot& snapshot, MailboxId mailbox, ModSeq since);

/// Drops at most `limit` rows written before `before` and moves the horizon. Returns how many rows went.
Result<std::size_t> drop_tombstones(WriteTransaction& transaction, MailboxId mailbox, Timestamp before, std::size_t limit);

}  // namespace posthus::store
