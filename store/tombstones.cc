// Tombstones of expunged messages; see tombstones.h.
#include "store/tombstones.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/record_mailbox.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

constexpr ModSeq kHorizonModSeq{0};  // no request has it

Result<ModSeq> read_horizon(const Snapshot& snapshot, MailboxId mailbox) {
  const auto row = POSTHUS_TRY(snapshot.get(Table::kExpunged, expunged_key(mailbox, kHorizonModSeq, 0)));
  if (!row) return ModSeq(0);
  if (row->size() != 8) return fail(ErrorKind::kCorrupt, "tombstone horizon");
  return ModSeq(ByteReader(*row).u64());
}

}  // namespace

Result<std::optional<UidSet>> read_tombstones(const Snapshot& snapshot, MailboxId mailbox, ModSeq since) {
  if (since < POSTHUS_TRY(read_horizon(snapshot, mailbox))) return std::nullopt;
  if (since.value == UINT64_MAX) return UidSet{};
  UidSet uids;
  Result<> outcome;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kExpunged, expunged_key(mailbox, ModSeq(since.value + 1), 0),
                                 end_of_prefix(mailbox_key(mailbox)), [&](std::string_view, std::string_view value) {
                                   auto row = decode_expunged_row(value);
                                   if (!row) {
                                     outcome = std::unexpected(std::move(row).error());
                                     return Visit::kStop;
                                   }
                                   uids.insert(uids.end(), row->uids.begin(), row->uids.end());
                                   return Visit::kContinue;
                                 }));
  POSTHUS_TRY_VOID(outcome);
  normalise(uids);
  return uids;
}

Result<std::size_t> drop_tombstones(WriteTransaction& transaction, MailboxId mailbox, Timestamp before, std::size_t limit) {
  std::vector<std::string> keys;
  Result<> outcome;
  POSTHUS_TRY_VOID(transaction.scan(Table::kExpunged, expunged_key(mailbox, ModSeq(1), 0), end_of_prefix(mailbox_key(mailbox)),
                                    [&](std::string_view key, std::string_view value) {
                                      const auto row = decode_expunged_row(value);
                                      if (!row) outcome = std::unexpected(row.error());
                                      if (!row || row->when >= before || keys.size() == limit) return Visit::kStop;
                                      keys.emplace_back(key);
                                      return Visit::kContinue;
                                    }));
  POSTHUS_TRY_VOID(outcome);
  if (keys.empty()) return 0;
  for (const std::string& key : keys) POSTHUS_TRY_VOID(transaction.erase(Table::kExpunged, key));
  std::string horizon;
  append_u64(horizon, modseq_of_expunged_key(keys.back()).value_or(ModSeq(0)).value);
  POSTHUS_TRY_VOID(transaction.put(Table::kExpunged, expunged_key(mailbox, kHorizonModSeq, 0), horizon));
  return keys.size();
}

}  // namespace posthus::store
