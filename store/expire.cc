// Expiry: removals that were cut short, segments long put aside, old tombstones, old traces, mail kept for POP3 beyond its
// time.
#include <algorithm>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/log.h"
#include "store/expire_trace.h"
#include "store/key.h"
#include "store/maintenance.h"
#include "store/orphaned_segments.h"
#include "store/pending_removals.h"
#include "store/record_mailbox.h"
#include "store/sending_record.h"
#include "store/sent_today.h"
#include "store/store_open.h"
#include "store/store_state.h"
#include "store/tombstones.h"
#include "store/uid_set.h"

namespace posthus::store {
namespace {

/// A client that was away for longer compares all its UIDs instead (RFC 7162 §3.2.5.2 allows forgetting).
constexpr std::int64_t kTombstoneDays = 90;
constexpr std::int64_t kSecondsPerDay = 24 * 3600;
constexpr std::size_t kRowsPerStep = 1000;

Timestamp days_before(Timestamp now, std::int64_t days) { return Timestamp::from_seconds(now.seconds() - days * kSecondsPerDay); }

Result<std::vector<MailboxId>> mailboxes_with_old_tombstones(const Store& store, Timestamp before) {
  std::vector<MailboxId> mailboxes;
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  POSTHUS_TRY_VOID(snapshot->scan(Table::kExpunged, "", "", [&](std::string_view key, std::string_view value) {
    const auto modseq = modseq_of_expunged_key(key);
    const auto mailbox = mailbox_of_key(key.substr(0, 4));
    if (!modseq || !mailbox || modseq->value == 0) return Visit::kContinue;
    if (!mailboxes.empty() && mailboxes.back() == *mailbox) return Visit::kContinue;
    if (const auto row = decode_expunged_row(value); row && row->when < before) mailboxes.push_back(*mailbox);
    return Visit::kContinue;
  }));
  return mailboxes;
}

Result<> expire_tombstones(Store& store, Timestamp before) {
  for (const MailboxId mailbox : POSTHUS_TRY(mailboxes_with_old_tombstones(store, before))) {
    std::size_t dropped = kRowsPerStep;
    while (dropped == kRowsPerStep) {
      POSTHUS_TRY_VOID(StoreParts::of(store).writer->maintain([&](MaintenanceContext& context) -> Result<> {
        dropped = POSTHUS_TRY(drop_tombstones(context.transaction, mailbox, before, kRowsPerStep));
        return {};
      }));
    }
  }
  return {};
}

struct Expired {
  MailboxId inbox;
  UidSet uids;
};

/// What of one INBOX was put there before its time limit; nothing when mail is kept for ever.
Result<Expired> expired_mail(const Snapshot& snapshot, const UserRecord& user, Timestamp now) {
  Expired out{.inbox = user.inbox, .uids = {}};
  const std::uint32_t days = POSTHUS_TRY(DirectoryReader(snapshot).pop3_retention_days(user.account));
  if (days == 0) return out;
  const Timestamp before = days_before(now, days);
  const MailboxReader inbox = POSTHUS_TRY(MailboxReader::open(snapshot, user.inbox));
  POSTHUS_TRY_VOID(inbox.for_each(Uid(1), Uid(UINT32_MAX), [&](const MessageRecord& message) {
    if (message.save_date < before) append_uid(out.uids, message.uid);
    return Visit::kContinue;
  }));
  return out;
}

Result<> expire_pop3_mail(Store& store, Timestamp now) {
  constexpr std::size_t kUsersPerPage = 200;
  std::string after;
  do {
    std::vector<Expired> all;
    {
      const auto snapshot = POSTHUS_TRY(store.snapshot());
      const Page<UserRecord> page = POSTHUS_TRY(DirectoryReader(*snapshot).users("", after, kUsersPerPage));
      for (const UserRecord& user : page.items) {
        // One damaged mailbox does not keep the others.
        if (auto expired = expired_mail(*snapshot, user, now)) {
          all.push_back(*std::move(expired));
        } else {
          log::warning("store.expire", {{"user", user.address}, {"error", expired.error().context}});
        }
      }
      after = page.next;
    }
    for (Expired& expired : all) {
      if (expired.uids.empty()) continue;
      const auto removed =
          store.apply(Expunge{.mailbox = expired.inbox, .uids = std::move(expired.uids), .rule = ExpungeRule::kAllNamed});
      if (!removed && removed.error().kind != ErrorKind::kNotFound) return std::unexpected(removed.error());
    }
  } while (!after.empty() && !StoreParts::of(store).is_closing);
  return {};
}

/// Recipients nobody has written to for long: their keys, a step at a time.
Result<std::vector<std::string>> forgotten_recipients(const Store& store, std::uint32_t before) {
  std::vector<std::string> keys;
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  POSTHUS_TRY_VOID(snapshot->scan(Table::kKnownRecipients, "", "", [&](std::string_view key, std::string_view value) {
    if (ByteReader(value).u32() < before) keys.emplace_back(key);
    return keys.size() < kRowsPerStep ? Visit::kContinue : Visit::kStop;
  }));
  return keys;
}

Result<> expire_known_recipients(Store& store, std::uint32_t before) {
  std::size_t count = kRowsPerStep;
  while (count == kRowsPerStep && !StoreParts::of(store).is_closing) {
    const auto keys = POSTHUS_TRY(forgotten_recipients(store, before));
    count = keys.size();
    if (count == 0) break;
    POSTHUS_TRY_VOID(StoreParts::of(store).writer->maintain([&](MaintenanceContext& context) -> Result<> {
      for (const std::string& key : keys) POSTHUS_TRY_VOID(context.transaction.erase(Table::kKnownRecipients, key));
      return {};
    }));
  }
  return {};
}

/// What was sent on days that are over.
Result<> expire_sent_today(Store& store, std::uint32_t today) {
  std::vector<std::string> keys;
  do {
    keys.clear();
    {
      const auto snapshot = POSTHUS_TRY(store.snapshot());
      POSTHUS_TRY_VOID(snapshot->scan(Table::kSentToday, "", "", [&](std::string_view key, std::string_view value) {
        const auto record = decode_sent_today(value);
        if (record && record->day < today) keys.emplace_back(key);
        return keys.size() < kRowsPerStep ? Visit::kContinue : Visit::kStop;
      }));
    }
    if (keys.empty()) break;
    POSTHUS_TRY_VOID(StoreParts::of(store).writer->maintain([&](MaintenanceContext& context) -> Result<> {
      for (const std::string& key : keys) {
        // Another day may have begun for it meanwhile.
        const auto row = POSTHUS_TRY(context.transaction.get(Table::kSentToday, key));
        const auto record = row ? decode_sent_today(*row) : Result<SentToday>(SentToday{});
        if (record && record->day < today) POSTHUS_TRY_VOID(context.transaction.erase(Table::kSentToday, key));
      }
      return {};
    }));
  } while (keys.size() == kRowsPerStep && !StoreParts::of(store).is_closing);
  return {};
}

/// Users whose removal was cut short go now.
Result<> finish_removals(Store& store) {
  std::vector<std::string> addresses;
  {
    const auto snapshot = POSTHUS_TRY(store.snapshot());
    addresses = POSTHUS_TRY(pending_removals(*snapshot));
  }
  for (const std::string& address : addresses) {
    const auto removed = store.apply(RemoveUser{address});
    if (!removed && removed.error().kind != ErrorKind::kNotFound) return std::unexpected(removed.error());
  }
  return {};
}

}  // namespace

Result<> expire(Store& store, Timestamp now) {
  POSTHUS_TRY_VOID(finish_removals(store));
  const Store::State& state = StoreParts::of(store);
  if (state.files) POSTHUS_TRY_VOID(remove_orphans(segments_directory(state.options.directory), days_before(now, kOrphanDays)));
  POSTHUS_TRY_VOID(expire_tombstones(store, days_before(now, kTombstoneDays)));
  POSTHUS_TRY_VOID(expire_trace(store, now));
  POSTHUS_TRY_VOID(expire_known_recipients(store, day_of(days_before(now, kKnownRecipientDays))));
  POSTHUS_TRY_VOID(expire_sent_today(store, day_of(now)));
  return expire_pop3_mail(store, now);
}

}  // namespace posthus::store
