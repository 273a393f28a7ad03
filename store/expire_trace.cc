// Expiry of the trace; see expire_trace.h. Ids begin with the time of acceptance, so what is old comes first.
#include "store/expire_trace.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/ascii.h"
#include "store/key.h"
#include "store/queue_rows.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

constexpr std::size_t kTraceRowsPerStep = 2500;  // as a slice of other bulk work: deliveries do not wait long
constexpr std::size_t kMaxRowsPerStep = 50'000;  // of one message with a very long story

/// Microseconds of an id, above its counter (core/base/queue_id.h).
QueueId first_id_at(Timestamp time) { return QueueId(static_cast<std::uint64_t>(time.microseconds) << 12); }

/// A setting of at least 1 and at most `most`.
Result<std::uint32_t> number(const Snapshot& snapshot, std::string_view name, std::uint32_t usual, std::uint32_t most) {
  const auto text = POSTHUS_TRY(QueueReader(snapshot).setting(name));
  const auto value = text ? ascii::parse_decimal<std::uint32_t>(*text) : std::nullopt;
  return value && *value >= 1 ? std::min(*value, most) : usual;
}

struct Limits {
  QueueId old;  // what is before it is too old
  std::uint64_t bytes = 0;
};
Result<Limits> trace_limits(const Store& store, Timestamp now) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const std::int64_t days = POSTHUS_TRY(number(*snapshot, kTraceDaysSetting, kDefaultTraceDays, kMaxTraceDays));
  const std::uint64_t megabytes =
      POSTHUS_TRY(number(*snapshot, kTraceMegabytesSetting, kDefaultTraceMegabytes, kMaxTraceMegabytes));
  const Timestamp before = Timestamp::from_seconds(std::max<std::int64_t>(now.seconds() - days * 24 * 3600, 0));
  return Limits{.old = first_id_at(before), .bytes = megabytes * 1024 * 1024};
}

/// How many rows of the trace are too many when it may take `most` bytes. In proportion, since pages are not full: what is
/// still too much is found the next time.
Result<std::size_t> excess_rows(const Store& store, std::uint64_t most) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const TableSize size = POSTHUS_TRY(snapshot->size(Table::kTrace));
  if (size.bytes <= most) return 0;
  const double share = static_cast<double>(size.bytes - most) / static_cast<double>(size.bytes);
  return 1 + static_cast<std::size_t>(share * static_cast<double>(size.rows));
}

struct OldRows {
  std::vector<std::string> keys;
  std::string next;  // where the next step begins; empty at the end
};

/// About `most` of about kRowsPerStep rows looked at, from `from` on: whole messages, since half an event could not be read.
Result<OldRows> old_rows(const Store& store, const std::string& from, QueueId limit, std::size_t most) {
  OldRows out;
  QueueId known;  // whose fate was looked up
  bool is_waiting = false;
  std::size_t seen = 0;
  Result<> failed;
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  POSTHUS_TRY_VOID(snapshot->scan(Table::kTrace, from, id_prefix(limit), [&](std::string_view key, std::string_view) {
    const auto parsed = parse_numbered_key(key.substr(0, key.size() - 2));
    if (parsed && parsed->id != known) {
      if (seen >= kTraceRowsPerStep || out.keys.size() >= most) {
        out.next = std::string(key);
        return Visit::kStop;
      }
      const auto entry = get_queue_entry(*snapshot, parsed->id);
      if (!entry) {
        failed = std::unexpected(entry.error());
        return Visit::kStop;
      }
      known = parsed->id;
      is_waiting = entry->has_value();
    }
    if (!parsed || !is_waiting) out.keys.emplace_back(key);
    if (++seen < kMaxRowsPerStep) return Visit::kContinue;
    out.next = std::string(key).append(1, '\0');
    return Visit::kStop;
  }));
  POSTHUS_TRY_VOID(failed);
  return out;
}

}  // namespace

Result<> expire_trace(Store& store, Timestamp now) {
  const Limits limits = POSTHUS_TRY(trace_limits(store, now));
  std::string from;
  bool is_about_age = true;
  for (std::size_t erased = 0; erased < kMaxTraceRowsPerPass && !StoreParts::of(store).is_closing;) {
    const std::size_t most = is_about_age ? SIZE_MAX : POSTHUS_TRY(excess_rows(store, limits.bytes));
    if (most == 0) return {};
    const OldRows old = POSTHUS_TRY(old_rows(store, from, is_about_age ? limits.old : first_id_at(now), most));
    if (!old.keys.empty()) {
      POSTHUS_TRY_VOID(StoreParts::of(store).writer->maintain([&old](MaintenanceContext& context) -> Result<> {
        for (const std::string& key : old.keys) POSTHUS_TRY_VOID(context.transaction.erase(Table::kTrace, key));
        return {};
      }));
    }
    erased += old.keys.size();
    from = old.next;
    if (!from.empty()) continue;
    if (!is_about_age) return {};
    is_about_age = false;
  }
  return {};
}

}  // namespace posthus::store
