// The records of the directory and of mailboxes, as the rest of the program sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/mail/dsn.h"

namespace posthus::store {

/// What leaves by one account's hand in a day (UTC), recipients elsewhere only. Nothing: the next wider setting counts (user,
/// then domain, then the server's).
struct SendLimits {
  std::optional<std::uint32_t> messages_per_day;
  std::optional<std::uint32_t> new_recipients_per_day;  // to whom the account has not written lately
};

enum class DomainKind : std::uint8_t {
  kMailboxes,  // its users are here
  kRelay,      // its mailboxes are on another server, we are its backup MX
};

struct DomainRecord {
  std::string name;  // normalised (A-labels, lower case)
  bool is_disabled = false;
  std::uint64_t default_quota_bytes = 0;  // for new users; 0: unlimited
  std::uint32_t pop3_retention_days = 0;  // how long mail is kept for POP3 keep mode; 0: for ever
  Timestamp created;
  DomainKind kind = DomainKind::kMailboxes;
  bool checks_recipients = false;  // kRelay: recipients are asked for at the primary before they are taken
  mail::ReportLanguage language = mail::ReportLanguage::kEnglish;  // of reports to its users
  SendLimits limits;                                               // of each of its users
  /// Of all its users together; its messages a day also bound, apart, what its addresses forward.
  SendLimits total_limits;
  /// Its last DKIM key was removed, so it is to have none until somebody makes one. The store's own (RemoveDkimKey, PutDkimKey).
  bool is_without_keys = false;
  /// Another name of that domain (normalised): each of its addresses is the other's of the same local part, and it has none of
  /// its own. Empty: it is no alias. Of kMailboxes only; said when it is made, changed by RenameDomain.
  std::string alias_of = {};
  std::uint32_t own_aliases = 0;  // how many addresses each of its users may make for himself (store/own_alias.h); 0: none
};
inline constexpr std::uint32_t kMaxOwnAliases = 100;  // of one user

enum class Role : std::uint8_t {
  kUser,
  kServerAdmin,
  kDomainAdmin,  // of the domains in kAdministered (store/identity_reader.h)
};

struct UserRecord {
  AccountId account;          // assigned by the store on creation
  std::string address;        // canonical address, also the login name
  std::string password_hash;  // argon2id, PHC string format; empty: cannot log in
  std::uint32_t scram_iterations = 0;
  std::string scram_salt, scram_stored_key, scram_server_key;  // raw bytes, RFC 5802 §3
  bool is_disabled = false;                                    // no login, mail refused
  Role role = Role::kUser;
  std::uint64_t quota_bytes = 0;                     // 0: unlimited
  std::optional<std::uint32_t> pop3_retention_days;  // overrides the domain's
  MailboxId inbox;                                   // made with the user, never deleted
  Timestamp created;
  std::vector<std::string> forward_to;  // addresses his mail goes to; at most kMaxForwards
  bool keeps_copy = true;               // with forward_to: also into his inbox
  SendLimits limits;
  bool is_shared = false;  // nobody signs in to it: it has no password, and is used by delegates (store/grant_records.h)
};
inline constexpr std::size_t kMaxForwards = 10;         // more is an alias
inline constexpr std::size_t kMaxForwardedBytes = 640;  // of all addresses: the record must fit one row

struct Usage {
  std::uint64_t bytes = 0, messages = 0;
};

/// Who may write to a group.
enum class GroupWriters : std::uint8_t {
  kAnyone,
  kMembers,  // members, also those of a group in it
  kDomain,   // who has signed in and sends with an address of the group's domain
};
/// What makes an alias a group: it has a name, and may be closed to others.
struct GroupTraits {
  std::string display_name;  // UTF-8, at most kMaxGroupName bytes
  GroupWriters writers = GroupWriters::kAnyone;
};
inline constexpr std::size_t kMaxGroupName = 200;

/// Mail for `address` goes to all `targets`. `address` is "local@domain", or "@domain" for a catch-all.
struct AliasRecord {
  std::string address;
  std::vector<std::string> targets;
  Timestamp created;
  std::optional<GroupTraits> group = std::nullopt;  // then the targets are its members; never of a catch-all
  AccountId owner = {};                             // who made it for himself (PutOwnAlias); 0: an admin did
};

struct TokenRecord {
  std::string id;                   // public, random
  std::string name;                 // what the admin calls it
  std::string secret_hash;          // SHA-256 of the secret part, raw
  std::vector<std::string> scopes;  // e.g. "admin", "read"
  std::optional<Timestamp> expires;
  Timestamp created;
};

enum class SpecialUse : std::uint8_t { kNone, kDrafts, kSent, kJunk, kTrash, kArchive };  // RFC 6154

struct MailboxRecord {
  MailboxId mailbox;
  AccountId account;
  std::string name;  // UTF-8, hierarchy separator '/', "INBOX" exactly so
  std::uint32_t uid_validity = 0;
  Uid uid_next{1};
  ModSeq highest_modseq{1};
  Uid recent_from{1};  // messages from here on have not been announced as \Recent yet (RFC 3501 §2.3.2)
  std::uint32_t messages = 0, unseen = 0, deleted = 0;
  std::uint64_t bytes = 0;
  SpecialUse special_use = SpecialUse::kNone;
};

/// System flags as bits (RFC 9051 §2.3.2).
namespace flag {
inline constexpr std::uint8_t kSeen = 1, kAnswered = 2, kFlagged = 4, kDeleted = 8, kDraft = 16;
}

inline constexpr std::size_t kMaxKeywordsPerMailbox = 64;  // one bit each in a message record
inline constexpr std::size_t kMaxKeywordLength = 100;

struct MessageRecord {
  Uid uid;
  std::uint8_t flags = 0;
  std::uint64_t keywords = 0;  // bit i: name i of the mailbox's keyword list
  ModSeq modseq;
  std::uint32_t size = 0;   // RFC822.SIZE
  Timestamp internal_date;  // whole seconds
  Timestamp save_date;      // whole seconds
  BlobId blob;
};

struct UidRange {
  Uid first, last;  // inclusive
  friend bool operator==(const UidRange&, const UidRange&) = default;
};
/// Ascending, disjoint, not adjacent.
using UidSet = std::vector<UidRange>;

}  // namespace posthus::store
