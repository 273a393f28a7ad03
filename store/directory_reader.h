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
  };
  Kind kind = Kind::kNoSuchUser;
  std::vector<MailboxId> inboxes;  // distinct
  std::vector<std::string> remote_targets;
  bool checks_recipients = false;  // kRelay: the primary is to be asked
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
  /// Who answers for the server: the first server admin that is not disabled; without any, the oldest user.
  Result<std::optional<UserRecord>> first_server_admin() const;
  Result<Usage> usage(AccountId account) const;
  Result<std::optional<AliasRecord>> alias(std::string_view address) const;
  Result<std::optional<TokenRecord>> token(std::string_view id) const;

  /// Exact user, then exact alias, then both without plus-detail, then the catch-all. "postmaster" with a domain of ours or
  /// none always resolves: by that name, else to the first server admin, else to the oldest user (RFC 5321 §4.5.1). Others
  /// without a domain belong to our only one, if there is just one. `message_size`: for the quota; 0 when it was not said.
  Result<Resolution> resolve(const mail::Address& recipient, std::uint64_t message_size,
                             QuotaCheck quota = QuotaCheck::kCounts) const;
  /// May this account send as `sender` (envelope or From)? Its own address with any plus-detail, or an alias (not a
  /// catch-all) that names it.
  Result<bool> may_send_as(AccountId account, const mail::Address& sender) const;
  /// POP3 keep mode: the user's retention or else the domain's; 0 for ever.
  Result<std::uint32_t> pop3_retention_days(AccountId account) const;

  Result<Page<DomainRecord>> domains(std::string_view after, std::size_t limit) const;
  /// `domain` (any spelling) empty: all. kInvalid when it or `after` is none.
  Result<Page<UserRecord>> users(std::string_view domain, std::string_view after, std::size_t limit) const;
  Result<Page<AliasRecord>> aliases(std::string_view domain, std::string_view after, std::size_t limit) const;
  Result<Page<TokenRecord>> tokens(std::string_view after, std::size_t limit) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
