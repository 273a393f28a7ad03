// Making and unmaking the rows of a mailbox. Thread rule: the Writer's thread.
#pragma once

#include <string_view>

#include "store/apply.h"

namespace posthus::store {

/// One LIST reads them all; far more than people make.
inline constexpr std::size_t kMaxMailboxesPerAccount = 5000;
inline constexpr std::size_t kMaxSubscriptionsPerAccount = 10'000;

/// Puts the rows of a new, empty mailbox with a fresh UIDVALIDITY. REQUIRES: the name is checked and free.
Result<MailboxRecord> put_new_mailbox(ApplyContext& context, AccountId account, std::string_view name, SpecialUse special_use);
/// Which superiors of `name` do not exist yet, outermost first.
Result<std::vector<std::string>> missing_superiors(const Snapshot& snapshot, AccountId account, std::string_view name);
Result<> put_superiors(ApplyContext& context, AccountId account, const std::vector<std::string>& names);
/// How many mailboxes (kMailboxNames) or subscriptions an account has.
Result<std::size_t> count_names(const Snapshot& snapshot, Table table, AccountId account);

/// Removes up to `limit` messages; when none is left, the mailbox's own rows as well. True when the mailbox is gone.
/// `removed` grows by the messages removed.
Result<bool> unmake_mailbox(ApplyContext& context, MailboxRecord mailbox, std::size_t limit, std::size_t& removed);

/// Erases at most `limit` rows with the prefix; returns how many there were.
Result<std::size_t> erase_prefix(WriteTransaction& transaction, Table table, std::string_view prefix, std::size_t limit);

}  // namespace posthus::store
