// Rows of outgoing mail: keys, typed gets and puts. A due row always matches what the recipient's record says: only the
// functions here write either. Thread rule: that of the snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/queue_reader.h"
#include "store/queue_records.h"

namespace posthus::store {

/// The number of the queue entry; recipients begin with 1.
inline constexpr std::uint16_t kEntryNumber = 0;
/// A message's events are numbered 0 to this; whatever happens later takes the place of the last one, so that the end of a
/// message is always told.
inline constexpr std::uint16_t kLastTraceNumber = UINT16_MAX;

std::string queue_key(QueueId id, std::uint16_t number);                       // base of the long value in kQueue
std::string due_key(const DueRecipient& due);                                  // kQueueDue
std::string queue_size_key(std::uint64_t size, QueueId id);                    // kQueueSizes
std::string trace_key(QueueId id, std::uint16_t number);                       // base of the long value in kTrace
std::string id_prefix(QueueId id);                                             // of all rows of a message in kQueue and kTrace
std::string route_key(std::string_view name);                                  // base in kRoutes
std::string dkim_key_prefix(std::string_view domain);                          // of all keys of a domain
std::string dkim_key_key(std::string_view domain, std::string_view selector);  // base in kDkimKeys
std::string setting_key(std::string_view name);                                // base in kSettings

struct NumberedId {
  QueueId id;
  std::uint16_t number = 0;
};
std::optional<NumberedId> parse_numbered_key(std::string_view base);  // queue_key, trace_key
std::optional<DueRecipient> parse_due_key(std::string_view key);
struct SizedMessage {
  std::uint64_t size = 0;
  QueueId id;
};
std::optional<SizedMessage> parse_queue_size_key(std::string_view key);

DueRecipient due_of(QueueId id, const QueuedRecipient& recipient);
/// Has this recipient a due row? Not while its message is held, unless it is to be returned to the sender.
inline bool is_due(const QueueEntry& entry, const QueuedRecipient& recipient) { return !entry.is_held || recipient.must_bounce; }

Result<std::optional<QueueEntry>> get_queue_entry(const Snapshot& snapshot, QueueId id);
Result<std::optional<QueuedRecipient>> get_queued_recipient(const Snapshot& snapshot, QueueId id, std::uint16_t number);
/// Recipients from `first_number` on, in order, until `visit` stops.
Result<> scan_recipients(const Snapshot& snapshot, QueueId id, std::uint16_t first_number,
                         FunctionRef<Visit(QueuedRecipient recipient)> visit);

Result<> put_queue_entry(WriteTransaction& transaction, const QueueEntry& entry);
/// The row in kQueueSizes of every message, for stores that older versions wrote.
Result<> put_queue_sizes(WriteTransaction& transaction);
/// A recipient that was not there, with its due row.
Result<> put_new_recipient(WriteTransaction& transaction, const QueueEntry& entry, const QueuedRecipient& recipient);
/// `after` in place of `before`, due rows as well; the entries say what was held then and is now.
struct RecipientState {
  const QueueEntry& entry;
  const QueuedRecipient& recipient;
};
Result<> replace_recipient(WriteTransaction& transaction, const RecipientState& before, const RecipientState& after);
/// Only the due row, when the record itself does not change (its message is held).
Result<> replace_due(WriteTransaction& transaction, const RecipientState& before, const RecipientState& after);
Result<> erase_recipient(WriteTransaction& transaction, const QueueEntry& entry, const QueuedRecipient& recipient);

// ---- how much of one sender waits ----

/// Whom a copy counts for: the account that sent it, else the address here that forwards it, else the reverse-path (ASCII case
/// aside); 0: nobody (a report).
std::uint64_t queue_sender_hash(const QueueEntry& entry, const QueuedRecipient& recipient);
enum class Waits : bool { kLess, kMore };
/// These recipients of a message wait now, or no longer. Never below none: what was queued by versions that did not count is not
/// among them.
Result<> count_waiting(WriteTransaction& transaction, const QueueEntry& entry, const std::vector<QueuedRecipient>& recipients,
                       Waits waits);
/// The setting queue.copies_per_sender, or its default; 0: no limit.
Result<std::uint64_t> copies_per_sender(const Snapshot& snapshot);
Result<std::uint32_t> waiting_of(const Snapshot& snapshot, std::uint64_t sender_hash);
/// Is there room in the queue for these recipients, of whomever they count for (setting queue.copies_per_sender, or what the
/// account may send in a day)? Errors: kBusy, as a lack of room for now.
Result<> check_waiting(const Snapshot& snapshot, const QueueEntry& entry, const std::vector<QueuedRecipient>& recipients);

/// Adds events to a message's trace, in order.
Result<> append_trace(WriteTransaction& transaction, QueueId id, const std::vector<std::string>& events);

}  // namespace posthus::store
