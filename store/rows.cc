// Typed gets and puts of single records; see rows.h.
#include "store/rows.h"

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_directory.h"
#include "store/record_mailbox.h"

namespace posthus::store {

namespace {

/// The u32 a row holds (logins, mailbox names).
Result<std::optional<std::uint32_t>> get_u32(const Snapshot& snapshot, Table table, std::string_view key) {
  const auto row = POSTHUS_TRY(snapshot.get(table, key));
  if (!row) return std::nullopt;
  if (row->size() != 4) return fail(ErrorKind::kCorrupt, "number row");
  return ByteReader(*row).u32();
}

template <class T>
Result<std::optional<T>> get_record(const Snapshot& snapshot, Table table, std::string_view key,
                                    Result<T> (*decode)(std::string_view)) {
  const auto row = POSTHUS_TRY(snapshot.get(table, key));
  if (!row) return std::nullopt;
  return POSTHUS_TRY(decode(*row));
}

}  // namespace

Result<std::optional<DomainRecord>> get_domain(const Snapshot& snapshot, std::string_view name) {
  if (name.empty()) return std::nullopt;
  return get_record(snapshot, Table::kDomains, domain_key(name), decode_domain_record);
}

Result<> check_mailbox_domain(const Snapshot& snapshot, const std::string& name) {
  const auto domain = POSTHUS_TRY(get_domain(snapshot, name));
  if (!domain) return fail(ErrorKind::kNotFound, name);
  if (domain->kind == DomainKind::kRelay) return fail(ErrorKind::kInvalid, name + " is a relay domain");
  if (!domain->alias_of.empty()) return fail(ErrorKind::kInvalid, name + " is an alias of " + domain->alias_of);
  return {};
}

Result<std::optional<UserRecord>> get_user(const Snapshot& snapshot, AccountId account) {
  return get_record(snapshot, Table::kUsers, account_key(account), decode_user_record);
}

Result<std::optional<AccountId>> get_login(const Snapshot& snapshot, std::string_view lookup) {
  const auto account = POSTHUS_TRY(get_u32(snapshot, Table::kLogins, address_key(lookup)));
  if (!account) return std::nullopt;
  return AccountId(*account);
}

Result<std::optional<AliasRecord>> get_alias(const Snapshot& snapshot, std::string_view lookup) {
  std::string buffer;
  const auto value = get_long_value(snapshot, Table::kAliases, alias_key(lookup), buffer);
  if (!value && value.error().kind == ErrorKind::kNotFound) return std::nullopt;
  const std::string_view bytes = POSTHUS_TRY(value);
  return POSTHUS_TRY(decode_alias_record(bytes));
}

Result<std::optional<MailboxRecord>> get_mailbox(const Snapshot& snapshot, MailboxId mailbox) {
  return get_record(snapshot, Table::kMailboxes, mailbox_key(mailbox), decode_mailbox_record);
}

Result<std::optional<MailboxId>> get_mailbox_name(const Snapshot& snapshot, AccountId account, std::string_view name) {
  // WHY: a longer name is not a legal key for the engine, and no mailbox has it.
  if (name.size() > kMaxMailboxName) return std::nullopt;
  const auto mailbox = POSTHUS_TRY(get_u32(snapshot, Table::kMailboxNames, mailbox_name_key(account, name)));
  if (!mailbox) return std::nullopt;
  return MailboxId(*mailbox);
}

Result<std::optional<BlobRecord>> get_blob(const Snapshot& snapshot, BlobId blob) {
  return get_record(snapshot, Table::kBlobs, blob_key(blob), decode_blob_record);
}

Result<Usage> get_usage(const Snapshot& snapshot, AccountId account) {
  const auto usage = POSTHUS_TRY(get_record(snapshot, Table::kUsage, account_key(account), decode_usage));
  return usage.value_or(Usage{});
}

Result<std::vector<std::string>> get_keywords(const Snapshot& snapshot, MailboxId mailbox) {
  std::string buffer;
  const auto value = get_long_value(snapshot, Table::kKeywords, mailbox_key(mailbox), buffer);
  if (!value && value.error().kind == ErrorKind::kNotFound) return std::vector<std::string>{};
  return decode_keywords(POSTHUS_TRY(value));
}

Result<> put_user(WriteTransaction& transaction, const UserRecord& user) {
  return transaction.put(Table::kUsers, account_key(user.account), encode_user_record(user));
}

Result<> put_mailbox(WriteTransaction& transaction, const MailboxRecord& mailbox) {
  std::string bytes;
  bytes.reserve(64 + mailbox.name.size());
  encode_mailbox_record(mailbox, bytes);
  return transaction.put(Table::kMailboxes, mailbox_key(mailbox.mailbox), bytes);
}

Result<> put_usage(WriteTransaction& transaction, AccountId account, const Usage& usage) {
  return transaction.put(Table::kUsage, account_key(account), encode_usage(usage));
}

Result<> put_keywords(WriteTransaction& transaction, MailboxId mailbox, const std::vector<std::string>& names) {
  return replace_long_value(transaction, Table::kKeywords, mailbox_key(mailbox), encode_keywords(names));
}

Result<std::uint64_t> next_number(WriteTransaction& transaction, std::string_view counter) {
  std::uint64_t last = 0;
  if (const auto row = POSTHUS_TRY(transaction.get(Table::kMeta, counter))) {
    if (row->size() != 8) return fail(ErrorKind::kCorrupt, "counter");
    last = ByteReader(*row).u64();
  }
  std::string value;
  append_u64(value, last + 1);
  POSTHUS_TRY_VOID(transaction.put(Table::kMeta, counter, value));
  return last + 1;
}

Result<bool> has_prefix(const Snapshot& snapshot, Table table, std::string_view prefix) {
  bool found = false;
  POSTHUS_TRY_VOID(snapshot.scan(table, prefix, end_of_prefix(prefix), [&](std::string_view, std::string_view) {
    found = true;
    return Visit::kStop;
  }));
  return found;
}

Result<bool> find_page(const Snapshot& snapshot, MailboxId mailbox, Uid uid, std::string& key, MessagePage& page) {
  bool found = false;
  Result<> loaded;
  std::string end = page_key(mailbox, uid);
  end.push_back('\0');  // just above the page whose key is `uid` itself
  POSTHUS_TRY_VOID(
      snapshot.scan_backward(Table::kMessages, mailbox_key(mailbox), end, [&](std::string_view k, std::string_view value) {
        found = true;
        key.assign(k);
        loaded = page.load(value);
        return Visit::kStop;
      }));
  POSTHUS_TRY_VOID(loaded);
  return found;
}

Result<bool> next_page(const Snapshot& snapshot, MailboxId mailbox, Uid from, std::string& key, MessagePage& page) {
  bool found = false;
  Result<> loaded;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kMessages, page_key(mailbox, from), end_of_prefix(mailbox_key(mailbox)),
                                 [&](std::string_view k, std::string_view value) {
                                   found = true;
                                   key.assign(k);
                                   loaded = page.load(value);
                                   return Visit::kStop;
                                 }));
  POSTHUS_TRY_VOID(loaded);
  return found;
}

Result<MailboxRecord> existing_mailbox(const Snapshot& snapshot, MailboxId id) {
  auto mailbox = POSTHUS_TRY(get_mailbox(snapshot, id));
  if (!mailbox) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(id.value));
  return *std::move(mailbox);
}

}  // namespace posthus::store
