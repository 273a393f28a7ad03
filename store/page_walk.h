// PageWalk: visits, in order, the pages that hold messages of a UidSet, and says which of their records it names.
// The pages may be rewritten, merged backwards or erased between steps: only the next uid is remembered.
// PageAppender: adds messages at the end of a mailbox, a page at a time. Thread rule: that of the transaction.
#pragma once

#include <optional>
#include <string>

#include "store/engine.h"
#include "store/message_page.h"
#include "store/records.h"

namespace posthus::store {

class PageWalk {
 public:
  /// REQUIRES: `snapshot` and `uids` outlive the walk.
  PageWalk(const Snapshot& snapshot, MailboxId mailbox, const UidSet& uids, Uid from)
      : snapshot_(snapshot), mailbox_(mailbox), uids_(uids), cursor_(from.value) {}

  /// Loads the next page that holds a message of the set; false at the end.
  Result<bool> next();
  const std::string& key() const { return key_; }
  MessagePage& page() { return page_; }
  /// Does the set name record `index` of the page?
  bool names(std::size_t index) const { return named_[index]; }
  std::size_t named_count() const { return named_count_; }
  /// The first uid not looked at yet; nothing when no uid of the set is left.
  std::optional<Uid> position() const;

 private:
  Result<bool> load(std::uint64_t uid);
  void mark();

  const Snapshot& snapshot_;
  const MailboxId mailbox_;
  const UidSet& uids_;
  std::size_t range_ = 0;          // first range that is not wholly before the cursor
  std::uint64_t cursor_;           // 64 bits: may stand one past the last uid there is
  std::uint64_t behind_page_ = 0;  // cursor after the page before; 0: none was loaded
  std::string key_;
  MessagePage page_;
  bool named_[kPageMessages] = {};
  std::size_t named_count_ = 0;
};

class PageAppender {
 public:
  PageAppender(WriteTransaction& transaction, MailboxId mailbox) : transaction_(transaction), mailbox_(mailbox) {}
  /// REQUIRES: record.uid is greater than every uid of the mailbox.
  Result<> append(const MessageRecord& record);
  /// Writes the last page. Nothing is kept back after it.
  Result<> flush();

 private:
  WriteTransaction& transaction_;
  const MailboxId mailbox_;
  bool is_loaded_ = false, is_changed_ = false;
  std::string key_;
  MessagePage page_;
};

}  // namespace posthus::store
