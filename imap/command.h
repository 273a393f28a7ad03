// Command: one parsed client command with typed arguments. Mailbox names are in the inner form (UTF-8, '/').
// Thread rule: none, values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "imap/fetch_items.h"
#include "imap/search_program.h"
#include "imap/sequence_set.h"
#include "store/records.h"
#include "store/write_request.h"

namespace posthus::imap {

/// A name as the client wrote it and as it is meant.
struct MailboxArgument {
  std::string name;     // inner form
  std::string written;  // decoded but not normalised: differs when OLDNAME has something to say (RFC 9051 §6.3.9.7)
};

struct NoArguments {};
struct LoginArguments {
  std::string user;
  Secret password;
};
struct AuthenticateArguments {
  std::string mechanism;
  std::optional<std::string> initial_response;  // base64 as it came, "=" for an empty one
};
struct EnableArguments {
  std::vector<std::string> capabilities;
};
struct CreateArguments {
  MailboxArgument mailbox;
  std::vector<std::string> uses;  // RFC 6154 §5.2, e.g. "\Sent"
};
struct RenameArguments {
  MailboxArgument from, to;
};

struct StatusItems {
  bool messages = false, uid_next = false, uid_validity = false, unseen = false, deleted = false, size = false, recent = false;
};
struct StatusArguments {
  MailboxArgument mailbox;
  StatusItems items;
};

/// LIST in all its forms (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154) and LSUB (RFC 3501 §6.3.9).
struct ListArguments {
  bool is_extended = false;
  bool select_subscribed = false, select_special_use = false, is_recursive_match = false;
  bool return_subscribed = false, return_children = false, return_special_use = false;
  std::optional<StatusItems> return_status;
  std::string reference;
  std::vector<std::string> patterns;  // reference and pattern joined, inner form; those that can match nothing are left out
  bool asks_separator = false;        // basic form with the empty pattern
};

struct FlagList {
  std::uint8_t flags = 0;
  std::vector<std::string> keywords;
};
struct AppendArguments {
  MailboxArgument mailbox;
  FlagList flags;
  std::optional<Timestamp> internal_date;
};
struct FetchArguments {
  SequenceSet set;
  std::vector<FetchItem> items;
};
struct StoreArguments {
  SequenceSet set;
  store::FlagChange change = store::FlagChange::kReplace;
  bool is_silent = false;
  FlagList flags;
};
struct CopyArguments {
  SequenceSet set;
  MailboxArgument mailbox;
};
struct ExpungeArguments {
  std::optional<SequenceSet> uids;  // UID EXPUNGE
};

using Arguments = std::variant<NoArguments, LoginArguments, AuthenticateArguments, EnableArguments, MailboxArgument,
                               CreateArguments, RenameArguments, StatusArguments, ListArguments, AppendArguments, FetchArguments,
                               StoreArguments, CopyArguments, ExpungeArguments, SearchProgram>;

/// What a command's arguments look like; which parser the table names for it.
enum class Grammar : std::uint8_t {
  kNone,
  kLogin,
  kAuthenticate,
  kEnable,
  kId,
  kMailbox,
  kCreate,
  kRename,
  kStatus,
  kList,
  kLsub,
  kAppend,
  kFetch,
  kStore,
  kCopy,
  kExpunge,
  kUidExpunge,
  kSearch,
};

}  // namespace posthus::imap
