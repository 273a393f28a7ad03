// The consistency check of outgoing mail: entries, recipients, what is due, routes, signing keys, the trace.
#include <algorithm>
#include <map>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/queue_id.h"
#include "store/check.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/queue_rows.h"
#include "store/record_queue.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

std::string named(QueueId id) { return "queue " + to_text(id); }
std::string named(QueueId id, std::uint16_t number) { return named(id) + " recipient " + std::to_string(number); }

}  // namespace

void Checker::scan_long(Table table, std::string_view name,
                        FunctionRef<void(std::string_view base, std::string_view value)> visit) {
  std::string buffer;
  scan(table, name, [&](std::string_view key, std::string_view) {
    if (key.size() < 2 || !key.ends_with(std::string_view("\0\0", 2))) return;  // a later row of a long one
    const std::string_view base = key.substr(0, key.size() - 2);
    const auto value = get_long_value(snapshot_, table, base, buffer);
    if (value) return visit(base, *value);
    find(std::string(name) + " " + to_hex(key), value.error().context);
  });
}

void Checker::check_queue() {
  std::optional<QueueEntry> entry;  // of the rows under way
  std::uint64_t recipients = 0, due = 0;
  std::map<std::uint64_t, std::uint64_t> waiting;  // by sender
  const auto finish = [&] {
    if (entry && recipients == 0) find(named(entry->id), "has no recipient");
    recipients = 0;
  };
  scan_long(Table::kQueue, "queue", [&](std::string_view base, std::string_view value) {
    const auto key = parse_numbered_key(base);
    if (!key) return find("queue " + to_hex(base), "key");
    if (key->number == kEntryNumber) {
      finish();
      entry = check_queue_entry(key->id, value);
      return;
    }
    ++report_.queued_recipients;
    ++recipients;
    if (!entry || entry->id != key->id) return find(named(key->id, key->number), "belongs to no entry");
    auto recipient = decode_queued_recipient(value);
    if (!recipient) return find(named(key->id, key->number), recipient.error().context);
    ++waiting[queue_sender_hash(*entry, *recipient)];
    recipient->number = key->number;
    if (!is_due(*entry, *recipient)) return;
    ++due;
    const auto row = snapshot_.get(Table::kQueueDue, due_key(due_of(key->id, *recipient)));
    if (!row || !*row) find(named(key->id, key->number), "waits for nothing: its due row is missing");
  });
  finish();
  check_due(due);
  check_sizes();
  check_senders(waiting);
}

/// WHY fewer are no fault: what versions queued that did not count.
void Checker::check_senders(const std::map<std::uint64_t, std::uint64_t>& waiting) {
  scan(Table::kQueueSenders, "queue sender", [&](std::string_view key, std::string_view value) {
    const std::string where = "queue sender " + to_hex(key);
    if (key.size() != 8 || value.size() != 4) return find(where, "key or value");
    const auto found = waiting.find(ByteReader(key).u64());
    const std::uint64_t there = found == waiting.end() ? 0 : found->second;
    const std::uint32_t counted = ByteReader(value).u32();
    if (counted == 0 || counted > there) {
      find(where, std::to_string(counted) + " are counted, " + std::to_string(there) + " wait");
    }
  });
}

/// The entry, if its row can be read.
std::optional<QueueEntry> Checker::check_queue_entry(QueueId id, std::string_view value) {
  ++report_.queued_messages;
  auto entry = decode_queue_entry(value);
  if (!entry) {
    find(named(id), entry.error().context);
    return std::nullopt;
  }
  entry->id = id;
  references_.push_back(entry->blob.value);
  const auto size = snapshot_.get(Table::kQueueSizes, queue_size_key(entry->size, id));
  if (!size || !*size) find(named(id), "stands in no order by size");
  const auto blob = get_blob(snapshot_, entry->blob);
  if (!blob || !*blob) {
    find(named(id), "its text is missing: blob " + std::to_string(entry->blob.value));
  } else if ((*blob)->length != entry->size) {
    find(named(id), "size: " + std::to_string(entry->size) + " stored, " + std::to_string((*blob)->length) + " found");
  }
  return *std::move(entry);
}

/// Every recipient that is due has his row; so when there are more rows, some are nobody's.
void Checker::check_due(std::uint64_t expected) {
  std::uint64_t found = 0;
  scan(Table::kQueueDue, "due", [&](std::string_view key, std::string_view) {
    ++found;
    const auto row = parse_due_key(key);
    if (!row) return find("due " + to_hex(key), "key");
    const auto recipient = get_queued_recipient(snapshot_, row->id, row->number);
    if (!recipient || !*recipient) return find(named(row->id, row->number), "is due, and not in the queue");
    if (due_key(due_of(row->id, **recipient)) != key) find(named(row->id, row->number), "is due at another time or destination");
  });
  if (found > expected) find("due", std::to_string(found) + " rows for " + std::to_string(expected) + " recipients");
}

void Checker::check_sizes() {
  scan(Table::kQueueSizes, "queue size", [&](std::string_view key, std::string_view) {
    const auto row = parse_queue_size_key(key);
    if (!row) return find("queue size " + to_hex(key), "key");
    const auto entry = get_queue_entry(snapshot_, row->id);
    if (!entry || !*entry || (*entry)->size != row->size)
      find(named(row->id), "is not in the queue with the size it is ordered by");
  });
}

void Checker::check_outgoing_settings() {
  scan_long(Table::kRoutes, "route", [this](std::string_view base, std::string_view value) {
    const auto route = decode_route_record(value);
    if (!route) return find("route " + to_hex(base), route.error().context);
    if (route_key(route->name) != base) find("route " + to_hex(base), "is stored under another name: " + route->name);
  });
  scan_long(Table::kDkimKeys, "DKIM key", [this](std::string_view base, std::string_view value) {
    const auto key = decode_dkim_key_record(value);
    if (!key) return find("DKIM key " + to_hex(base), key.error().context);
    const std::string where = "DKIM key " + key->selector + " of " + key->domain;
    if (dkim_key_key(key->domain, key->selector) != base) find(where, "is stored under another name");
    if (const auto domain = get_domain(snapshot_, key->domain); !domain || !*domain) find(where, "the domain is missing");
  });
  scan_long(Table::kSettings, "setting", [](std::string_view, std::string_view) {});
}

void Checker::check_trace() {
  scan_long(Table::kTrace, "trace", [this](std::string_view base, std::string_view) {
    if (!parse_numbered_key(base)) find("trace " + to_hex(base), "key");
  });
}

}  // namespace posthus::store
