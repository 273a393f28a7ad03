// Reads mailboxes and messages in one snapshot; see mailbox_reader.h. Pages are read in place, none is copied.
#include "store/mailbox_reader.h"

#include <algorithm>
#include <unordered_set>

#include "store/key.h"
#include "store/long_value.h"
#include "store/mailbox_name.h"
#include "store/message_page.h"
#include "store/rows.h"
#include "store/tombstones.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

using PageVisitor = FunctionRef<Visit(const MessagePageView&)>;

/// The key of the page that may hold `uid`, or of where such a page would stand.
Result<std::string> first_page_key(const Snapshot& snapshot, MailboxId mailbox, Uid uid) {
  std::string key = page_key(mailbox, uid);
  const std::string end = key + '\0';
  POSTHUS_TRY_VOID(
      snapshot.scan_backward(Table::kMessages, mailbox_key(mailbox), end, [&key](std::string_view found, std::string_view) {
        key.assign(found);
        return Visit::kStop;
      }));
  return key;
}

Result<> for_each_page(const Snapshot& snapshot, MailboxId mailbox, Uid first, Uid last, PageVisitor visit) {
  if (first > last) return {};
  const std::string from = POSTHUS_TRY(first_page_key(snapshot, mailbox, first));
  const std::string to = page_key(mailbox, last) + '\0';
  Result<> outcome;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kMessages, from, to, [&](std::string_view, std::string_view value) {
    const auto page = MessagePageView::open(value);
    if (!page) {
      outcome = fail(page.error().kind, "mailbox " + std::to_string(mailbox.value) + ": " + page.error().context);
      return Visit::kStop;
    }
    return visit(*page);
  }));
  return outcome;
}

/// Appends the uids of a page; a page without gaps is one range, seen from its ends.
void append_page_uids(UidSet& uids, const MessagePageView& page) {
  if (page.size() == 0) return;
  const Uid first = page.uid(0), last = page.uid(page.size() - 1);
  if (last.value - first.value + 1 == page.size()) {
    append_range(uids, {first, last});
    return;
  }
  for (std::size_t i = 0; i < page.size(); ++i) append_uid(uids, page.uid(i));
}

}  // namespace

Result<std::vector<MailboxListing>> list_mailboxes(const Snapshot& snapshot, AccountId account) {
  std::vector<MailboxListing> listings;
  std::unordered_set<std::string> superiors;
  Result<> outcome;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(
      snapshot.scan(Table::kMailboxNames, prefix, end_of_prefix(prefix), [&](std::string_view key, std::string_view value) {
        const auto id = mailbox_of_key(value);
        auto record = id ? get_mailbox(snapshot, *id) : fail(ErrorKind::kCorrupt, "mailbox name row");
        if (!record) {
          outcome = std::unexpected(std::move(record).error());
          return Visit::kStop;
        }
        if (!*record) {
          outcome = fail(ErrorKind::kCorrupt, "mailbox " + std::to_string(id->value) + " is missing");
          return Visit::kStop;
        }
        superiors.emplace(superior_of(name_of_key(key)));
        listings.push_back({**std::move(record), false});
        return Visit::kContinue;
      }));
  POSTHUS_TRY_VOID(outcome);
  for (MailboxListing& listing : listings) listing.has_children = superiors.contains(listing.record.name);
  const auto inbox =
      std::ranges::find(listings, kInbox, [](const MailboxListing& listing) { return std::string_view(listing.record.name); });
  if (inbox != listings.end()) std::rotate(listings.begin(), inbox, std::next(inbox));
  return listings;
}

Result<std::optional<MailboxId>> find_mailbox(const Snapshot& snapshot, AccountId account, std::string_view name) {
  return get_mailbox_name(snapshot, account, normalise_inbox(name));
}

Result<std::vector<std::string>> list_subscriptions(const Snapshot& snapshot, AccountId account) {
  std::vector<std::string> names;
  const std::string prefix = account_key(account);
  POSTHUS_TRY_VOID(
      snapshot.scan(Table::kSubscriptions, prefix, end_of_prefix(prefix), [&names](std::string_view key, std::string_view) {
        names.emplace_back(name_of_key(key));
        return Visit::kContinue;
      }));
  const auto inbox = std::ranges::find(names, kInbox);
  if (inbox != names.end()) std::rotate(names.begin(), inbox, std::next(inbox));
  return names;
}

Result<MailboxReader> MailboxReader::open(const Snapshot& snapshot, MailboxId mailbox) {
  auto record = POSTHUS_TRY(get_mailbox(snapshot, mailbox));
  if (!record) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(mailbox.value));
  return MailboxReader(snapshot, *std::move(record));
}

Result<std::vector<std::string>> MailboxReader::keywords() const { return get_keywords(*snapshot_, record_.mailbox); }

Result<std::optional<MessageRecord>> MailboxReader::message(Uid uid) const {
  std::optional<MessageRecord> found;
  POSTHUS_TRY_VOID(for_each(uid, uid, [&found](const MessageRecord& message) {
    found = message;
    return Visit::kStop;
  }));
  return found;
}

Result<> MailboxReader::for_each(Uid first, Uid last, MessageVisitor visit) const {
  return for_each_page(*snapshot_, record_.mailbox, first, last, [&](const MessagePageView& page) {
    for (std::size_t i = page.lower_bound(first); i < page.size() && page.uid(i) <= last; ++i) {
      if (visit(page.record(i)) == Visit::kStop) return Visit::kStop;
    }
    return Visit::kContinue;
  });
}

Result<> MailboxReader::for_each_changed(ModSeq since, Uid first, Uid last, MessageVisitor visit) const {
  return for_each_page(*snapshot_, record_.mailbox, first, last, [&](const MessagePageView& page) {
    if (page.highest_modseq() <= since) return Visit::kContinue;
    for (std::size_t i = page.lower_bound(first); i < page.size() && page.uid(i) <= last; ++i) {
      if (page.modseq(i) > since && visit(page.record(i)) == Visit::kStop) return Visit::kStop;
    }
    return Visit::kContinue;
  });
}

Result<std::optional<Uid>> MailboxReader::first_unseen(std::size_t max_pages) const {
  std::optional<Uid> first;
  if (record_.unseen == 0) return first;
  Result<> outcome;
  std::size_t pages = 0;
  std::uint32_t met = 0;
  // Calls `visit` for the page; goes on until it says kStop or `max_pages` were read.
  const auto bounded = [&](std::string_view value, FunctionRef<Visit(const MessagePageView&)> visit) {
    const auto page = MessagePageView::open(value);
    if (!page)
      outcome = fail(page.error().kind, "mailbox " + std::to_string(record_.mailbox.value) + ": " + page.error().context);
    if (!page || visit(*page) == Visit::kStop || ++pages >= max_pages) return Visit::kStop;
    return Visit::kContinue;
  };
  const auto count_back = [&](const MessagePageView& page) {
    for (std::size_t i = page.size(); i-- > 0;) {
      if ((page.flags(i) & flag::kSeen) != 0) continue;
      if (++met < record_.unseen) continue;
      first = page.uid(i);
      return Visit::kStop;
    }
    return Visit::kContinue;
  };
  const std::string from = mailbox_key(record_.mailbox), to = end_of_prefix(from);
  POSTHUS_TRY_VOID(snapshot_->scan_backward(
      Table::kMessages, from, to, [&](std::string_view, std::string_view value) { return bounded(value, count_back); }));
  POSTHUS_TRY_VOID(outcome);
  if (first || pages < max_pages) return first;
  pages = 0;
  const auto look_on = [&](const MessagePageView& page) {
    for (std::size_t i = 0; i < page.size(); ++i) {
      if ((page.flags(i) & flag::kSeen) != 0) continue;
      first = page.uid(i);
      return Visit::kStop;
    }
    return Visit::kContinue;
  };
  POSTHUS_TRY_VOID(snapshot_->scan(Table::kMessages, from, to,
                                   [&](std::string_view, std::string_view value) { return bounded(value, look_on); }));
  POSTHUS_TRY_VOID(outcome);
  return first;
}

Result<UidSet> MailboxReader::uids() const {
  UidSet uids;
  POSTHUS_TRY_VOID(for_each_page(*snapshot_, record_.mailbox, Uid(1), Uid(UINT32_MAX), [&uids](const MessagePageView& page) {
    append_page_uids(uids, page);
    return Visit::kContinue;
  }));
  return uids;
}

Result<std::optional<UidSet>> MailboxReader::vanished_since(ModSeq since) const {
  return read_tombstones(*snapshot_, record_.mailbox, since);
}

Result<mail::SummaryView> MailboxReader::summary(BlobId blob, std::string& buffer) const {
  return mail::SummaryView::create(POSTHUS_TRY(get_long_value(*snapshot_, Table::kSummaries, blob_key(blob), buffer)));
}

}  // namespace posthus::store
