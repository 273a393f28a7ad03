// Maildrop: INBOX as a POP3 session sees it, frozen at login (RFC 1939 §4): numbers, sizes, unique-ids, and what is
// marked as deleted. 16 bytes per message. Thread rule: belongs to its session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "pop3/maildrop_locks.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::pop3 {

class Maildrop {
 public:
  struct Entry {
    std::uint64_t blob : 63;
    std::uint64_t is_deleted : 1;
    std::uint32_t uid;
    std::uint32_t size;
  };
  static_assert(sizeof(Entry) == 16, "100 000 messages are 1.6 MB while their owner is logged in");

  /// Reads the listing of the account's INBOX. Blocks. Errors: kNotFound (the account is gone), those of the store.
  static Result<std::unique_ptr<Maildrop>> open(const store::Snapshot& snapshot, AccountId account, MaildropLock lock);
  /// A listing as given, for tests.
  Maildrop(MaildropLock lock, std::vector<Entry> entries);

  /// Message numbers that were given out, deleted ones too.
  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  /// Null when there is no such message or it is marked as deleted. Numbers count from 1.
  const Entry* find(std::uint32_t number) const;
  /// Messages not marked as deleted, and their octets.
  std::uint32_t count() const { return size() - deleted_count(); }
  std::uint64_t octets() const { return octets_; }

  /// REQUIRES: find(number).
  void mark_deleted(std::uint32_t number);
  /// Takes the marks back. Costs as much as marking did: RSET in a loop gets nobody far.
  void reset();
  store::UidSet deleted() const;
  std::uint32_t deleted_count() const { return static_cast<std::uint32_t>(deleted_.size()); }

  /// Appends the unique-id: stable for ever, UIDVALIDITY and UID in hexadecimal.
  void append_unique_id(std::string& out, const Entry& entry) const;

  MailboxId mailbox() const { return mailbox_; }
  /// The mailbox's ModSeq at login: while it stands, nothing has vanished.
  ModSeq modseq() const { return modseq_; }
  std::uint32_t retention_days() const { return retention_days_; }

 private:
  MaildropLock lock_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> deleted_;  // numbers, in the order of their DELEs
  std::uint32_t uid_validity_ = 0, retention_days_ = 0;
  std::uint64_t octets_ = 0;
  MailboxId mailbox_;
  ModSeq modseq_;
};

}  // namespace posthus::pop3
