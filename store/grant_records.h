// Grants: what one account may do with the mailboxes of another, and in its name. A shared mailbox is an account nobody signs
// in to, with grants. Thread rule: values.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::store {

/// Of all mailboxes of the owner. Each includes those before it.
enum class MailboxAccess : std::uint8_t {
  kNone,  // sees none of them: for who only sends in the owner's name
  kRead,  // sees and reads; changes nothing, not even \Seen
  kFull,  // whatever the owner may do with messages and mailboxes
};

struct GrantRecord {
  AccountId owner, delegate;
  MailboxAccess access = MailboxAccess::kNone;
  bool may_send = false;  // with the owner's addresses as sender
  Timestamp created;      // set by the store
};

/// Of one owner, and to one delegate: each LIST of a delegate looks at all of his.
inline constexpr std::size_t kMaxGrants = 200;

/// Grants, or changes what is granted. With access, the delegate is subscribed to the owner's mailboxes when he gets it. Errors:
/// kNotFound when one of the two is no user; kInvalid when nothing is granted, to oneself or to an account nobody signs in to;
/// kTooLarge.
struct PutGrant {
  GrantRecord grant;
};
/// kNotFound when there is none. The subscriptions go with it.
struct RemoveGrant {
  AccountId owner, delegate;
};

}  // namespace posthus::store
