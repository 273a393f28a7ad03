// Copying and moving messages; see message_copy.h. RFC 9051 §6.4.7 (COPY is all or nothing), RFC 6851 (MOVE).
#include "store/message_copy.h"

#include <algorithm>
#include <array>

#include "store/keyword_names.h"
#include "store/message_removal.h"
#include "store/page_walk.h"
#include "store/rows.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

/// The uids that were there when the request came: copies into the same mailbox are not copied again.
UidSet existing_uids(const UidSet& uids, Uid uid_next) {
  UidSet existing;
  for (const UidRange& range : uids) {
    if (range.first >= uid_next) break;
    existing.push_back({range.first, std::min(range.last, Uid(uid_next.value - 1))});
  }
  return existing;
}

struct Load {
  std::uint64_t messages = 0, bytes = 0, keywords = 0;
};

Result<Load> measure(const Snapshot& snapshot, MailboxId source, const UidSet& uids) {
  Load load;
  PageWalk walk(snapshot, source, uids, Uid(1));
  while (POSTHUS_TRY(walk.next())) {
    const MessagePageView view = walk.page().view();
    for (std::size_t i = 0; i < view.size(); ++i) {
      if (!walk.names(i)) continue;
      load.messages += 1;
      load.bytes += view.message_size(i);
      load.keywords |= view.keywords(i);
    }
  }
  return load;
}

Result<> check_copy_quota(const Snapshot& snapshot, AccountId account, std::uint64_t bytes) {
  const auto user = POSTHUS_TRY(get_user(snapshot, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  if (user->quota_bytes == 0) return {};
  const Usage usage = POSTHUS_TRY(get_usage(snapshot, account));
  if (usage.bytes >= user->quota_bytes || bytes > user->quota_bytes - usage.bytes)
    return fail(ErrorKind::kOverQuota, user->address);
  return {};
}

/// From bits of the source to bits of the destination.
class KeywordMap {
 public:
  static Result<KeywordMap> create(WriteTransaction& transaction, MailboxId source, MailboxId destination, std::uint64_t used) {
    KeywordMap map;
    map.bits_.fill(0);
    if (source == destination) {
      for (std::size_t i = 0; i < map.bits_.size(); ++i) map.bits_[i] = std::uint64_t{1} << i;
      return map;
    }
    if (used == 0) return map;
    const std::vector<std::string> names = POSTHUS_TRY(get_keywords(transaction, source));
    KeywordNames target = POSTHUS_TRY(KeywordNames::load(transaction, destination));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if ((used >> i & 1) != 0) map.bits_[i] = target.find_or_add(names[i]).value_or(0);
    }
    POSTHUS_TRY_VOID(target.store(transaction, destination));
    return map;
  }
  std::uint64_t operator()(std::uint64_t from) const {
    std::uint64_t to = 0;
    for (std::size_t i = 0; from != 0; ++i, from >>= 1) {
      if ((from & 1) != 0) to |= bits_[i];
    }
    return to;
  }

 private:
  std::array<std::uint64_t, kMaxKeywordsPerMailbox> bits_{};
};

/// Appends the messages to the destination and counts them in its record (not stored here).
Result<Transferred> append_copies(ApplyContext& context, MailboxId source, MailboxRecord& destination, const UidSet& uids,
                                  const KeywordMap& keywords, Transfer transfer) {
  Transferred done;
  destination.highest_modseq.value += 1;
  PageWalk walk(context.transaction, source, uids, Uid(1));
  PageAppender pages(context.transaction, destination.mailbox);
  while (POSTHUS_TRY(walk.next())) {
    const MessagePageView view = walk.page().view();
    for (std::size_t i = 0; i < view.size(); ++i) {
      if (!walk.names(i)) continue;
      MessageRecord message = view.record(i);
      append_uid(done.source_uids, message.uid);
      message.uid = destination.uid_next;
      message.keywords = keywords(message.keywords);
      message.modseq = destination.highest_modseq;
      message.save_date = context.now;
      POSTHUS_TRY_VOID(pages.append(message));
      if (transfer == Transfer::kCopy) POSTHUS_TRY_VOID(reference_blob(context, message.blob, 1));
      done.added.push_back({destination.mailbox, destination.uid_validity, message.uid});
      destination.uid_next.value += 1;
      destination.messages += 1;
      destination.bytes += message.size;
      if ((message.flags & flag::kSeen) == 0) destination.unseen += 1;
      if ((message.flags & flag::kDeleted) != 0) destination.deleted += 1;
    }
  }
  POSTHUS_TRY_VOID(pages.flush());
  return done;
}

}  // namespace

Result<Transferred> transfer_messages(ApplyContext& context, MailboxId source, MailboxId destination, const UidSet& uids,
                                      Transfer transfer, CopyReach reach) {
  WriteTransaction& transaction = context.transaction;
  const MailboxRecord from = POSTHUS_TRY(existing_mailbox(transaction, source));
  MailboxRecord to = POSTHUS_TRY(existing_mailbox(transaction, destination));
  const bool is_across = from.account != to.account;
  if (is_across && reach == CopyReach::kOneAccount) return fail(ErrorKind::kDenied, "copy into another account");
  const UidSet existing = existing_uids(uids, from.uid_next);
  const Load load = POSTHUS_TRY(measure(transaction, source, existing));
  if (load.messages == 0) return Transferred{};
  if (load.messages >= UINT32_MAX - to.uid_next.value) return fail(ErrorKind::kTooLarge, "mailbox is out of UIDs");
  if (transfer == Transfer::kCopy || is_across) POSTHUS_TRY_VOID(check_copy_quota(transaction, to.account, load.bytes));

  const KeywordMap keywords = POSTHUS_TRY(KeywordMap::create(transaction, source, destination, load.keywords));
  Transferred done = POSTHUS_TRY(append_copies(context, source, to, existing, keywords, transfer));
  POSTHUS_TRY_VOID(put_mailbox(transaction, to));
  context.changed.push_back(destination);
  if (transfer == Transfer::kMove) {
    MailboxRecord left = POSTHUS_TRY(existing_mailbox(transaction, source));
    POSTHUS_TRY_VOID(remove_messages(context, left, {.uids = existing, .references = References::kKeep}));
    if (!is_across) return done;
    Usage source_usage = POSTHUS_TRY(get_usage(transaction, from.account));
    source_usage.bytes -= std::min(source_usage.bytes, load.bytes);
    source_usage.messages -= std::min(source_usage.messages, load.messages);
    POSTHUS_TRY_VOID(put_usage(transaction, from.account, source_usage));
  }
  Usage usage = POSTHUS_TRY(get_usage(transaction, to.account));
  usage.bytes += load.bytes;
  usage.messages += load.messages;
  POSTHUS_TRY_VOID(put_usage(transaction, to.account, usage));
  return done;
}

}  // namespace posthus::store
