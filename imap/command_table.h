// The table of commands: what each is called, when it is legal and how it behaves, on one screen (command_table.cc).
// Thread rule: constant data.
#pragma once

#include <cstdint>
#include <string_view>

#include "imap/execution.h"

namespace posthus::imap {

/// Protocol states (RFC 9051 §3) as bits.
enum class States : std::uint8_t { kNotAuthenticated = 1, kAuthenticated = 2, kSelected = 4, kLoggedIn = 6, kAny = 7 };
constexpr bool is_legal(States legal, States now) { return (static_cast<int>(legal) & static_cast<int>(now)) != 0; }

/// Untagged updates of the selected mailbox after the command.
enum class Updates : std::uint8_t { kNone, kWithoutExpunge, kAll };

struct CommandRow {
  std::string_view verb;  // upper case, "UID FETCH" for UID forms
  States legal;
  Grammar grammar;
  Making (*make)(SessionState&, Arguments, Numbers);
  Numbers numbers;  // how its message set is meant
  Updates updates;  // may it report EXPUNGE?
};

/// Reads the verb (with "UID " in front) and moves past it; nullptr for an unknown one.
const CommandRow* find_command(Scanner& scanner);
/// Counts a command in the metrics, under its verb; `row` null: one we do not know.
void count_command(const CommandRow* row);
/// The row of APPEND, whose arguments are parsed apart.
const CommandRow& append_row();

}  // namespace posthus::imap
