// RecordAttempt and AddTrace: what became of recipients elsewhere. RFC 5321 §4.5.4.1: a recipient waits until he has the
// message or it is given up.
#include <algorithm>

#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/message_removal.h"
#include "store/queue_rows.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

/// At most `limit` bytes, and no character cut in two.
std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return std::string(text.substr(0, limit));
}

/// The recipient as he is after an attempt that did not end his waiting.
QueuedRecipient deferred(const QueuedRecipient& before, const RecipientOutcome& outcome, Timestamp now) {
  QueuedRecipient after = before;
  after.is_delay_reported = before.is_delay_reported || outcome.is_delay_reported;
  // WHY: what was ordered while the attempt ran is due when the admin said.
  const bool is_ordered = before.must_bounce || (outcome.was_due_at && *outcome.was_due_at != before.next_attempt);
  if (!is_ordered || !outcome.was_attempted) after.next_attempt = std::max(outcome.next_attempt, Timestamp{});
  if (outcome.was_attempted) {
    after.attempts += 1;
    after.last_attempt = now;
  }
  if (outcome.was_attempted || !outcome.last_host.empty()) after.last_host = cut(outcome.last_host, kMaxRemoteWords);
  if (outcome.was_attempted || !outcome.last_reply.empty()) after.last_reply = cut(outcome.last_reply, kMaxRemoteWords);
  return after;
}

Result<> record_outcomes(ApplyContext& context, const QueueEntry& entry, const std::vector<RecipientOutcome>& outcomes) {
  std::vector<QueuedRecipient> done;
  for (const RecipientOutcome& outcome : outcomes) {
    const auto recipient = POSTHUS_TRY(get_queued_recipient(context.transaction, entry.id, outcome.number));
    if (!recipient) continue;
    if (outcome.kind == RecipientOutcome::Kind::kDone) {
      POSTHUS_TRY_VOID(erase_recipient(context.transaction, entry, *recipient));
      done.push_back(*recipient);
      continue;
    }
    const QueuedRecipient after = deferred(*recipient, outcome, context.now);
    POSTHUS_TRY_VOID(replace_recipient(context.transaction, {entry, *recipient}, {entry, after}));
  }
  if (done.empty()) return {};
  POSTHUS_TRY_VOID(count_waiting(context.transaction, entry, done, Waits::kLess));
  bool is_anybody_left = false;
  POSTHUS_TRY_VOID(context.transaction.scan(Table::kQueue, queue_key(entry.id, 1), end_of_prefix(id_prefix(entry.id)),
                                            [&is_anybody_left](std::string_view, std::string_view) {
                                              is_anybody_left = true;
                                              return Visit::kStop;
                                            }));
  return is_anybody_left ? Result<>() : erase_queue_entry(context, entry);
}

Result<> check_events(const std::vector<std::string>& events) {
  // As many as recipients, since each may have ended in his own way.
  if (events.size() > kMaxQueuedRecipients) return fail(ErrorKind::kTooLarge, "events of one attempt");
  const bool fits = std::ranges::all_of(events, [](const std::string& event) { return event.size() <= kMaxTraceEvent; });
  return fits ? Result<>() : fail(ErrorKind::kTooLarge, "event of a trace");
}

}  // namespace

Result<> erase_queue_entry(ApplyContext& context, const QueueEntry& entry) {
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kQueue, queue_key(entry.id, kEntryNumber)));
  POSTHUS_TRY_VOID(context.transaction.erase(Table::kQueueSizes, queue_size_key(entry.size, entry.id)));
  return release_blob(context, entry.blob);
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RecordAttempt& request) {
  if (request.id.value == 0) return fail(ErrorKind::kInvalid, "attempt without queue id");
  if (request.outcomes.size() > kMaxQueuedRecipients) return fail(ErrorKind::kTooLarge, "outcomes of one attempt");
  POSTHUS_TRY_VOID(check_events(request.trace));
  if (request.report) POSTHUS_TRY_VOID(check_message(context, *request.report));
  const auto entry = POSTHUS_TRY(get_queue_entry(context.transaction, request.id));
  if (entry) {
    POSTHUS_TRY_VOID(record_outcomes(context, *entry, request.outcomes));
    if (entry->origin == QueueOrigin::kSubmission) POSTHUS_TRY_VOID(count_bounces(context, entry->account, request.failures));
  }
  POSTHUS_TRY_VOID(append_trace(context.transaction, request.id, request.trace));
  return request.report ? put_message(context, *request.report) : WriteOutcome();
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const AddTrace& request) {
  POSTHUS_TRY_VOID(check_events({request.json}));
  if (request.json.empty()) return fail(ErrorKind::kInvalid, "empty event");
  if (!POSTHUS_TRY(has_prefix(context.transaction, Table::kTrace, id_prefix(request.id)))) {
    return fail(ErrorKind::kNotFound, "message without trace");
  }
  POSTHUS_TRY_VOID(append_trace(context.transaction, request.id, {request.json}));
  return WriteOutcome{};
}

}  // namespace posthus::store
