// UidCache. See uid_cache.h.
#include "imap/uid_cache.h"

#include "imap/sequence_set.h"
#include "imap/uid_map.h"

namespace posthus::imap {
namespace {

constexpr std::size_t kEntryCost = 8;  // an entry counts as so many ranges: empty mailboxes are bounded as well

}  // namespace

UidCache::Entry UidCache::find(MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(mailbox);
  return found == entries_.end() ? Entry{} : found->second;
}

void UidCache::keep(MailboxId mailbox, Entry entry) {
  if (entry.uids.size() > kMaxRanges / 4) return;
  const std::lock_guard lock(mutex_);
  auto& kept = entries_[mailbox];
  if (kept.uid_validity == entry.uid_validity && kept.modseq > entry.modseq) return;
  if (kept.uid_validity != 0) ranges_ -= kept.uids.size() + kEntryCost;
  ranges_ += entry.uids.size() + kEntryCost;
  kept = std::move(entry);
  for (auto victim = entries_.begin(); ranges_ > kMaxRanges && victim != entries_.end();) {
    if (victim->first == mailbox) {
      ++victim;
      continue;
    }
    ranges_ -= victim->second.uids.size() + kEntryCost;
    victim = entries_.erase(victim);
  }
}

Result<store::UidSet> UidCache::uids(const store::MailboxReader& reader) {
  const auto& record = reader.record();
  Entry entry = find(record.mailbox);
  const bool is_usable = entry.uid_validity == record.uid_validity && entry.modseq <= record.highest_modseq;
  if (is_usable && entry.modseq == record.highest_modseq && entry.uid_next == record.uid_next) return entry.uids;
  std::optional<store::UidSet> vanished;
  if (is_usable) vanished = POSTHUS_TRY(reader.vanished_since(entry.modseq));
  if (vanished) {
    entry.uids = difference(entry.uids, *vanished);
    POSTHUS_TRY_VOID(reader.for_each(entry.uid_next, Uid{UINT32_MAX}, [&](const store::MessageRecord& message) {
      append_uid(entry.uids, message.uid);
      return store::Visit::kContinue;
    }));
  } else {
    entry.uids = POSTHUS_TRY(reader.uids());
  }
  entry.uid_validity = record.uid_validity;
  entry.modseq = record.highest_modseq;
  entry.uid_next = record.uid_next;
  keep(record.mailbox, entry);
  return std::move(entry.uids);
}

}  // namespace posthus::imap
