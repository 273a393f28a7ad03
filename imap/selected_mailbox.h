// SelectedMailbox: what one session has told its client about the selected mailbox, and the untagged responses that
// bring it up to date (RFC 9051 §5.2, §7.4.1, §7.5; RECENT of RFC 3501 §7.3.2). Works out the difference between view and
// store from ModSeqs, so NOOP, IDLE and every other command share one path.
// Thread rule: one thread at a time, with its session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "imap/sequence_set.h"
#include "imap/uid_map.h"
#include "store/mailbox_reader.h"

namespace posthus::imap {

/// RFC 9051 §7.5.1: no EXPUNGE while FETCH, STORE or SEARCH are in progress.
enum class Expunges : bool { kHold, kReport };

/// How a command's numbers are meant.
enum class Numbers : std::uint8_t { kNone, kSequence, kUid };

/// Flags that the running command has told already: not to be told again by the update after it.
struct ToldFlags {
  store::UidSet uids;
  ModSeq until;
};

class SelectedMailbox {
 public:
  enum class Access : bool { kReadOnly, kReadWrite };
  SelectedMailbox(const store::MailboxRecord& record, const store::UidSet& uids, Access access);

  MailboxId mailbox() const { return mailbox_; }
  /// Whose it is: the session's own account, or one that granted access.
  AccountId owner() const { return owner_; }
  std::uint32_t uid_validity() const { return uid_validity_; }
  bool is_read_only() const { return access_ == Access::kReadOnly; }
  /// The right to change it was taken back.
  void become_read_only();
  const UidMap& map() const { return map_; }
  std::size_t keywords_told() const { return keywords_told_; }
  void set_keywords_told(std::size_t count) { keywords_told_ = count; }
  /// Does this session show the message as \Recent?
  bool is_recent(Uid uid) const { return recent_from_.value != 0 && uid >= recent_from_; }
  std::uint32_t recent_count() const;
  /// rev2 has no \Recent.
  void forget_recent() { recent_from_ = Uid{0}; }
  /// Were messages shown as \Recent that no ClaimRecent has been asked for yet? Asking makes it false.
  bool take_unclaimed_recent() { return std::exchange(has_unclaimed_recent_, false); }

  /// Uids a command means; all are in map(). Errors: kInvalid for sequence numbers that do not exist.
  Result<store::UidSet> resolve(const SequenceSet& set, Numbers numbers) const;
  void save_result(store::UidSet uids) { saved_result_ = std::move(uids); }

  /// Writes the untagged responses that are due, about `limit` bytes. kMore: call again with a new snapshot. Errors:
  /// kNotFound when the mailbox was deleted.
  enum class Update : bool { kMore, kDone };
  Result<Update> update(const store::Snapshot& snapshot, std::string& out, std::size_t limit, Expunges expunges,
                        const ToldFlags& told, bool is_rev2);

 private:
  struct Output {
    std::string& text;
    std::size_t limit;
    bool is_full() const { return text.size() >= limit; }
  };
  Result<Update> report_expunges(const store::MailboxReader& reader, Output out);
  Result<> report_new(const store::MailboxReader& reader, Output out, bool is_rev2);
  Result<Update> report_flags(const store::MailboxReader& reader, Output out, const ToldFlags& told, bool is_rev2);

  const MailboxId mailbox_;
  const AccountId owner_;
  const std::uint32_t uid_validity_;
  Access access_;
  UidMap map_;
  Uid uid_next_;  // messages from here on have not been announced
  ModSeq flags_seen_, expunges_seen_;
  Uid recent_from_{0};  // 0: none
  bool has_unclaimed_recent_ = false;
  std::size_t keywords_told_ = 0;
  store::UidSet saved_result_;  // "$"
  // A report of flags that did not fit into one chunk.
  std::optional<ModSeq> flags_target_;
  Uid flags_next_{1}, flags_last_{0};
};

/// "* FLAGS (…)" and "* OK [PERMANENTFLAGS (…)]" for a mailbox with these keywords.
void append_flag_lists(std::string& out, const std::vector<std::string>& keywords, bool is_read_only);
/// "* 12 FETCH (UID 34 FLAGS (\Seen))"
void append_flags_fetch(std::string& out, std::uint32_t sequence, const store::MessageRecord& record,
                        const std::vector<std::string>& keywords, bool is_recent);

}  // namespace posthus::imap
