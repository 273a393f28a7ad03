// The grammar of LIST, LSUB and STATUS items (RFC 9051 §9, RFC 5258 §6, RFC 5819 §4, RFC 6154 §6).
// Thread rule: none, pure functions.
#pragma once

#include "core/base/result.h"
#include "imap/command.h"
#include "imap/response_writer.h"
#include "imap/scanner.h"

namespace posthus::imap {

Result<MailboxArgument> mailbox(Scanner& scanner, NameForm form);
/// "(" status-att *(SP status-att) ")"
Result<StatusItems> status_att_list(Scanner& scanner);
Result<ListArguments> list(Scanner& scanner, NameForm form);
Result<ListArguments> lsub(Scanner& scanner, NameForm form);

}  // namespace posthus::imap
