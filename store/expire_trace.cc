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

constexpr std::size_t kRowsPerStep = 2500;  // as a slice of other bulk work: deliveries do not wait long

/// Microseconds of an id, above its counter (core/base/queue_id.h).
QueueId first_id_at(Timestamp time) { return QueueId(static_cast<std::uint64_t>(time.microseconds) << 12); }

Result<std::uint32_t> days_kept(const Snapshot& snapshot) {
  const auto text = POSTHUS_TRY(QueueReader(snapshot).setting(kTraceDaysSetting));
  const auto days = text ? ascii::parse_decimal<std::uint32_t>(*text) : std::nullopt;
  return days && *days >= 1 ? std::min(*days, kMaxTraceDays) : kDefaultTraceDays;
}

struct OldRows {
  std::vector<std::string> keys;
  std::string next;  // where the next step begins; empty at the end
};

/// At most kRowsPerStep rows looked at, from `from` on.
Result<OldRows> old_rows(const Store& store, const std::string& from, QueueId limit) {
  OldRows out;
  QueueId known;  // whose fate was looked up
  bool is_waiting = false;
  std::size_t seen = 0;
  Result<> failed;
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  POSTHUS_TRY_VOID(snapshot->scan(Table::kTrace, from, id_prefix(limit), [&](std::string_view key, std::string_view) {
    const auto parsed = parse_numbered_key(key.substr(0, key.size() - 2));
    if (parsed && parsed->id != known) {
      const auto entry = get_queue_entry(*snapshot, parsed->id);
      if (!entry) {
        failed = std::unexpected(entry.error());
        return Visit::kStop;
      }
      known = parsed->id;
      is_waiting = entry->has_value();
    }
    if (!parsed || !is_waiting) out.keys.emplace_back(key);
    if (++seen < kRowsPerStep) return Visit::kContinue;
    out.next = std::string(key).append(1, '\0');
    return Visit::kStop;
  }));
  POSTHUS_TRY_VOID(failed);
  return out;
}

}  // namespace

Result<> expire_trace(Store& store, Timestamp now) {
  std::int64_t days = 0;
  {
    const auto snapshot = POSTHUS_TRY(store.snapshot());
    days = POSTHUS_TRY(days_kept(*snapshot));
  }
  const Timestamp before = Timestamp::from_seconds(now.seconds() - days * 24 * 3600);
  if (before.microseconds <= 0) return {};
  std::string from;
  for (std::size_t erased = 0; erased < kMaxTraceRowsPerPass && !StoreParts::of(store).is_closing;) {
    const OldRows old = POSTHUS_TRY(old_rows(store, from, first_id_at(before)));
    if (!old.keys.empty()) {
      POSTHUS_TRY_VOID(StoreParts::of(store).writer->maintain([&old](MaintenanceContext& context) -> Result<> {
        for (const std::string& key : old.keys) POSTHUS_TRY_VOID(context.transaction.erase(Table::kTrace, key));
        return {};
      }));
    }
    erased += old.keys.size();
    if (old.next.empty()) return {};
    from = old.next;
  }
  return {};
}

}  // namespace posthus::store
