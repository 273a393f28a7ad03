// Taking messages out of a mailbox; see message_removal.h.
#include "store/message_removal.h"

#include <algorithm>

#include "store/key.h"
#include "store/long_value.h"
#include "store/page_walk.h"
#include "store/record_mailbox.h"
#include "store/rows.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

/// A page left with no more than this is put behind the page before it, when both fit into one.
constexpr std::size_t kSmallPage = kPageMessages / 4;

/// Stores a page out of which messages were taken: erased when empty, merged backwards when small.
Result<> store_thinned_page(WriteTransaction& transaction, MailboxId mailbox, const std::string& key, const MessagePage& page) {
  if (page.is_empty()) return transaction.erase(Table::kMessages, key);
  const Uid first = first_uid_of_page_key(key).value_or(Uid(0));
  if (page.size() > kSmallPage || first.value <= 1) return transaction.put(Table::kMessages, key, page.bytes());
  std::string before_key;
  MessagePage before;
  const bool has_before = POSTHUS_TRY(find_page(transaction, mailbox, Uid(first.value - 1), before_key, before));
  if (!has_before || before.size() + page.size() > kPageMessages) return transaction.put(Table::kMessages, key, page.bytes());
  before.append_all(page);
  POSTHUS_TRY_VOID(transaction.put(Table::kMessages, before_key, before.bytes()));
  return transaction.erase(Table::kMessages, key);
}

Result<> put_tombstones(ApplyContext& context, const MailboxRecord& mailbox, const UidSet& uids) {
  std::uint16_t row = 0;
  for (std::size_t begin = 0; begin < uids.size(); begin += kExpungedRangesPerRow, ++row) {
    const std::size_t end = std::min(uids.size(), begin + kExpungedRangesPerRow);
    ExpungedRow piece{context.now,
                      UidSet(uids.begin() + static_cast<std::ptrdiff_t>(begin), uids.begin() + static_cast<std::ptrdiff_t>(end))};
    POSTHUS_TRY_VOID(context.transaction.put(Table::kExpunged, expunged_key(mailbox.mailbox, mailbox.highest_modseq, row),
                                             encode_expunged_row(piece)));
  }
  return {};
}

/// What one pass took out.
struct Taken {
  std::uint64_t messages = 0, bytes = 0;
};

/// Takes the named records (that obey the rule) out of the walk's page and stores it.
Result<> thin_page(ApplyContext& context, MailboxRecord& mailbox, const Removal& removal, PageWalk& walk, UidSet& removed,
                   Taken& taken) {
  bool keep[kPageMessages];
  bool has_removed = false;
  const MessagePageView view = walk.page().view();
  for (std::size_t i = 0; i < view.size(); ++i) {
    const std::uint8_t flags = view.flags(i);
    keep[i] = !walk.names(i) || (removal.rule == ExpungeRule::kOnlyDeleted && (flags & flag::kDeleted) == 0);
    if (keep[i]) continue;
    has_removed = true;
    append_uid(removed, view.uid(i));
    mailbox.messages -= 1;
    mailbox.bytes -= view.message_size(i);
    if ((flags & flag::kSeen) == 0) mailbox.unseen -= 1;
    if ((flags & flag::kDeleted) != 0) mailbox.deleted -= 1;
    taken.messages += 1;
    taken.bytes += view.message_size(i);
    if (removal.references == References::kRelease) POSTHUS_TRY_VOID(release_blob(context, view.blob(i)));
  }
  if (!has_removed) return {};
  walk.page().retain(keep);
  return store_thinned_page(context.transaction, mailbox.mailbox, walk.key(), walk.page());
}

}  // namespace

Result<Removed> remove_messages(ApplyContext& context, MailboxRecord& mailbox, const Removal& removal) {
  Removed removed;
  Taken taken;
  std::size_t pages = 0;
  PageWalk walk(context.transaction, mailbox.mailbox, removal.uids, removal.from);
  while (pages + taken.messages < removal.limit && POSTHUS_TRY(walk.next())) {
    ++pages;
    POSTHUS_TRY_VOID(thin_page(context, mailbox, removal, walk, removed.uids, taken));
  }
  removed.next = walk.position();
  if (taken.messages == 0) return removed;
  mailbox.highest_modseq.value += 1;
  POSTHUS_TRY_VOID(put_tombstones(context, mailbox, removed.uids));
  if (removal.references == References::kRelease) {
    Usage usage = POSTHUS_TRY(get_usage(context.transaction, mailbox.account));
    usage.bytes -= std::min(usage.bytes, taken.bytes);
    usage.messages -= std::min(usage.messages, taken.messages);
    POSTHUS_TRY_VOID(put_usage(context.transaction, mailbox.account, usage));
  }
  POSTHUS_TRY_VOID(put_mailbox(context.transaction, mailbox));
  context.changed.push_back(mailbox.mailbox);
  return removed;
}

Result<> release_blob(ApplyContext& context, BlobId blob) {
  auto record = POSTHUS_TRY(get_blob(context.transaction, blob));
  // WHY not an error: a mailbox with one damaged reference must still be emptied; `check` reports it.
  if (!record) return {};
  const std::string key = blob_key(blob);
  if (record->references > 1) {
    record->references -= 1;
    return context.transaction.put(Table::kBlobs, key, encode_blob_record(*record));
  }
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kSummaries, key));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kBlobs, key));
  context.released.push_back(*record);
  return {};
}

Result<> reference_blob(ApplyContext& context, BlobId blob, std::uint32_t count) {
  auto record = POSTHUS_TRY(get_blob(context.transaction, blob));
  if (!record) return fail(ErrorKind::kCorrupt, "blob " + std::to_string(blob.value) + " is missing");
  record->references += count;
  return context.transaction.put(Table::kBlobs, blob_key(blob), encode_blob_record(*record));
}

}  // namespace posthus::store
