// MailboxPlace: whose mailbox a name means and what the session may do there. Names of one's own mean one's own without a look at
// the store; "Shared/info@example.org/INBOX" means the mailbox of somebody who granted access (store/shared_name.h, RFC 2342 §5).
// Thread rule: that of the snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "imap/execution.h"
#include "store/grant_records.h"
#include "store/shared_name.h"

namespace posthus::imap {

using store::MailboxAccess;

struct MailboxPlace {
  AccountId account;  // its owner
  std::string name;   // as the owner calls it
  MailboxAccess access = MailboxAccess::kFull;
};

/// Nothing: somebody else's, and no access was granted; or the level above his mailboxes, which is none.
Result<std::optional<MailboxPlace>> find_place(const store::Snapshot& snapshot, AccountId self, std::string_view name);

/// The same in a snapshot of its own; for one's own names without any.
Result<std::optional<MailboxPlace>> find_place(const SessionState& state, std::string_view name);

/// What the session may do in the selected mailbox now; kFull without a look when it is its own. Errors: those of the store.
Result<MailboxAccess> access_now(const store::Snapshot& snapshot, const SessionState& state);

inline constexpr const char* kMayNotChange = "NO [NOPERM] You may read this mailbox, not change it";
/// Of a selected mailbox that is read-only: by EXAMINE, or because no more was granted.
inline const char* read_only_refusal(const SessionState& state) {
  return state.selected->owner() == state.account ? "NO The mailbox is read-only" : kMayNotChange;
}
inline constexpr const char* kNotYours = "NO [NOPERM] Nobody granted you these mailboxes";

}  // namespace posthus::imap
