// The grammar of commands (RFC 9051 §9 and the extensions we announce): one function per rule. Input is one complete
// command as framed by command_frame.h. Outcomes: a value; a syntax error (kInvalid, answered with BAD); or kDenied for
// what is well-formed but cannot be meant, such as an impossible mailbox name (answered with NO [CANNOT]).
// Thread rule: none, pure functions.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "imap/command.h"
#include "imap/response_writer.h"
#include "imap/scanner.h"

namespace posthus::imap {

/// The arguments of a command, from behind its verb to the end of the command.
Result<Arguments> arguments(Scanner& scanner, Grammar grammar, NameForm form);

/// Removes the line end of a complete command.
std::string_view without_line_end(std::string_view command);

/// APPEND up to the announcement of the message literal: `text` ends with it ("{310}" and the line end). kIncomplete when
/// the literal is not the message yet but the mailbox name.
enum class AppendOutcome : std::uint8_t { kHead, kIncomplete, kError };
struct AppendHead {
  AppendOutcome outcome = AppendOutcome::kError;
  std::string tag;
  AppendArguments arguments;
  Error error;
};
AppendHead append_head(std::string_view text, NameForm form);

/// Does the command that begins with `text` have this verb? Looks at the tag and the verb only.
bool has_verb(std::string_view text, std::string_view verb);

}  // namespace posthus::imap
