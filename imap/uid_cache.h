// UidCache: the uids of recently selected mailboxes, shared by all sessions, so that SELECT costs the same for ten
// messages and for a million: what has changed since is read from the store, not the mailbox.
// Thread rule: any thread (one mutex, held for a copy of the ranges).
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/base/result.h"
#include "store/mailbox_reader.h"

namespace posthus::imap {

class UidCache {
 public:
  /// The uids of the reader's mailbox as of its snapshot.
  Result<store::UidSet> uids(const store::MailboxReader& reader);

 private:
  struct Entry {
    std::uint32_t uid_validity = 0;
    ModSeq modseq;
    Uid uid_next;
    store::UidSet uids;
  };
  static constexpr std::size_t kMaxRanges = 512 * 1024;  // of all entries: 4 MiB

  Entry find(MailboxId mailbox);
  void keep(MailboxId mailbox, Entry entry);

  std::mutex mutex_;
  std::unordered_map<MailboxId, Entry> entries_;
  std::size_t ranges_ = 0;
};

}  // namespace posthus::imap
