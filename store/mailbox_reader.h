// Reads mailboxes and messages in one snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "core/mail/summary.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

struct MailboxListing {
  MailboxRecord record;
  bool has_children = false;
};

/// All mailboxes of an account in name order (INBOX first).
Result<std::vector<MailboxListing>> list_mailboxes(const Snapshot& snapshot, AccountId account);
/// "INBOX" in any case; other names exactly.
Result<std::optional<MailboxId>> find_mailbox(const Snapshot& snapshot, AccountId account, std::string_view name);
Result<std::vector<std::string>> list_subscriptions(const Snapshot& snapshot, AccountId account);

using MessageVisitor = FunctionRef<Visit(const MessageRecord&)>;

/// REQUIRES: the snapshot outlives the reader.
class MailboxReader {
 public:
  /// kNotFound when the mailbox was deleted.
  static Result<MailboxReader> open(const Snapshot& snapshot, MailboxId mailbox);

  const MailboxRecord& record() const { return record_; }
  /// Names by bit position.
  Result<std::vector<std::string>> keywords() const;

  Result<std::optional<MessageRecord>> message(Uid uid) const;
  /// Messages with first <= uid <= last, ascending.
  Result<> for_each(Uid first, Uid last, MessageVisitor visit) const;
  /// Of those, only messages whose ModSeq is greater than `since`; pages without any are skipped.
  Result<> for_each_changed(ModSeq since, Uid first, Uid last, MessageVisitor visit) const;
  /// The first message without \Seen. Reads at most `max_pages` pages back from the newest message, until it has met all
  /// that the record counts, then as many from the oldest on: nothing also when it lies deeper than that.
  Result<std::optional<Uid>> first_unseen(std::size_t max_pages) const;
  /// The uids that exist, as ranges: what a session keeps as its sequence-number map.
  Result<UidSet> uids() const;
  /// Uids expunged after `since`; nothing when the tombstones do not reach back that far (then compare with uids()).
  Result<std::optional<UidSet>> vanished_since(ModSeq since) const;

  /// The stored summary. Copies it into `buffer` only when it is stored in several rows; else the view is into the
  /// snapshot. The view dies with the snapshot, or when `buffer` changes.
  Result<mail::SummaryView> summary(BlobId blob, std::string& buffer) const;

 private:
  MailboxReader(const Snapshot& snapshot, MailboxRecord record) : snapshot_(&snapshot), record_(std::move(record)) {}
  const Snapshot* snapshot_;
  MailboxRecord record_;
};

}  // namespace posthus::store
