// Rows of outgoing mail; see queue_rows.h.
#include "store/queue_rows.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_queue.h"
#include "store/sending_reader.h"

namespace posthus::store {

namespace {

constexpr std::size_t kNumberedKey = 10, kDueKey = 26, kQueueSizeKey = 16;
constexpr std::uint64_t kCopiesPerSender = 10'000;  // the default of queue.copies_per_sender: a full list of recipients

std::string numbered_key(QueueId id, std::uint16_t number) {
  std::string key;
  key.reserve(kNumberedKey + 2);
  append_u64(key, id.value);
  append_u16(key, number);
  return key;
}

template <class T>
Result<std::optional<T>> get_long_record(const Snapshot& snapshot, Table table, std::string_view base,
                                         Result<T> (*decode)(std::string_view)) {
  std::string buffer;
  const auto value = get_long_value(snapshot, table, base, buffer);
  if (!value && value.error().kind == ErrorKind::kNotFound) return std::nullopt;
  const std::string_view bytes = POSTHUS_TRY(value);
  return POSTHUS_TRY(decode(bytes));
}

/// The number the next event gets.
Result<std::uint16_t> next_trace_number(const Snapshot& snapshot, QueueId id) {
  std::optional<NumberedId> last;
  const std::string prefix = id_prefix(id);
  POSTHUS_TRY_VOID(
      snapshot.scan_backward(Table::kTrace, prefix, end_of_prefix(prefix), [&last](std::string_view key, std::string_view) {
        last = parse_numbered_key(key.substr(0, std::min(key.size(), kNumberedKey)));
        return Visit::kStop;
      }));
  if (!last) return 0;
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(last->number + 1u, kLastTraceNumber));
}

}  // namespace

std::uint64_t destination_hash(std::string_view domain) {
  const Sha256Digest digest = sha256(domain);
  return ByteReader(as_view(digest)).u64();
}

std::string queue_key(QueueId id, std::uint16_t number) { return numbered_key(id, number); }
std::string queue_size_key(std::uint64_t size, QueueId id) {
  std::string key;
  append_u64(key, size);
  append_u64(key, id.value);
  return key;
}
std::string trace_key(QueueId id, std::uint16_t number) { return numbered_key(id, number); }

std::string id_prefix(QueueId id) {
  std::string key;
  append_u64(key, id.value);
  return key;
}

std::string due_key(const DueRecipient& due) {
  std::string key;
  key.reserve(kDueKey);
  append_u64(key, due.destination);
  append_u64(key, static_cast<std::uint64_t>(due.next_attempt.microseconds));
  append_u64(key, due.id.value);
  append_u16(key, due.number);
  return key;
}

// WHY a NUL behind each text: row numbers of a long value follow, and no name is the beginning of another.
std::string route_key(std::string_view name) { return domain_key(name).append(1, '\0'); }
std::string dkim_key_prefix(std::string_view domain) { return domain_key(domain).append(1, '\0'); }
std::string dkim_key_key(std::string_view domain, std::string_view selector) {
  return dkim_key_prefix(domain).append(selector).append(1, '\0');
}
std::string setting_key(std::string_view name) { return domain_key(name).append(1, '\0'); }

std::optional<NumberedId> parse_numbered_key(std::string_view base) {
  if (base.size() != kNumberedKey) return std::nullopt;
  ByteReader reader(base);
  NumberedId out;
  out.id = QueueId(reader.u64());
  out.number = reader.u16();
  return out;
}

std::optional<DueRecipient> parse_due_key(std::string_view key) {
  if (key.size() != kDueKey) return std::nullopt;
  ByteReader reader(key);
  DueRecipient out;
  out.destination = reader.u64();
  out.next_attempt = Timestamp{static_cast<std::int64_t>(reader.u64())};
  out.id = QueueId(reader.u64());
  out.number = reader.u16();
  return out;
}

std::optional<SizedMessage> parse_queue_size_key(std::string_view key) {
  if (key.size() != kQueueSizeKey) return std::nullopt;
  ByteReader reader(key);
  SizedMessage out;
  out.size = reader.u64();
  out.id = QueueId(reader.u64());
  return out;
}

DueRecipient due_of(QueueId id, const QueuedRecipient& recipient) {
  return {.destination = destination_hash(recipient.domain),
          .next_attempt = recipient.next_attempt,
          .id = id,
          .number = recipient.number};
}

Result<std::optional<QueueEntry>> get_queue_entry(const Snapshot& snapshot, QueueId id) {
  auto entry = POSTHUS_TRY(get_long_record(snapshot, Table::kQueue, queue_key(id, kEntryNumber), decode_queue_entry));
  if (entry) entry->id = id;
  return entry;
}

Result<std::optional<QueuedRecipient>> get_queued_recipient(const Snapshot& snapshot, QueueId id, std::uint16_t number) {
  if (number == kEntryNumber) return std::nullopt;
  auto recipient = POSTHUS_TRY(get_long_record(snapshot, Table::kQueue, queue_key(id, number), decode_queued_recipient));
  if (recipient) recipient->number = number;
  return recipient;
}

Result<> scan_recipients(const Snapshot& snapshot, QueueId id, std::uint16_t first_number,
                         FunctionRef<Visit(QueuedRecipient recipient)> visit) {
  const std::string from = queue_key(id, std::max<std::uint16_t>(first_number, 1));
  return scan_long_values(snapshot, Table::kQueue, from, end_of_prefix(id_prefix(id)),
                          [&visit](std::string_view base, std::string_view value) -> Result<Visit> {
                            const auto key = parse_numbered_key(base);
                            if (!key) return fail(ErrorKind::kCorrupt, "queue key");
                            QueuedRecipient recipient = POSTHUS_TRY(decode_queued_recipient(value));
                            recipient.number = key->number;
                            return visit(std::move(recipient));
                          });
}

Result<> put_queue_entry(WriteTransaction& transaction, const QueueEntry& entry) {
  return replace_long_value(transaction, Table::kQueue, queue_key(entry.id, kEntryNumber), encode_queue_entry(entry));
}

Result<> put_queue_sizes(WriteTransaction& transaction) {
  std::vector<QueueId> ids;
  POSTHUS_TRY_VOID(transaction.scan(Table::kQueue, {}, {}, [&ids](std::string_view key, std::string_view) {
    // WHY by the first row of a value alone: a damaged row must not keep the store from being opened; `check` tells of it.
    if (key.size() <= 2 || !key.ends_with(std::string_view("\0\0", 2))) return Visit::kContinue;
    const auto parsed = parse_numbered_key(key.substr(0, key.size() - 2));
    if (parsed && parsed->number == kEntryNumber) ids.push_back(parsed->id);
    return Visit::kContinue;
  }));
  for (const QueueId id : ids) {
    const auto entry = get_queue_entry(transaction, id);
    if (entry && *entry) POSTHUS_TRY_VOID(transaction.put(Table::kQueueSizes, queue_size_key((*entry)->size, id), {}));
  }
  return {};
}

Result<> put_new_recipient(WriteTransaction& transaction, const QueueEntry& entry, const QueuedRecipient& recipient) {
  POSTHUS_TRY_VOID(
      put_long_value(transaction, Table::kQueue, queue_key(entry.id, recipient.number), encode_queued_recipient(recipient)));
  return is_due(entry, recipient) ? transaction.put(Table::kQueueDue, due_key(due_of(entry.id, recipient)), {}) : Result<>();
}

Result<> replace_recipient(WriteTransaction& transaction, const RecipientState& before, const RecipientState& after) {
  POSTHUS_TRY_VOID(replace_long_value(transaction, Table::kQueue, queue_key(after.entry.id, after.recipient.number),
                                      encode_queued_recipient(after.recipient)));
  return replace_due(transaction, before, after);
}

Result<> replace_due(WriteTransaction& transaction, const RecipientState& before, const RecipientState& after) {
  const bool was_due = is_due(before.entry, before.recipient), is_due_now = is_due(after.entry, after.recipient);
  if (was_due && is_due_now && before.recipient.next_attempt == after.recipient.next_attempt) return {};
  if (was_due) POSTHUS_TRY_VOID(transaction.erase(Table::kQueueDue, due_key(due_of(before.entry.id, before.recipient))));
  return is_due_now ? transaction.put(Table::kQueueDue, due_key(due_of(after.entry.id, after.recipient)), {}) : Result<>();
}

Result<> erase_recipient(WriteTransaction& transaction, const QueueEntry& entry, const QueuedRecipient& recipient) {
  if (is_due(entry, recipient)) {
    POSTHUS_TRY_VOID(transaction.erase(Table::kQueueDue, due_key(due_of(entry.id, recipient))));
  }
  return erase_long_value(transaction, Table::kQueue, queue_key(entry.id, recipient.number));
}

std::uint64_t queue_sender_hash(const QueueEntry& entry, const QueuedRecipient& recipient) {
  std::string who;
  if (entry.account.value != 0) {
    who = std::to_string(entry.account.value);
  } else if (!recipient.forwarder.empty()) {
    who = "forward " + recipient.forwarder;
  } else if (!entry.reverse_path.empty()) {
    who = "<" + ascii::to_lower(entry.reverse_path) + ">";
  } else {
    return 0;
  }
  return destination_hash(who) | 1;  // never 0
}

Result<std::uint32_t> waiting_of(const Snapshot& snapshot, std::uint64_t sender_hash) {
  if (sender_hash == 0) return 0;
  std::string key;
  append_u64(key, sender_hash);
  const auto row = POSTHUS_TRY(snapshot.get(Table::kQueueSenders, key));
  return row ? ByteReader(*row).u32() : 0;
}

namespace {

struct Share {
  std::uint64_t sender = 0;
  std::uint32_t copies = 0;
  std::string_view forwarder;  // for people
};

/// How many of these recipients count for whom. WHY neighbours are compared first: mostly all count for one.
std::vector<Share> shares_of(const QueueEntry& entry, const std::vector<QueuedRecipient>& recipients) {
  std::vector<Share> shares;
  const QueuedRecipient* before = nullptr;
  std::size_t last = 0;
  for (const QueuedRecipient& recipient : recipients) {
    if (!before || before->forwarder != recipient.forwarder) {
      const std::uint64_t sender = queue_sender_hash(entry, recipient);
      last = static_cast<std::size_t>(std::ranges::find(shares, sender, &Share::sender) - shares.begin());
      if (last == shares.size()) shares.push_back({.sender = sender, .copies = 0, .forwarder = recipient.forwarder});
    }
    ++shares[last].copies;
    before = &recipient;
  }
  std::erase_if(shares, [](const Share& share) { return share.sender == 0; });
  return shares;
}

Result<> add_waiting(WriteTransaction& transaction, std::uint64_t sender, std::int64_t more) {
  const std::int64_t before = POSTHUS_TRY(waiting_of(transaction, sender));
  const std::int64_t after = std::clamp<std::int64_t>(before + more, 0, UINT32_MAX);
  std::string key, value;
  append_u64(key, sender);
  if (after == 0) return before == 0 ? Result<>() : transaction.erase(Table::kQueueSenders, key);
  append_u32(value, static_cast<std::uint32_t>(after));
  return transaction.put(Table::kQueueSenders, key, value);
}

}  // namespace

Result<> count_waiting(WriteTransaction& transaction, const QueueEntry& entry, const std::vector<QueuedRecipient>& recipients,
                       Waits waits) {
  for (const Share& share : shares_of(entry, recipients)) {
    const std::int64_t more = share.copies;
    POSTHUS_TRY_VOID(add_waiting(transaction, share.sender, waits == Waits::kMore ? more : -more));
  }
  return {};
}

Result<std::uint64_t> copies_per_sender(const Snapshot& snapshot) {
  const auto setting = POSTHUS_TRY(QueueReader(snapshot).setting("queue.copies_per_sender"));
  const auto given = setting ? ascii::parse_decimal<std::uint64_t>(*setting) : std::nullopt;
  return given.value_or(kCopiesPerSender);
}

Result<> check_waiting(const Snapshot& snapshot, const QueueEntry& entry, const std::vector<QueuedRecipient>& recipients) {
  const std::uint64_t most = POSTHUS_TRY(copies_per_sender(snapshot));
  if (most == 0) return {};
  for (const Share& share : shares_of(entry, recipients)) {
    const std::uint64_t wanted = POSTHUS_TRY(waiting_of(snapshot, share.sender)) + std::uint64_t{share.copies};
    if (wanted <= most) continue;
    // WHY: who may send more than that in a day may have a day's mail waiting.
    const bool is_account = entry.account.value != 0;
    if (is_account && wanted <= POSTHUS_TRY(SendingReader(snapshot).limits(entry.account)).messages_per_day) continue;
    const std::string who = is_account || share.forwarder.empty() ? entry.reverse_path : std::string(share.forwarder);
    return fail(ErrorKind::kBusy, "the queue has no room for more mail of " + who + " (queue.copies_per_sender)");
  }
  return {};
}

Result<> append_trace(WriteTransaction& transaction, QueueId id, const std::vector<std::string>& events) {
  if (events.empty()) return {};
  std::uint16_t number = POSTHUS_TRY(next_trace_number(transaction, id));
  for (const std::string& event : events) {
    POSTHUS_TRY_VOID(replace_long_value(transaction, Table::kTrace, trace_key(id, number), event));
    if (number < kLastTraceNumber) ++number;
  }
  return {};
}

}  // namespace posthus::store
