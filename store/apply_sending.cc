// What accounts send is counted in the transaction of the message itself, so that no crash and no second session can make
// a limit forget. RFC 6409 §5.2 (policy on submission).
#include <algorithm>
#include <map>

#include "core/base/bytes.h"
#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/rows.h"
#include "store/sending_reader.h"

namespace posthus::store {
namespace {

/// Rows of recipients written to often are not written again every time.
constexpr std::uint32_t kRefreshDays = 7;

std::string day_value(std::uint32_t day) {
  std::string value;
  append_u32(value, day);
  return value;
}

/// What leaves by a domain or an address, today.
Result<> add_sent_today(ApplyContext& context, std::string_view name, const SentMore& more) {
  SentToday record = POSTHUS_TRY(SendingReader(context.transaction).sent_today(name, context.now));
  record = counted(std::move(record), more, context.now);
  return context.transaction.put(Table::kSentToday, sent_today_key(name), encode_sent_today(record));
}

Result<> put_record(WriteTransaction& transaction, const SendingRecord& record) {
  return transaction.put(Table::kSending, account_key(record.account), encode_sending_record(record));
}

}  // namespace

Result<Sending> count_sending(const ApplyContext& context, const SentCopies& sent) {
  const std::uint32_t today = day_of(context.now);
  Sending sending;
  std::uint32_t new_recipients = 0;
  for (const std::uint64_t recipient : sent.recipients) {
    const auto row = POSTHUS_TRY(context.transaction.get(Table::kKnownRecipients, known_recipient_key(sent.account, recipient)));
    if (!row) ++new_recipients;
    const std::uint32_t day = row ? ByteReader(*row).u32() : 0;
    if (!row || today > day + kRefreshDays) sending.recipients.push_back(recipient);
  }
  const SendingRecord before = POSTHUS_TRY(SendingReader(context.transaction).record(sent.account));
  sending.record = counted(before, sent, new_recipients, context.now);
  sending.has_begun_hold = sending.record.is_held && !before.is_held;
  sending.domain = sent.domain;
  sending.more = {
      .messages = static_cast<std::uint32_t>(sent.recipients.size()), .new_recipients = new_recipients, .forwards = 0};
  return sending;
}

Result<> put_sending(ApplyContext& context, const Sending& sending) {
  const std::string day = day_value(day_of(context.now));
  for (const std::uint64_t recipient : sending.recipients) {
    const std::string key = known_recipient_key(sending.record.account, recipient);
    POSTHUS_TRY_VOID(context.transaction.put(Table::kKnownRecipients, key, day));
  }
  if (!sending.domain.empty()) POSTHUS_TRY_VOID(add_sent_today(context, sending.domain, sending.more));
  return put_record(context.transaction, sending.record);
}

Result<> count_forwards(ApplyContext& context, const std::vector<QueuedRecipient>& recipients) {
  std::map<std::string_view, std::uint32_t> copies;  // by address, and by domain
  for (const QueuedRecipient& recipient : recipients) {
    if (recipient.forwarder.empty()) continue;
    // The copy of a member who has no room waits for our own listener: it is forwarded nowhere.
    const auto own = POSTHUS_TRY(get_domain(context.transaction, recipient.domain));
    if (own && own->kind == DomainKind::kMailboxes) continue;
    const std::string_view forwarder = recipient.forwarder;
    ++copies[forwarder];
    ++copies[forwarder.substr(forwarder.rfind('@') + 1)];
  }
  for (const auto& [name, count] : copies) {
    POSTHUS_TRY_VOID(add_sent_today(context, name, {.messages = 0, .new_recipients = 0, .forwards = count}));
  }
  return {};
}

Result<> count_bounces(ApplyContext& context, AccountId account, std::uint32_t bounces) {
  if (bounces == 0 || account.value == 0) return {};
  if (!POSTHUS_TRY(get_user(context.transaction, account))) return {};
  SendingRecord record = rolled(POSTHUS_TRY(SendingReader(context.transaction).record(account)), context.now);
  record.bounces = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{record.bounces} + bounces, UINT32_MAX));
  return put_record(context.transaction, record);
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const HoldAccount& request) {
  if (!POSTHUS_TRY(get_user(context.transaction, request.account))) {
    return fail(ErrorKind::kNotFound, "account " + std::to_string(request.account.value));
  }
  SendingRecord record = rolled(POSTHUS_TRY(SendingReader(context.transaction).record(request.account)), context.now);
  if (request.is_held) {
    if (!record.is_held) record.held_since = context.now;
    record.hold_reason = request.reason.substr(0, kMaxHoldReason);
  } else {
    // WHY: an admin has looked at it and let it pass; the same again must not be held again.
    record.usual_peak = std::max({record.usual_peak, record.window_messages, record.day_peak});
    record.bounces = 0;
    record.hold_reason.clear();
    record.held_since = {};
  }
  record.is_held = request.is_held;
  POSTHUS_TRY_VOID(put_record(context.transaction, record));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const NoteLimit& request) {
  const bool is_named = !request.name.empty() && request.name.size() <= kMaxForwarder;
  if (!is_named || request.met == MetLimit::kNone) return fail(ErrorKind::kInvalid, "note of a limit");
  SentToday record = POSTHUS_TRY(SendingReader(context.transaction).sent_today(request.name, context.now));
  if (record.met != MetLimit::kNone && record.met_limit >= request.limit) return WriteOutcome{};
  record.met = request.met;
  record.met_limit = request.limit;
  POSTHUS_TRY_VOID(context.transaction.put(Table::kSentToday, sent_today_key(request.name), encode_sent_today(record)));
  return WriteOutcome{};
}

}  // namespace posthus::store
