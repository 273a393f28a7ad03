// AddMessage: one text, any number of mailboxes and recipients elsewhere. A handful of puts: blob, summary, per target page,
// mailbox, usage, per recipient its row and when it is due.
#include <map>

#include "core/base/check.h"
#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/keyword_names.h"
#include "store/long_value.h"
#include "store/page_walk.h"
#include "store/queue_rows.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

constexpr std::size_t kMaxTargets = 10'000;  // what one recipient can expand to (kMaxExpandedAddresses)
constexpr std::size_t kMaxQueueText = 1000;  // addresses are below 700 bytes however they are quoted, ORCPT below 500

std::uint8_t system_flags(std::uint8_t flags) {
  return flags & (flag::kSeen | flag::kAnswered | flag::kFlagged | flag::kDeleted | flag::kDraft);
}

/// kStrict: does what each account is to get fit?
Result<> check_quota(const Snapshot& snapshot, const std::map<std::uint32_t, std::uint64_t>& bytes_by_account) {
  for (const auto& [account, bytes] : bytes_by_account) {
    const auto user = POSTHUS_TRY(get_user(snapshot, AccountId(account)));
    if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account));
    if (user->quota_bytes == 0) continue;
    const Usage usage = POSTHUS_TRY(get_usage(snapshot, AccountId(account)));
    if (usage.bytes >= user->quota_bytes || bytes > user->quota_bytes - usage.bytes)
      return fail(ErrorKind::kOverQuota, user->address);
  }
  return {};
}

Result<> check_targets(const Snapshot& snapshot, const AddMessage& request) {
  if (request.targets.empty() && !request.queue) return fail(ErrorKind::kInvalid, "message without target");
  if (request.targets.size() > kMaxTargets) return fail(ErrorKind::kTooLarge, "message with too many targets");
  std::map<std::uint32_t, std::uint64_t> bytes_by_account;
  for (const Target& target : request.targets) {
    const MailboxRecord mailbox = POSTHUS_TRY(existing_mailbox(snapshot, target.mailbox));
    if (mailbox.uid_next.value >= UINT32_MAX - request.targets.size())
      return fail(ErrorKind::kTooLarge, "mailbox is out of UIDs");
    if (request.quota == QuotaRule::kStrict) bytes_by_account[mailbox.account.value] += request.message.size();
    if (target.keywords.empty()) continue;
    KeywordNames keywords = POSTHUS_TRY(KeywordNames::load(snapshot, target.mailbox));
    for (const std::string& name : target.keywords) POSTHUS_TRY_VOID(keywords.find_or_add(name));
  }
  return check_quota(snapshot, bytes_by_account);
}

bool fits(const QueueEntry& entry) {
  return entry.reverse_path.size() <= kMaxQueueText && entry.envelope_id.size() <= kMaxQueueText &&
         entry.hold_reason.size() <= kMaxQueueText && entry.extra_header.size() <= kMaxExtraHeader &&
         entry.signing_domain.size() <= kMaxQueueText;
}
bool fits(const QueuedRecipient& recipient) {
  for (const std::string* text : {&recipient.address, &recipient.domain, &recipient.original_recipient, &recipient.reverse_path,
                                  &recipient.route, &recipient.last_host, &recipient.last_reply, &recipient.forwarder}) {
    if (text->size() > kMaxQueueText) return false;
  }
  return true;
}

Result<> check_queue(const Snapshot& snapshot, const AddMessage& request) {
  if (request.queue.has_value() == request.recipients.empty()) return fail(ErrorKind::kInvalid, "queue entry and recipients");
  if (request.trace.size() > kMaxTraceEvent) return fail(ErrorKind::kTooLarge, "trace of a message");
  if (request.id.value == 0 && (request.queue || !request.trace.empty())) return fail(ErrorKind::kInvalid, "message without id");
  if (!request.queue) return {};
  if (request.recipients.size() > kMaxQueuedRecipients) return fail(ErrorKind::kTooLarge, "message with too many recipients");
  if (request.queue->local_header_bytes > request.message.size()) return fail(ErrorKind::kInvalid, "length of the local header");
  if (!fits(*request.queue)) return fail(ErrorKind::kTooLarge, "queue entry");
  for (const QueuedRecipient& recipient : request.recipients) {
    if (recipient.address.empty() || recipient.domain.empty() || recipient.next_attempt < Timestamp{}) {
      return fail(ErrorKind::kInvalid, "queued recipient");
    }
    if (!fits(recipient)) return fail(ErrorKind::kTooLarge, "queued recipient");
  }
  if (request.sent && !POSTHUS_TRY(get_user(snapshot, request.sent->account)))
    return fail(ErrorKind::kNotFound, "sender's account");
  if (POSTHUS_TRY(get_queue_entry(snapshot, request.id))) return fail(ErrorKind::kExists, "queue id");
  if (request.queue_rule == QueueRule::kRestored) return {};
  return check_waiting(snapshot, *request.queue, request.recipients);
}

Result<std::uint64_t> put_target_keywords(WriteTransaction& transaction, const Target& target) {
  if (target.keywords.empty()) return 0;
  KeywordNames keywords = POSTHUS_TRY(KeywordNames::load(transaction, target.mailbox));
  std::uint64_t bits = 0;
  for (const std::string& name : target.keywords) bits |= POSTHUS_TRY(keywords.find_or_add(name));
  POSTHUS_TRY_VOID(keywords.store(transaction, target.mailbox));
  return bits;
}

Result<AddedMessage> put_into(ApplyContext& context, const AddMessage& request, const Target& target) {
  WriteTransaction& transaction = context.transaction;
  MailboxRecord mailbox = POSTHUS_TRY(existing_mailbox(transaction, target.mailbox));
  mailbox.highest_modseq.value += 1;
  MessageRecord message;
  message.uid = mailbox.uid_next;
  message.flags = system_flags(target.flags);
  message.keywords = POSTHUS_TRY(put_target_keywords(transaction, target));
  message.modseq = mailbox.highest_modseq;
  message.size = static_cast<std::uint32_t>(request.message.size());
  message.internal_date = request.internal_date;
  message.save_date = context.now;
  message.blob = context.placement->blob;
  PageAppender pages(transaction, target.mailbox);
  POSTHUS_TRY_VOID(pages.append(message));
  POSTHUS_TRY_VOID(pages.flush());

  mailbox.uid_next.value += 1;
  mailbox.messages += 1;
  mailbox.bytes += message.size;
  if ((message.flags & flag::kSeen) == 0) mailbox.unseen += 1;
  if ((message.flags & flag::kDeleted) != 0) mailbox.deleted += 1;
  POSTHUS_TRY_VOID(put_mailbox(transaction, mailbox));
  Usage usage = POSTHUS_TRY(get_usage(transaction, mailbox.account));
  usage.bytes += message.size;
  usage.messages += 1;
  POSTHUS_TRY_VOID(put_usage(transaction, mailbox.account, usage));
  context.changed.push_back(mailbox.mailbox);
  return AddedMessage{mailbox.mailbox, mailbox.uid_validity, message.uid};
}

Result<> put_blob(ApplyContext& context, const AddMessage& request) {
  const BlobPlacement& placement = *context.placement;
  BlobRecord blob;
  blob.segment = placement.segment;
  blob.offset = placement.offset;
  blob.length = placement.length;
  blob.references = static_cast<std::uint32_t>(request.targets.size() + (request.queue ? 1 : 0));
  blob.checksum = request.message.checksum();
  const std::string key = blob_key(placement.blob);
  POSTHUS_TRY_VOID(context.transaction.put(Table::kBlobs, key, encode_blob_record(blob)));
  return put_long_value(context.transaction, Table::kSummaries, key, request.message.encoded_summary());
}

Result<> put_queue(ApplyContext& context, const AddMessage& request, const Sending& sending) {
  QueueEntry entry = *request.queue;
  if (sending.record.is_held && !entry.is_held) {
    entry.is_held = true;
    entry.hold_reason = sending.record.hold_reason;
  }
  entry.id = request.id;
  entry.blob = context.placement->blob;
  entry.size = request.message.size();
  if (entry.accepted == Timestamp{}) entry.accepted = context.now;
  POSTHUS_TRY_VOID(put_queue_entry(context.transaction, entry));
  POSTHUS_TRY_VOID(context.transaction.put(Table::kQueueSizes, queue_size_key(entry.size, entry.id), {}));
  std::uint16_t number = kEntryNumber;
  for (QueuedRecipient recipient : request.recipients) {
    recipient.number = ++number;
    POSTHUS_TRY_VOID(put_new_recipient(context.transaction, entry, recipient));
  }
  if (request.queue_rule == QueueRule::kNew) POSTHUS_TRY_VOID(count_forwards(context, request.recipients));
  return count_waiting(context.transaction, entry, request.recipients, Waits::kMore);
}

}  // namespace

Result<> check_message(const ApplyContext& context, const AddMessage& request) {
  CHECK(context.placement.has_value());
  if (request.message.size() > UINT32_MAX) return fail(ErrorKind::kTooLarge, "message of more than 4 GiB");
  POSTHUS_TRY_VOID(check_queue(context.transaction, request));
  return check_targets(context.transaction, request);
}

Result<WriteOutcome> put_message(ApplyContext& context, const AddMessage& request) {
  POSTHUS_TRY_VOID(put_blob(context, request));
  Sending sending;
  if (request.sent) {
    sending = POSTHUS_TRY(count_sending(context, *request.sent));
    POSTHUS_TRY_VOID(put_sending(context, sending));
  }
  if (request.queue) POSTHUS_TRY_VOID(put_queue(context, request, sending));
  if (!request.trace.empty()) POSTHUS_TRY_VOID(append_trace(context.transaction, request.id, {request.trace}));
  WriteOutcome outcome;
  outcome.added.reserve(request.targets.size());
  for (const Target& target : request.targets) outcome.added.push_back(POSTHUS_TRY(put_into(context, request, target)));
  outcome.has_begun_hold = sending.has_begun_hold;
  if (outcome.added.empty()) return outcome;
  outcome.mailbox = outcome.added.front().mailbox;
  outcome.uid_validity = outcome.added.front().uid_validity;
  return outcome;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const AddMessage& request) {
  POSTHUS_TRY_VOID(check_message(context, request));
  return put_message(context, request);
}

}  // namespace posthus::store
