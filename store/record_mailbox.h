// Encodings of a mailbox's records: the mailbox itself, its keyword names, and rows of expunged uids. Message records
// are in message_page.h. Decoding arbitrary bytes gives a record or kCorrupt.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// Written with every change of a mailbox, so into a buffer that is used again.
void encode_mailbox_record(const MailboxRecord& record, std::string& out);
Result<MailboxRecord> decode_mailbox_record(std::string_view bytes);

/// Names by bit position, at most kMaxKeywordsPerMailbox.
std::string encode_keywords(const std::vector<std::string>& names);
Result<std::vector<std::string>> decode_keywords(std::string_view bytes);

/// One row of kExpunged holds at most this many ranges: 8 bytes each, a head of 7 and a key of 14.
inline constexpr std::size_t kExpungedRangesPerRow = 245;
static_assert(14 + 7 + kExpungedRangesPerRow * 8 <= kMaxKeyAndValue);
/// `when` (whole seconds) tells when tombstones have become old enough to be dropped.
struct ExpungedRow {
  Timestamp when;
  UidSet uids;
};
/// REQUIRES: row.uids.size() <= kExpungedRangesPerRow.
std::string encode_expunged_row(const ExpungedRow& row);
Result<ExpungedRow> decode_expunged_row(std::string_view bytes);

}  // namespace posthus::store
