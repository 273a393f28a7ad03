// The table of commands. See command_table.h.
#include "imap/command_table.h"

#include <array>
#include <iterator>

#include "core/base/ascii.h"
#include "core/base/metrics.h"

namespace posthus::imap {
namespace {

using enum States;
constexpr Numbers kNo = Numbers::kNone, kSeq = Numbers::kSequence, kUid = Numbers::kUid;
constexpr Updates kQuiet = Updates::kNone, kHold = Updates::kWithoutExpunge, kAll = Updates::kAll;

Making append_without_literal(SessionState&, Arguments, Numbers) { return nullptr; }

constexpr CommandRow kCommands[] = {
    // verb           legal              grammar                 maker             numbers  updates
    // clang-format off
    {"CAPABILITY",    kAny,              Grammar::kNone,         make_capability,   kNo,     kQuiet},
    {"NOOP",          kAny,              Grammar::kNone,         make_noop,         kNo,     kAll},
    {"LOGOUT",        kAny,              Grammar::kNone,         make_logout,       kNo,     kQuiet},
    {"ID",            kAny,              Grammar::kId,           make_id,           kNo,     kQuiet},
    {"STARTTLS",      kNotAuthenticated, Grammar::kNone,         make_starttls,     kNo,     kQuiet},
    {"AUTHENTICATE",  kNotAuthenticated, Grammar::kAuthenticate, make_authenticate, kNo,     kQuiet},
    {"LOGIN",         kNotAuthenticated, Grammar::kLogin,        make_login,        kNo,     kQuiet},
    {"ENABLE",        kLoggedIn,         Grammar::kEnable,       make_enable,       kNo,     kQuiet},
    {"NAMESPACE",     kLoggedIn,         Grammar::kNone,         make_namespace,    kNo,     kAll},
    {"SELECT",        kLoggedIn,         Grammar::kMailbox,      make_select,       kNo,     kQuiet},
    {"EXAMINE",       kLoggedIn,         Grammar::kMailbox,      make_examine,      kNo,     kQuiet},
    {"CREATE",        kLoggedIn,         Grammar::kCreate,       make_create,       kNo,     kAll},
    {"DELETE",        kLoggedIn,         Grammar::kMailbox,      make_delete,       kNo,     kAll},
    {"RENAME",        kLoggedIn,         Grammar::kRename,       make_rename,       kNo,     kAll},
    {"SUBSCRIBE",     kLoggedIn,         Grammar::kMailbox,      make_subscribe,    kNo,     kAll},
    {"UNSUBSCRIBE",   kLoggedIn,         Grammar::kMailbox,      make_unsubscribe,  kNo,     kAll},
    {"LIST",          kLoggedIn,         Grammar::kList,         make_list,         kNo,     kAll},
    {"LSUB",          kLoggedIn,         Grammar::kLsub,         make_lsub,         kNo,     kAll},
    {"STATUS",        kLoggedIn,         Grammar::kStatus,       make_status,       kNo,     kAll},
    {"APPEND",        kLoggedIn,         Grammar::kAppend,       append_without_literal, kNo, kAll},
    {"IDLE",          kLoggedIn,         Grammar::kNone,         make_idle,         kNo,     kAll},
    {"CHECK",         kSelected,         Grammar::kNone,         make_noop,         kNo,     kAll},  // RFC 3501 §6.4.1
    {"CLOSE",         kSelected,         Grammar::kNone,         make_close,        kNo,     kQuiet},
    {"UNSELECT",      kSelected,         Grammar::kNone,         make_unselect,     kNo,     kQuiet},
    {"EXPUNGE",       kSelected,         Grammar::kExpunge,      make_expunge,      kNo,     kAll},
    {"UID EXPUNGE",   kSelected,         Grammar::kUidExpunge,   make_expunge,      kUid,    kAll},
    {"SEARCH",        kSelected,         Grammar::kSearch,       make_search,       kSeq,    kHold},
    {"UID SEARCH",    kSelected,         Grammar::kSearch,       make_search,       kUid,    kAll},
    {"FETCH",         kSelected,         Grammar::kFetch,        make_fetch,        kSeq,    kHold},
    {"UID FETCH",     kSelected,         Grammar::kFetch,        make_fetch,        kUid,    kAll},
    {"STORE",         kSelected,         Grammar::kStore,        make_store,        kSeq,    kHold},
    {"UID STORE",     kSelected,         Grammar::kStore,        make_store,        kUid,    kAll},
    {"COPY",          kSelected,         Grammar::kCopy,         make_copy,         kSeq,    kAll},
    {"UID COPY",      kSelected,         Grammar::kCopy,         make_copy,         kUid,    kAll},
    {"MOVE",          kSelected,         Grammar::kCopy,         make_move,         kSeq,    kAll},
    {"UID MOVE",      kSelected,         Grammar::kCopy,         make_move,         kUid,    kAll},
    // clang-format on
};

using Counters = std::array<metrics::Counter*, std::size(kCommands) + 1>;

// One for each row, and the last for whatever clients make up: names from the network never become labels.
Counters make_counters() {
  Counters counters{};
  for (std::size_t i = 0; i < counters.size(); ++i) {
    const std::string verb(i < std::size(kCommands) ? kCommands[i].verb : "unknown");
    counters[i] = &metrics::counter("posthus_imap_commands_total", "IMAP commands by verb", "verb=\"" + verb + "\"");
  }
  return counters;
}

}  // namespace

void count_command(const CommandRow* row) {
  static const Counters counters = make_counters();
  counters[row ? static_cast<std::size_t>(row - kCommands) : std::size(kCommands)]->add();
}

const CommandRow* find_command(Scanner& scanner) {
  const bool is_uid = scanner.take_prefix("UID ");
  const auto word = scanner.atom();
  if (!word) return nullptr;
  for (const auto& row : kCommands) {
    std::string_view verb = row.verb;
    if (verb.starts_with("UID ") != is_uid) continue;
    if (is_uid) verb.remove_prefix(4);
    if (ascii::equal_ignoring_case(verb, *word)) return &row;
  }
  return nullptr;
}

const CommandRow& append_row() {
  for (const auto& row : kCommands) {
    if (row.grammar == Grammar::kAppend) return row;
  }
  __builtin_unreachable();
}

}  // namespace posthus::imap
