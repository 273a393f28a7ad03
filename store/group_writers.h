// Who may write to a group (records.h, GroupWriters). Thread rule: that of the snapshot.
#pragma once

#include "core/base/result.h"
#include "store/directory_reader.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// Somebody who has not signed in is believed to be who the reverse-path says, unless that is an address of ours: our own users
/// sign in to send. Known limit: a reverse-path of another server can be forged, so a group for members with addresses
/// elsewhere keeps out strangers, not enemies. REQUIRES: alias.group.
Result<bool> may_write(const Snapshot& snapshot, const AliasRecord& group, const GroupWriter& writer);

}  // namespace posthus::store
