// Reads the queue, routes, signing keys and the trace in one snapshot; see queue_reader.h.
#include "store/queue_reader.h"

#include <utility>

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/queue_rows.h"
#include "store/record_queue.h"

namespace posthus::store {

namespace {

Result<NumberedId> numbered(std::string_view base) {
  const auto key = parse_numbered_key(base);
  if (!key) return fail(ErrorKind::kCorrupt, "key of the queue or the trace");
  return *key;
}

/// Collects messages from the rows of kQueue in order.
struct Collector {
  std::vector<QueuedMessage>& out;
  const std::size_t limit, recipient_limit;
  QueueId skipped{};  // the message whose further recipients are not wanted

  Result<Visit> row(std::string_view base, std::string_view value) {
    const NumberedId key = POSTHUS_TRY(numbered(base));
    if (key.number == kEntryNumber) {
      if (out.size() == limit) return Visit::kStop;
      QueueEntry entry = POSTHUS_TRY(decode_queue_entry(value));
      entry.id = key.id;
      out.push_back({std::move(entry), {}});
      return Visit::kContinue;
    }
    // A recipient whose entry is missing: `check` tells.
    if (out.empty() || out.back().entry.id != key.id) return Visit::kContinue;
    if (out.back().recipients.size() == recipient_limit) {
      skipped = key.id;
      return Visit::kStop;
    }
    QueuedRecipient recipient = POSTHUS_TRY(decode_queued_recipient(value));
    recipient.number = key.number;
    out.back().recipients.push_back(std::move(recipient));
    return Visit::kContinue;
  }
};

}  // namespace

Result<std::optional<QueueEntry>> QueueReader::entry(QueueId id) const { return get_queue_entry(snapshot_, id); }

Result<std::optional<QueuedRecipient>> QueueReader::recipient(QueueId id, std::uint16_t number) const {
  return get_queued_recipient(snapshot_, id, number);
}

Result<std::vector<QueuedRecipient>> QueueReader::recipients(QueueId id, std::uint16_t first_number, std::size_t limit) const {
  std::vector<QueuedRecipient> out;
  if (limit == 0) return out;
  POSTHUS_TRY_VOID(scan_recipients(snapshot_, id, first_number, [&](QueuedRecipient recipient) {
    out.push_back(std::move(recipient));
    return out.size() == limit ? Visit::kStop : Visit::kContinue;
  }));
  return out;
}

Result<std::vector<QueuedMessage>> QueueReader::messages(QueueId after, std::size_t limit, std::size_t recipient_limit) const {
  std::vector<QueuedMessage> out;
  std::optional<QueueId> skipped = after;
  while (skipped && skipped->value != UINT64_MAX && out.size() < limit) {
    Collector collector{.out = out, .limit = limit, .recipient_limit = recipient_limit};
    POSTHUS_TRY_VOID(
        scan_long_values(snapshot_, Table::kQueue, id_prefix(QueueId(skipped->value + 1)), {},
                         [&collector](std::string_view base, std::string_view value) { return collector.row(base, value); }));
    skipped = collector.skipped.value == 0 ? std::nullopt : std::optional(collector.skipped);
  }
  return out;
}

Result<std::optional<QueuedMessage>> QueueReader::message_before(QueueId before, std::size_t recipient_limit) const {
  for (;;) {
    std::optional<QueueId> id;
    POSTHUS_TRY_VOID(snapshot_.scan_backward(Table::kQueue, {}, id_prefix(before), [&id](std::string_view key, std::string_view) {
      ByteReader reader(key);
      id = QueueId(reader.u64());
      return Visit::kStop;
    }));
    if (!id) return std::nullopt;
    if (auto entry = POSTHUS_TRY(this->entry(*id))) {
      return QueuedMessage{*std::move(entry), POSTHUS_TRY(recipients(*id, 1, recipient_limit))};
    }
    before = *id;  // recipients whose entry is missing: `check` tells
  }
}

Result<std::optional<QueuedMessage>> QueueReader::message_smaller(std::uint64_t size, QueueId before,
                                                                  std::size_t recipient_limit) const {
  for (std::string to = queue_size_key(size, before);;) {
    std::optional<SizedMessage> found;
    POSTHUS_TRY_VOID(snapshot_.scan_backward(Table::kQueueSizes, {}, to, [&](std::string_view key, std::string_view) {
      found = parse_queue_size_key(key);
      return found ? Visit::kStop : Visit::kContinue;
    }));
    if (!found) return std::nullopt;
    if (auto entry = POSTHUS_TRY(this->entry(found->id))) {
      return QueuedMessage{*std::move(entry), POSTHUS_TRY(recipients(found->id, 1, recipient_limit))};
    }
    to = queue_size_key(found->size, found->id);  // no entry has this size: `check` tells
  }
}

Result<std::vector<DueRecipient>> QueueReader::due(std::uint64_t destination, DueRecipient after, Timestamp until,
                                                   std::size_t limit) const {
  std::vector<DueRecipient> out;
  if (limit == 0) return out;
  after.destination = destination;
  const std::string from = due_key(after).append(1, '\0');
  const std::string to =
      due_key({.destination = destination, .next_attempt = until, .id = QueueId(UINT64_MAX), .number = UINT16_MAX})
          .append(1, '\0');
  if (from >= to) return out;
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kQueueDue, from, to, [&](std::string_view key, std::string_view) {
    if (const auto row = parse_due_key(key)) out.push_back(*row);
    return out.size() == limit ? Visit::kStop : Visit::kContinue;
  }));
  return out;
}

Result<std::uint64_t> QueueReader::due_rows() const { return POSTHUS_TRY(snapshot_.size(Table::kQueueDue)).rows; }

Result<bool> QueueReader::has_due(const DueRecipient& row) const {
  return POSTHUS_TRY(snapshot_.get(Table::kQueueDue, due_key(row))).has_value();
}

Result<std::optional<DueRecipient>> QueueReader::last_due(std::uint64_t destination) const {
  std::string prefix;
  append_u64(prefix, destination);
  std::optional<DueRecipient> last;
  POSTHUS_TRY_VOID(
      snapshot_.scan_backward(Table::kQueueDue, prefix, end_of_prefix(prefix), [&last](std::string_view key, std::string_view) {
        last = parse_due_key(key);
        return last ? Visit::kStop : Visit::kContinue;
      }));
  return last;
}

Result<std::optional<std::uint64_t>> QueueReader::destinations(std::uint64_t from, std::size_t limit,
                                                               FunctionRef<void(const DueRecipient& first)> visit) const {
  return counted_destinations(from, limit, 1, [visit](const DueRecipient& first, std::size_t) { visit(first); });
}

Result<std::optional<std::uint64_t>> QueueReader::counted_destinations(
    std::uint64_t from, std::size_t limit, std::size_t most,
    FunctionRef<void(const DueRecipient& first, std::size_t counted)> visit) const {
  std::size_t visited = 0;
  for (;;) {
    std::optional<DueRecipient> first;
    std::optional<std::uint64_t> next;
    std::size_t counted = 0;
    const std::string from_key = due_key({.destination = from, .next_attempt = {}, .id = {}, .number = 0});
    POSTHUS_TRY_VOID(snapshot_.scan(Table::kQueueDue, from_key, {}, [&](std::string_view key, std::string_view) {
      const auto row = parse_due_key(key);
      if (!row) return Visit::kContinue;
      if (first && row->destination != first->destination) {
        visit(*first, counted);
        first.reset();
      }
      if (!first) {
        if (visited++ == limit) {
          next = row->destination;
          return Visit::kStop;
        }
        first = row;
        counted = 0;
      }
      return ++counted == most ? Visit::kStop : Visit::kContinue;
    }));
    if (first) visit(*first, counted);
    if (!first || first->destination == UINT64_MAX) return next;
    from = first->destination + 1;
  }
}

Result<std::optional<RouteRecord>> QueueReader::route(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  std::string buffer;
  const auto value = get_long_value(snapshot_, Table::kRoutes, route_key(name), buffer);
  if (!value && value.error().kind == ErrorKind::kNotFound) return std::nullopt;
  const std::string_view bytes = POSTHUS_TRY(value);
  return POSTHUS_TRY(decode_route_record(bytes));
}

Result<Page<RouteRecord>> QueueReader::routes(std::string_view after, std::size_t limit) const {
  Page<RouteRecord> page;
  const std::string from = after.empty() ? std::string() : end_of_prefix(route_key(after));
  POSTHUS_TRY_VOID(
      scan_long_values(snapshot_, Table::kRoutes, from, {}, [&](std::string_view, std::string_view value) -> Result<Visit> {
        if (page.items.size() == limit) {
          if (!page.items.empty()) page.next = page.items.back().name;
          return Visit::kStop;
        }
        page.items.push_back(POSTHUS_TRY(decode_route_record(value)));
        return Visit::kContinue;
      }));
  return page;
}

Result<std::uint32_t> QueueReader::waiting_of(AccountId account, std::string_view reverse_path) const {
  QueueEntry entry;
  entry.account = account;
  entry.reverse_path = reverse_path;
  return store::waiting_of(snapshot_, queue_sender_hash(entry, {}));
}

Result<std::uint32_t> QueueReader::waiting_forwards_of(const std::string& forwarder) const {
  QueuedRecipient recipient;
  recipient.forwarder = forwarder;
  return store::waiting_of(snapshot_, queue_sender_hash({}, recipient));
}

Result<bool> QueueReader::may_wait_here(AccountId account, const std::string& forwarder, std::size_t copies) const {
  const std::uint64_t most = POSTHUS_TRY(copies_per_sender(snapshot_));
  if (most == 0) return true;
  const std::uint64_t waiting =
      account.value != 0 ? POSTHUS_TRY(waiting_of(account, {})) : POSTHUS_TRY(waiting_forwards_of(forwarder));
  return waiting + copies <= most / 2;
}

Result<std::vector<DkimKeyRecord>> QueueReader::dkim_keys(std::string_view domain) const {
  std::vector<DkimKeyRecord> keys;
  const std::string prefix = dkim_key_prefix(domain);
  POSTHUS_TRY_VOID(scan_long_values(snapshot_, Table::kDkimKeys, prefix, end_of_prefix(prefix),
                                    [&keys](std::string_view, std::string_view value) -> Result<Visit> {
                                      keys.push_back(POSTHUS_TRY(decode_dkim_key_record(value)));
                                      return Visit::kContinue;
                                    }));
  return keys;
}

Result<std::vector<TraceEvent>> QueueReader::trace(QueueId id, std::uint16_t first_number, std::size_t limit) const {
  std::vector<TraceEvent> events;
  if (limit == 0) return events;
  POSTHUS_TRY_VOID(scan_long_values(snapshot_, Table::kTrace, trace_key(id, first_number), end_of_prefix(id_prefix(id)),
                                    [&](std::string_view base, std::string_view value) -> Result<Visit> {
                                      const NumberedId key = POSTHUS_TRY(numbered(base));
                                      events.push_back({key.id, key.number, std::string(value)});
                                      return events.size() == limit ? Visit::kStop : Visit::kContinue;
                                    }));
  return events;
}

Result<> QueueReader::traces(QueueId before, FunctionRef<Visit(QueueId id, const std::vector<TraceEvent>& events)> visit) const {
  std::string to = before.value == 0 ? std::string() : id_prefix(before);
  for (;;) {
    std::optional<QueueId> id;
    bool is_readable = true;
    POSTHUS_TRY_VOID(snapshot_.scan_backward(Table::kTrace, {}, to, [&](std::string_view key, std::string_view) {
      const auto last = key.size() > 2 ? parse_numbered_key(key.substr(0, key.size() - 2)) : std::nullopt;
      is_readable = last.has_value();
      if (last) id = last->id;
      return Visit::kStop;
    }));
    if (!is_readable) return fail(ErrorKind::kCorrupt, "trace key");
    if (!id) return {};
    if (visit(*id, POSTHUS_TRY(trace(*id, 0, kMaxVisitedEvents))) == Visit::kStop) return {};
    to = id_prefix(*id);
  }
}

Result<std::optional<std::string>> QueueReader::setting(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  std::string buffer;
  const auto value = get_long_value(snapshot_, Table::kSettings, setting_key(name), buffer);
  if (!value && value.error().kind == ErrorKind::kNotFound) return std::nullopt;
  return std::string(POSTHUS_TRY(value));
}

}  // namespace posthus::store
