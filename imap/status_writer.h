// "* STATUS "name" (…)", for STATUS and for LIST with RETURN (STATUS (…)). Thread rule: as its session.
#pragma once

#include "imap/execution.h"

namespace posthus::imap {

/// Reads the mailbox only for RECENT; all else is in the record.
Result<> append_status(std::string& out, const store::Snapshot& snapshot, const store::MailboxRecord& record,
                       const StatusItems& items, NameForm form);

}  // namespace posthus::imap
