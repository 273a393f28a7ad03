// Taking messages out of a mailbox: pages, counts, tombstones, and references to message texts.
// Thread rule: the Writer's thread.
#pragma once

#include <optional>

#include "store/apply.h"

namespace posthus::store {

/// kRelease: the texts lose a reference and the account's usage shrinks; kKeep: the references have moved elsewhere.
enum class References : bool { kKeep, kRelease };

struct Removal {
  const UidSet& uids;
  ExpungeRule rule = ExpungeRule::kAllNamed;
  References references = References::kRelease;
  Uid from{1};                   // go on here
  std::size_t limit = SIZE_MAX;  // stop after this much work: each message removed and each page read counts one
};
struct Removed {
  UidSet uids;
  std::optional<Uid> next;  // where to go on; nothing when all of Removal::uids were looked at
};

/// Removes in one pass. `mailbox` (counts, ModSeq) is changed and stored, tombstones written under its new ModSeq, the
/// mailbox announced; nothing is written when no message matches.
Result<Removed> remove_messages(ApplyContext& context, MailboxRecord& mailbox, const Removal& removal);

/// A message text has one reference less; with the last one its rows go and `context.released` gets it.
Result<> release_blob(ApplyContext& context, BlobId blob);
/// A message text has `count` references more.
Result<> reference_blob(ApplyContext& context, BlobId blob, std::uint32_t count);

}  // namespace posthus::store
