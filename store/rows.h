// Typed gets and puts of single records: a key, a table and an encoding joined, so that nobody pairs them wrongly.
// Thread rule: that of the snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/blob_record.h"
#include "store/engine.h"
#include "store/message_page.h"
#include "store/records.h"

namespace posthus::store {

// All gets: nothing when there is no such row; kCorrupt when it does not decode.
Result<std::optional<DomainRecord>> get_domain(const Snapshot& snapshot, std::string_view name);
Result<std::optional<UserRecord>> get_user(const Snapshot& snapshot, AccountId account);
/// kNotFound when the domain is not ours, kInvalid when it is a relay or an alias domain: those have no addresses here.
Result<> check_mailbox_domain(const Snapshot& snapshot, const std::string& name);
/// `lookup` is mail::lookup_key(address), here and below.
Result<std::optional<AccountId>> get_login(const Snapshot& snapshot, std::string_view lookup);
Result<std::optional<AliasRecord>> get_alias(const Snapshot& snapshot, std::string_view lookup);
Result<std::optional<MailboxRecord>> get_mailbox(const Snapshot& snapshot, MailboxId mailbox);
/// Errors: kNotFound, naming it, when there is none.
Result<MailboxRecord> existing_mailbox(const Snapshot& snapshot, MailboxId mailbox);
Result<std::optional<MailboxId>> get_mailbox_name(const Snapshot& snapshot, AccountId account, std::string_view name);
Result<std::optional<BlobRecord>> get_blob(const Snapshot& snapshot, BlobId blob);
/// Zeros when there is no row.
Result<Usage> get_usage(const Snapshot& snapshot, AccountId account);
/// No names when there is no row.
Result<std::vector<std::string>> get_keywords(const Snapshot& snapshot, MailboxId mailbox);

Result<> put_user(WriteTransaction& transaction, const UserRecord& user);
Result<> put_mailbox(WriteTransaction& transaction, const MailboxRecord& mailbox);
Result<> put_usage(WriteTransaction& transaction, AccountId account, const Usage& usage);
Result<> put_keywords(WriteTransaction& transaction, MailboxId mailbox, const std::vector<std::string>& names);

/// Raises a counter of kMeta to the next number and returns that: 1 the first time.
Result<std::uint64_t> next_number(WriteTransaction& transaction, std::string_view counter);

/// Is there any row whose key begins with `prefix`?
Result<bool> has_prefix(const Snapshot& snapshot, Table table, std::string_view prefix);

/// Loads the page that holds `uid` if any page does: the last one whose key is not above it. False when there is none.
/// `key` receives the page's key.
Result<bool> find_page(const Snapshot& snapshot, MailboxId mailbox, Uid uid, std::string& key, MessagePage& page);
/// The first page whose key is not below `from`, of the same mailbox.
Result<bool> next_page(const Snapshot& snapshot, MailboxId mailbox, Uid from, std::string& key, MessagePage& page);

}  // namespace posthus::store
