// Whose mailbox a name means; see mailbox_place.h.
#include "imap/mailbox_place.h"

#include "store/directory_reader.h"
#include "store/grant_reader.h"

namespace posthus::imap {

Result<std::optional<MailboxPlace>> find_place(const store::Snapshot& snapshot, AccountId self, std::string_view name) {
  const auto shared = store::parse_shared_name(name);
  if (!shared) return MailboxPlace{self, std::string(name)};
  if (shared->mailbox.empty()) return std::nullopt;
  const auto owner = POSTHUS_TRY(store::DirectoryReader(snapshot).user(shared->owner_address));
  if (!owner) return std::nullopt;
  const auto grant = POSTHUS_TRY(store::GrantReader(snapshot).grant(owner->account, self));
  if (!grant || grant->access == MailboxAccess::kNone) return std::nullopt;
  return MailboxPlace{owner->account, std::string(shared->mailbox), grant->access};
}

Result<std::optional<MailboxPlace>> find_place(const SessionState& state, std::string_view name) {
  if (!store::parse_shared_name(name)) return MailboxPlace{state.account, std::string(name)};
  const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
  return find_place(*snapshot, state.account, name);
}

Result<MailboxAccess> access_now(const store::Snapshot& snapshot, const SessionState& state) {
  if (!state.selected || state.selected->owner() == state.account) return MailboxAccess::kFull;
  const auto grant = POSTHUS_TRY(store::GrantReader(snapshot).grant(state.selected->owner(), state.account));
  return grant ? grant->access : MailboxAccess::kNone;
}

}  // namespace posthus::imap
