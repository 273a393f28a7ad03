// Reads the directory (domains, users, aliases, tokens) in one snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/mail/address.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// One page of a list, in key order. `next` is passed as `after` for the following page; empty at the end.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;
};

/// A member of an alias, or where a user forwards to, that is passed over because others are left.
struct SkippedMember {
  enum class Reason : std::uint8_t { kDisabled, kUnknown, kFull };
  std::string address;
  Reason reason = Reason::kUnknown;
};
/// "disabled", "unknown", "full".
std::string_view to_string(SkippedMember::Reason reason);
inline constexpr std::size_t kMaxSkippedMembers = 100;  // of one recipient; of more nobody is told

/// What an envelope recipient means here.
struct Resolution {
  enum class Kind : std::uint8_t {
    kLocal,         // deliver into `inboxes`
    kNoSuchDomain,  // not ours: relaying is somebody else's decision
    kNoSuchUser,
    kDisabled,  // the user or the domain is disabled
    kOverQuota,
    kRemoteAlias,  // an alias or a forwarding user: goes (also) to `remote_targets`
    kRelay,        // of a domain whose mailboxes are elsewhere: we are its backup MX
    kAliasLoop,    // aliases nested deeper than kMaxAliasDepth
    kOnlyMembers,  // a group, and the writer is not of it
    kOnlyDomain,   // a group, and the writer is not of its domain
  };
  Kind kind = Kind::kNoSuchUser;
  std::vector<MailboxId> inboxes;  // distinct
  std::vector<std::string> remote_targets;
  /// kLocal, kRemoteAlias: users of ours who have no room for a copy of their own while others have: it is to wait in the queue.
  /// By their own address, so that nobody but them is asked again; what they forward is decided then as well.
  std::vector<std::string> full_members;
  std::vector<SkippedMember> skipped;  // likewise while others are left
  /// Of a relay domain whose primary is to be asked: for the recipient (kRelay), or for its only target (kRemoteAlias).
  bool checks_recipients = false;
  /// Who is forwarding to `remote_targets`: the user or alias that the recipient is, as the directory names it ("@example.org": a
  /// catch-all), whatever stands behind it. Empty: nobody of ours was found.
  std::string forwarder;
};

/// Who writes to a recipient, for groups that are not open to all.
struct GroupWriter {
  std::optional<mail::Address> address;  // the reverse-path; nothing: the null reverse-path
  AccountId account;                     // who has signed in; 0: nobody has
};

/// Of reports and notices of our own: they are small, few, and nobody else would tell the owner of a full mailbox.
enum class QuotaCheck : bool { kNone, kCounts };

inline constexpr int kMaxAliasDepth = 10;
inline constexpr std::size_t kMaxAliasTargets = 1000;

/// REQUIRES: the snapshot outlives the reader.
class DirectoryReader {
 public:
  explicit DirectoryReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<DomainRecord>> domain(std::string_view normalised_name) const;
  Result<std::optional<UserRecord>> user(std::string_view address) const;  // any case
  Result<std::optional<UserRecord>> user(AccountId account) const;
  /// Who signs in with that name: his address, in his domain or in another name of it.
  Result<std::optional<UserRecord>> user_of_login(std::string_view login) const;
  /// Who answers for the server: the first server admin that is not disabled; without any, the oldest user.
  Result<std::optional<UserRecord>> first_server_admin() const;
  Result<Usage> usage(AccountId account) const;
  Result<std::optional<AliasRecord>> alias(std::string_view address) const;  // not a group
  Result<std::optional<AliasRecord>> group(std::string_view address) const;
  Result<std::optional<TokenRecord>> token(std::string_view id) const;

  /// Exact user, then exact alias, then both without plus-detail, then the catch-all. "postmaster" with a domain of ours or
  /// none always resolves: by that name, else to the first server admin, else to the oldest user (RFC 5321 §4.5.1). Others
  /// without a domain belong to our only one, if there is just one. `message_size`: for the quota; 0 when it was not said.
  /// Groups are open to what the server itself sends.
  Result<Resolution> resolve(const mail::Address& recipient, std::uint64_t message_size,
                             QuotaCheck quota = QuotaCheck::kCounts) const;
  /// The same for a message of somebody: a group he may not write to is refused. What an admin made part of another alias or
  /// group is open to whoever may write to that one; a user's own forward leads into a group only if the user may write to it.
  Result<Resolution> resolve(const mail::Address& recipient, std::uint64_t message_size, const GroupWriter& writer) const;
  /// Is `address` one of this account? Its own with any plus-detail, or an alias (neither a catch-all nor a group) that
  /// names it.
  Result<bool> is_address_of(AccountId account, const mail::Address& address) const;
  /// May this account send as `sender` (envelope or From)? With its own addresses, and with those of an account that granted it
  /// (store/grant_records.h) and is not disabled.
  Result<bool> may_send_as(AccountId account, const mail::Address& sender) const;
  /// POP3 keep mode: the user's retention or else the domain's; 0 for ever.
  Result<std::uint32_t> pop3_retention_days(AccountId account) const;

  Result<Page<DomainRecord>> domains(std::string_view after, std::size_t limit) const;
  /// `domain` (any spelling) empty: all. kInvalid when it or `after` is none.
  Result<Page<UserRecord>> users(std::string_view domain, std::string_view after, std::size_t limit) const;
  Result<Page<AliasRecord>> aliases(std::string_view domain, std::string_view after, std::size_t limit) const;
  Result<Page<AliasRecord>> groups(std::string_view domain, std::string_view after, std::size_t limit) const;
  Result<Page<TokenRecord>> tokens(std::string_view after, std::size_t limit) const;

 private:
  enum class AliasKind : bool { kAlias, kGroup };
  Result<std::optional<AliasRecord>> alias_of(std::string_view address, AliasKind kind) const;
  Result<Page<AliasRecord>> alias_page(std::string_view domain, std::string_view after, std::size_t limit, AliasKind kind) const;

  const Snapshot& snapshot_;
};

}  // namespace posthus::store
