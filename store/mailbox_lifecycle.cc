// Making and unmaking mailboxes; see mailbox_lifecycle.h.
#include "store/mailbox_lifecycle.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/mailbox_name.h"
#include "store/message_removal.h"
#include "store/rows.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

/// RFC 9051 §2.3.1.1: a name that is made again must have another UIDVALIDITY. The clock gives numbers that grow over
/// restores of old backups as well, the counter makes them distinct.
Result<std::uint32_t> next_uid_validity(ApplyContext& context) {
  std::uint64_t last = 0;
  if (const auto row = POSTHUS_TRY(context.transaction.get(Table::kMeta, meta::kLastUidValidity))) last = ByteReader(*row).u64();
  const auto seconds = static_cast<std::uint64_t>(std::clamp<std::int64_t>(context.now.seconds(), 1, UINT32_MAX));
  const std::uint64_t number = std::max(last + 1, seconds);
  if (number > UINT32_MAX) return fail(ErrorKind::kTooLarge, "UIDVALIDITY");
  std::string value;
  append_u64(value, number);
  POSTHUS_TRY_VOID(context.transaction.put(Table::kMeta, meta::kLastUidValidity, value));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

Result<MailboxRecord> put_new_mailbox(ApplyContext& context, AccountId account, std::string_view name, SpecialUse special_use) {
  MailboxRecord mailbox;
  mailbox.mailbox = MailboxId(static_cast<std::uint32_t>(POSTHUS_TRY(next_number(context.transaction, meta::kLastMailbox))));
  mailbox.account = account;
  mailbox.name = name;
  mailbox.uid_validity = POSTHUS_TRY(next_uid_validity(context));
  mailbox.special_use = special_use;
  POSTHUS_TRY_VOID(put_mailbox(context.transaction, mailbox));
  POSTHUS_TRY_VOID(context.transaction.put(Table::kMailboxNames, mailbox_name_key(account, name), mailbox_key(mailbox.mailbox)));
  return mailbox;
}

Result<std::vector<std::string>> missing_superiors(const Snapshot& snapshot, AccountId account, std::string_view name) {
  std::vector<std::string> missing;
  for (std::string_view superior = superior_of(name); !superior.empty(); superior = superior_of(superior)) {
    if (POSTHUS_TRY(get_mailbox_name(snapshot, account, superior))) break;
    missing.emplace_back(superior);
  }
  std::reverse(missing.begin(), missing.end());
  return missing;
}

Result<> put_superiors(ApplyContext& context, AccountId account, const std::vector<std::string>& names) {
  for (const std::string& name : names) POSTHUS_TRY_VOID(put_new_mailbox(context, account, name, SpecialUse::kNone));
  return {};
}

Result<std::size_t> count_names(const Snapshot& snapshot, Table table, AccountId account) {
  std::size_t count = 0;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(snapshot.scan(table, prefix, end_of_prefix(prefix), [&count](std::string_view, std::string_view) {
    ++count;
    return Visit::kContinue;
  }));
  return count;
}

Result<bool> unmake_mailbox(ApplyContext& context, MailboxRecord mailbox, std::size_t limit, std::size_t& removed) {
  const UidSet all{{Uid(1), Uid(UINT32_MAX)}};
  const Removed taken = POSTHUS_TRY(remove_messages(context, mailbox, {.uids = all, .limit = limit}));
  removed += count_uids(taken.uids);
  WriteTransaction& transaction = context.transaction;
  const std::string key = mailbox_key(mailbox.mailbox);
  if (POSTHUS_TRY(has_prefix(transaction, Table::kMessages, key))) return false;
  // WHY bounded: years of expunges leave many tombstones; what is left over is found again by the next slice.
  if (POSTHUS_TRY(erase_prefix(transaction, Table::kExpunged, key, kSliceMessages)) == kSliceMessages) return false;
  POSTHUS_TRY_VOID(erase_long_value(transaction, Table::kKeywords, key));
  POSTHUS_TRY_VOID(transaction.erase(Table::kMailboxes, key));
  POSTHUS_TRY_VOID(transaction.erase(Table::kMailboxNames, mailbox_name_key(mailbox.account, mailbox.name)));
  context.changed.push_back(mailbox.mailbox);
  return true;
}

Result<std::size_t> erase_prefix(WriteTransaction& transaction, Table table, std::string_view prefix, std::size_t limit) {
  std::vector<std::string> keys;
  POSTHUS_TRY_VOID(transaction.scan(table, prefix, end_of_prefix(prefix), [&](std::string_view key, std::string_view) {
    if (keys.size() == limit) return Visit::kStop;
    keys.emplace_back(key);
    return Visit::kContinue;
  }));
  for (const std::string& key : keys) POSTHUS_TRY_VOID(transaction.erase(table, key));
  return keys.size();
}

}  // namespace posthus::store
