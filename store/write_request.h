// WriteRequest: a change described as data, with preconditions. Data can be batched, retried and applied by another
// engine. apply_*.cc applies each kind: check the preconditions first, then put.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "store/alert_records.h"
#include "store/certificate_records.h"
#include "store/dns_check_records.h"
#include "store/grant_records.h"
#include "store/history_records.h"
#include "store/identity_records.h"
#include "store/incoming_message.h"
#include "store/login_block_records.h"
#include "store/passkey_records.h"
#include "store/queue_records.h"
#include "store/queue_requests.h"
#include "store/records.h"
#include "store/sending_record.h"
#include "store/sent_today.h"
#include "store/sign_in_records.h"
#include "store/tls_records.h"

namespace posthus::store {

// What changes outgoing mail is in store/queue_requests.h.

// ---- messages ----

/// Where a message goes. kDelivery: quota was checked in the dialog and may be passed by this message (a 250 after RCPT
/// is kept); kStrict: refused with kOverQuota when it does not fit (APPEND).
enum class QuotaRule : bool { kDelivery, kStrict };
/// kNew: refused with kBusy when too much of its sender waits already. kRestored: it was accepted long ago.
enum class QueueRule : bool { kNew, kRestored };
struct Target {
  MailboxId mailbox;
  std::uint8_t flags = 0;
  std::vector<std::string> keywords;
};

/// Stores one message text once, puts it into every target mailbox and queues it for recipients elsewhere, with its
/// trace. All or nothing: a vanished mailbox is kNotFound, an id that is in the queue already kExists. No targets are
/// needed when `queue` is set. Outcome: added, one per target.
struct AddMessage {
  IncomingMessage message;
  std::vector<Target> targets;
  QuotaRule quota = QuotaRule::kDelivery;
  Timestamp internal_date;
  std::string reverse_path;                 // for the segment record and the trace; "" is the null reverse-path
  std::string trace;                        // JSON object for the trace table; empty: none
  QueueId id;                               // of the trace and the queue; REQUIRED when there is a trace or a queue entry
  std::optional<QueueEntry> queue;          // its id is `id`, whatever it says
  std::vector<QueuedRecipient> recipients;  // elsewhere; empty exactly when `queue` is
  /// What counts for the sender's limits and habits. When his account is on hold, or goes on hold with this, so is the
  /// queue entry. Outcome: has_begun_hold.
  std::optional<SentCopies> sent;
  QueueRule queue_rule = QueueRule::kNew;
  /// The answer may come as soon as the message is durable, and the index have it when somebody looks (Store::snapshot(), which
  /// waits for that): deliveries of one moment then share a commit. For those whose completion does not look itself.
  bool is_indexed_when_read = false;
};

enum class FlagChange : std::uint8_t { kReplace, kAdd, kRemove };
/// STORE. Messages of `uids` that are not there are passed over. With `unchanged_since`, messages whose ModSeq is
/// greater are left alone and listed in outcome.uids (RFC 7162 §3.1.3). Large sets are applied in slices of
/// kSliceMessages between other requests. Outcome: modseq, uids (the not changed).
struct ChangeFlags {
  MailboxId mailbox;
  UidSet uids;
  FlagChange change = FlagChange::kAdd;
  std::uint8_t flags = 0;
  std::vector<std::string> keywords;  // names; new ones are added to the mailbox (kTooLarge when it has 64 already)
  std::optional<ModSeq> unchanged_since;
};

/// kWhole: one transaction (POP3 QUIT: all at once). kSliced: slices of kSliceMessages, other requests in between.
enum class Atomicity : bool { kWhole, kSliced };
enum class ExpungeRule : bool { kAllNamed, kOnlyDeleted };  // kOnlyDeleted: IMAP, only those with \Deleted
/// Removes messages. Outcome: uids (removed), modseq.
struct Expunge {
  MailboxId mailbox;
  UidSet uids;
  ExpungeRule rule = ExpungeRule::kOnlyDeleted;
  Atomicity atomicity = Atomicity::kSliced;
};

/// kAcrossAccounts: whoever asks may use both (a delegate).
enum class CopyReach : bool { kOneAccount, kAcrossAccounts };
/// COPY or MOVE (references are copied, not bytes); kDenied into another account without the reach for it. Flags, keywords and
/// dates go along; ModSeqs are new. All or nothing for quota (kOverQuota). Outcome: uid_validity of the destination, uids (source
/// uids in order), added (destination uids, one per source message, same order).
struct CopyMessages {
  MailboxId source;
  UidSet uids;
  MailboxId destination;
  bool is_move = false;
  CopyReach reach = CopyReach::kOneAccount;
};

// ---- mailboxes ----

/// Names are UTF-8 with '/'; missing superiors are made as well. Errors: kExists, kInvalid (name rules), kTooLarge
/// (limits). Outcome: mailbox, uid_validity.
struct CreateMailbox {
  AccountId account;
  std::string name;
  SpecialUse special_use = SpecialUse::kNone;
};
/// kDenied for INBOX; kExists when it has inferiors (RFC 9051 §6.3.5 lets us refuse). Its messages go with it.
struct DeleteMailbox {
  AccountId account;
  std::string name;
};
/// Inferiors are renamed too, atomically. Renaming INBOX moves its messages to the new name and leaves INBOX empty
/// (RFC 9051 §6.3.6). Errors: kNotFound, kExists, kInvalid.
struct RenameMailbox {
  AccountId account;
  std::string from, to;
};
struct SetSubscription {
  AccountId account;
  std::string name;
  bool is_subscribed = true;
};
/// The messages up to now have been announced as \Recent to one session: recent_from becomes uid_next.
struct ClaimRecent {
  MailboxId mailbox;
};

// ---- directory ----

enum class PutRule : std::uint8_t { kCreate, kReplace };  // kCreate: kExists when there; kReplace: kNotFound when not
/// Of an alias domain: kInvalid when what it is an alias of is none of our domains with mailboxes, or when a domain is to become
/// an alias or stop being one.
struct PutDomain {
  DomainRecord domain;
  PutRule rule = PutRule::kCreate;
};
/// kExists while it has users, aliases or alias domains.
struct RemoveDomain {
  std::string name;
};
/// The domain under another name, with all that is its: addresses, admins, settings, routes of its mail. Whatever names one of
/// its addresses (targets of aliases, forwards) names the new one. The old name stays as an alias domain with its keys and
/// certificates. kExists when the new name is one of ours and not an alias of this domain; kInvalid for a relay or an alias
/// domain, and for an alias that would lead to itself only; kTooLarge beyond kMaxRenamedRecords or kMaxRenamedBytes. Outcome:
/// messages (how many addresses have moved).
struct RenameDomain {
  std::string from, to;
};
/// What one transaction takes: deliveries wait meanwhile.
inline constexpr std::size_t kMaxRenamedRecords = 100'000;
inline constexpr std::size_t kMaxRenamedBytes = std::size_t{32} << 20;
/// On creation: assigns the account, makes INBOX and Drafts, Sent, Junk, Trash, Archive (subscribed). `user.account` and
/// `user.inbox` are ignored on creation and must match on replacement. kNotFound when the domain is not ours.
/// Outcome: account.
struct PutUser {
  UserRecord user;
  PutRule rule = PutRule::kCreate;
  /// Of a domain admin, all his domains from now on; nothing: those he has. kNotFound when one is not ours, kInvalid with another
  /// role.
  std::optional<std::vector<std::string>> administers = std::nullopt;
};
/// The user and all his mail; in slices.
struct RemoveUser {
  std::string address;
};
/// Another address for a user who keeps his account: his mail, password, rights and delegates. The old one stays as an alias of
/// the new one, so that mail to it and lists that name it go on. kExists when the new address is taken, kNotFound without user.
struct RenameUser {
  std::string from, to;
};
struct PutAlias {
  AliasRecord alias;
  PutRule rule = PutRule::kCreate;
};
struct RemoveAlias {
  std::string address;
};
/// An address that a user makes for himself (store/own_alias.h). kDenied when his domain does not let him or the name is
/// reserved, kInvalid for other spellings and other domains, kTooLarge when he has as many as he may, kExists when it is
/// somebody's.
struct PutOwnAlias {
  AccountId account;
  std::string address;
};
/// kNotFound when there is none that he made.
struct RemoveOwnAlias {
  AccountId account;
  std::string address;
};
struct PutToken {
  TokenRecord token;
};
struct RemoveToken {
  std::string id;
};

using WriteRequest =
    std::variant<AddMessage, ChangeFlags, Expunge, CopyMessages, CreateMailbox, DeleteMailbox, RenameMailbox, SetSubscription,
                 ClaimRecent, PutDomain, RemoveDomain, PutUser, RemoveUser, PutAlias, RemoveAlias, PutToken, RemoveToken,
                 RecordAttempt, ChangeQueue, HoldAccount, AddTrace, PutRoute, RemoveRoute, PutDkimKey, RemoveDkimKey, PutSetting,
                 PutStsPolicy, RemoveStsPolicy, PutTlsTally, PutCertificate, RemoveCertificate, PutAcmeAccount, PutSecondFactor,
                 UseSecondFactor, RemoveSecondFactor, PutAppPassword, UseAppPassword, RemoveAppPassword, AddAudit, AddHistory,
                 PutAlert, PutGrant, RemoveGrant, PutPasskey, UsePasskey, RemovePasskey, PutSignIns, PutDnsCheck, PutLoginBlocks,
                 RenameUser, NoteLimit, RenameDomain, PutOwnAlias, RemoveOwnAlias>;

/// The message a request brings along: AddMessage itself, or the report of a RecordAttempt. Null: none.
inline const AddMessage* message_of(const WriteRequest& request) {
  if (const auto* attempt = std::get_if<RecordAttempt>(&request)) return attempt->report.get();
  return std::get_if<AddMessage>(&request);
}
inline AddMessage* message_of(WriteRequest& request) {
  return const_cast<AddMessage*>(message_of(const_cast<const WriteRequest&>(request)));
}

/// Bulk work steps aside for deliveries after this many messages: about 3 ms of EXPUNGE, less than a sync takes.
inline constexpr std::size_t kSliceMessages = 2500;

struct AddedMessage {
  MailboxId mailbox;
  std::uint32_t uid_validity = 0;
  Uid uid;
};

inline constexpr std::size_t kMaxNamedDestinations = 1000;  // beyond, whoever looks at each may as well look at all

struct WriteOutcome {
  AccountId account;
  MailboxId mailbox;
  std::uint32_t uid_validity = 0;
  ModSeq modseq;
  UidSet uids;
  std::vector<AddedMessage> added;
  std::uint64_t messages = 0;
  /// destination_hash of recipients that were made due, each once, kMaxNamedDestinations at most.
  std::set<std::uint64_t> destinations;
  bool has_more_destinations = false;
  bool has_begun_hold = false;
};

/// Called once on the Writer's thread, after the commit is durable (or the request was refused). Must not block or throw.
using Completion = std::move_only_function<void(Result<WriteOutcome>)>;

}  // namespace posthus::store
