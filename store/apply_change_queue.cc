// ChangeQueue: hold, release, retry, remove, bounce and reroute, of one message or of all that a filter names. In slices of
// whole messages, so that no message is ever half held; up to the message that was the last when it began.
#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/address.h"
#include "store/apply_kinds.h"
#include "store/hold_reason.h"
#include "store/queue_rows.h"

namespace posthus::store {

namespace {

constexpr std::size_t kMaxActionText = 500;  // a reason for people, or a route

/// No message is ever half held.
bool is_of_message(QueueAction action) { return action == QueueAction::kHold || action == QueueAction::kRelease; }

/// The filter with its domain written as queued recipients have it.
Result<QueueFilter> checked_filter(const ChangeQueue& request) {
  QueueFilter filter = request.filter;
  const bool restricts =
      filter.id.value != 0 || !filter.recipient_domain.empty() || !filter.reverse_path.empty() || filter.account.value != 0;
  if (!restricts && !filter.everything) return fail(ErrorKind::kInvalid, "a filter that names everything");
  if (filter.number != 0 && filter.id.value == 0) return fail(ErrorKind::kInvalid, "a recipient without queue id");
  if (filter.number != 0 && is_of_message(request.action)) return fail(ErrorKind::kInvalid, "a hold of one recipient");
  if (mail::is_domain_literal(filter.recipient_domain)) {
    filter.recipient_domain = POSTHUS_TRY(mail::parse_mailbox("x@" + filter.recipient_domain, mail::Utf8::kRefuse)).domain;
  } else if (!filter.recipient_domain.empty()) {
    filter.recipient_domain = POSTHUS_TRY(mail::normalise_domain(filter.recipient_domain));
  }
  if (request.text.size() > kMaxActionText) return fail(ErrorKind::kTooLarge, "text of an action");
  if (request.trace.size() > kMaxTraceEvent) return fail(ErrorKind::kTooLarge, "event of a trace");
  const bool is_route = request.text.empty() || request.text.starts_with("smtp://") || request.text.starts_with("smtps://");
  if (request.action == QueueAction::kReroute && !is_route) return fail(ErrorKind::kInvalid, "route " + request.text);
  return filter;
}

bool is_held_for_account(const QueueEntry& entry, std::string_view reason_of_account) {
  return decode_hold_reason(entry.hold_reason).code != HoldCode::kAdmin || entry.hold_reason == reason_of_account;
}

bool matches(const QueueFilter& filter, const QueueEntry& entry) {
  if (filter.held_for_account && !is_held_for_account(entry, *filter.held_for_account)) return false;
  if (filter.account.value != 0 && entry.account != filter.account) return false;
  if (filter.reverse_path.empty()) return true;
  return ascii::equal_ignoring_case(filter.reverse_path == "<>" ? std::string_view() : filter.reverse_path, entry.reverse_path);
}

bool matches(const QueueFilter& filter, const QueuedRecipient& recipient) {
  if (filter.number != 0 && recipient.number != filter.number) return false;
  return filter.recipient_domain.empty() || recipient.domain == filter.recipient_domain;
}

// WHY never what it was, nor soon again: an attempt that runs now is told by the difference (RecipientOutcome::was_due_at), and
// more than one order may come while it runs.
Timestamp made_due(Timestamp before) {
  if (before >= kAtOnce) return kAskedFor;
  return Timestamp{(before.microseconds + 1) % kAtOnce.microseconds};
}

/// One message under one action.
class Change {
 public:
  Change(ApplyContext& context, const ChangeQueue& request, const QueueFilter& filter)
      : context_(context), request_(request), filter_(filter) {}

  /// Does what is asked to the message, if the filter names it; returns how many recipients it touched.
  Result<std::uint64_t> apply_to(const QueuedMessage& message) {
    if (!matches(filter_, message.entry)) return 0;
    if (std::ranges::none_of(message.recipients, [this](const auto& recipient) { return matches(filter_, recipient); })) return 0;
    const std::uint64_t touched = POSTHUS_TRY(is_of_message(request_.action) ? change_hold(message) : change_recipients(message));
    if (touched > 0 && !request_.trace.empty()) {
      POSTHUS_TRY_VOID(append_trace(context_.transaction, message.entry.id, {request_.trace}));
    }
    return touched;
  }

  void name_destinations(WriteOutcome& outcome) {
    outcome.destinations = std::move(destinations_);
    outcome.has_more_destinations = has_more_destinations_;
  }

 private:
  Result<std::uint64_t> change_hold(const QueuedMessage& message);
  Result<std::uint64_t> change_recipients(const QueuedMessage& message);
  Result<bool> change(const QueueEntry& entry, const QueuedRecipient& recipient);
  void make_due(QueuedRecipient& recipient);

  std::set<std::uint64_t> destinations_;  // of recipients that were made due
  bool has_more_destinations_ = false;
  ApplyContext& context_;
  const ChangeQueue& request_;
  const QueueFilter& filter_;
};

void Change::make_due(QueuedRecipient& recipient) {
  recipient.next_attempt = made_due(recipient.next_attempt);
  const std::uint64_t destination = destination_hash(recipient.domain);
  if (destinations_.size() < kMaxNamedDestinations) {
    destinations_.insert(destination);
  } else {
    has_more_destinations_ = has_more_destinations_ || !destinations_.contains(destination);
  }
}

Result<std::uint64_t> Change::change_hold(const QueuedMessage& message) {
  const bool holds = request_.action == QueueAction::kHold;
  if (message.entry.is_held == holds) return 0;
  QueueEntry after = message.entry;
  after.is_held = holds;
  after.hold_reason = holds ? request_.text : std::string();
  POSTHUS_TRY_VOID(put_queue_entry(context_.transaction, after));
  for (const QueuedRecipient& recipient : message.recipients) {
    if (holds) {
      POSTHUS_TRY_VOID(replace_due(context_.transaction, {message.entry, recipient}, {after, recipient}));
      continue;
    }
    QueuedRecipient released = recipient;
    make_due(released);
    POSTHUS_TRY_VOID(replace_recipient(context_.transaction, {message.entry, recipient}, {after, released}));
  }
  return message.recipients.size();
}

Result<std::uint64_t> Change::change_recipients(const QueuedMessage& message) {
  std::uint64_t touched = 0;
  std::vector<QueuedRecipient> removed;
  for (const QueuedRecipient& recipient : message.recipients) {
    if (!matches(filter_, recipient) || !POSTHUS_TRY(change(message.entry, recipient))) continue;
    ++touched;
    if (request_.action == QueueAction::kRemove) removed.push_back(recipient);
  }
  POSTHUS_TRY_VOID(count_waiting(context_.transaction, message.entry, removed, Waits::kLess));
  if (request_.action == QueueAction::kRemove && touched == message.recipients.size()) {
    POSTHUS_TRY_VOID(erase_queue_entry(context_, message.entry));
  }
  return touched;
}

/// False when there was nothing to do: what is held is not tried.
Result<bool> Change::change(const QueueEntry& entry, const QueuedRecipient& recipient) {
  if (request_.action == QueueAction::kRemove) {
    POSTHUS_TRY_VOID(erase_recipient(context_.transaction, entry, recipient));
    return true;
  }
  if (request_.action == QueueAction::kRetryNow && !is_due(entry, recipient)) return false;
  QueuedRecipient after = recipient;
  if (request_.action == QueueAction::kBounce) after.must_bounce = true;
  if (request_.action == QueueAction::kReroute) after.route = request_.text;
  if (is_due(entry, after)) make_due(after);
  POSTHUS_TRY_VOID(replace_recipient(context_.transaction, {entry, recipient}, {entry, after}));
  return true;
}

/// The newest message of the queue; 0 when it is empty.
Result<QueueId> last_message(const Snapshot& snapshot) {
  QueueId last;
  POSTHUS_TRY_VOID(snapshot.scan_backward(Table::kQueue, {}, {}, [&last](std::string_view key, std::string_view) {
    if (const auto parsed = parse_numbered_key(key.substr(0, key.size() - 2))) last = parsed->id;
    return Visit::kStop;
  }));
  return last;
}

Result<WriteOutcome> change_one(ApplyContext& context, const ChangeQueue& request, const QueueFilter& filter) {
  const auto entry = POSTHUS_TRY(get_queue_entry(context.transaction, filter.id));
  if (!entry) return fail(ErrorKind::kNotFound, "not in the queue");
  const QueueReader reader(context.transaction);
  const QueuedMessage message{*entry, POSTHUS_TRY(reader.recipients(filter.id, 1, kMaxQueuedRecipients))};
  if (filter.number != 0 && !POSTHUS_TRY(reader.recipient(filter.id, filter.number))) {
    return fail(ErrorKind::kNotFound, "no such recipient in the queue");
  }
  WriteOutcome outcome;
  Change change(context, request, filter);
  outcome.messages = POSTHUS_TRY(change.apply_to(message));
  change.name_destinations(outcome);
  return outcome;
}

}  // namespace

// SliceProgress: position is the last message looked at, other the last one to look at.
Result<WriteOutcome> apply_kind(ApplyContext& context, const ChangeQueue& request) {
  const QueueFilter filter = POSTHUS_TRY(checked_filter(request));
  if (filter.id.value != 0) return change_one(context, request, filter);
  SliceProgress progress;
  if (context.progress) {
    progress = *context.progress;
  } else {
    progress.other = POSTHUS_TRY(last_message(context.transaction)).value;
  }
  WriteOutcome outcome;
  Change change(context, request, filter);
  for (std::size_t work = 0; progress.position < progress.other;) {
    if (work >= kSliceMessages) {
      context.next = progress;
      break;
    }
    const auto found =
        POSTHUS_TRY(QueueReader(context.transaction).messages(QueueId(progress.position), 1, kMaxQueuedRecipients));
    if (found.empty() || found[0].entry.id.value > progress.other) break;
    progress.position = found[0].entry.id.value;
    outcome.messages += POSTHUS_TRY(change.apply_to(found[0]));
    work += 1 + found[0].recipients.size();
  }
  change.name_destinations(outcome);
  return outcome;
}

}  // namespace posthus::store
