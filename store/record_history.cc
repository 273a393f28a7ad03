// History: names, shapes, encoding, reading. See history_records.h.
#include "store/record_history.h"

#include <algorithm>
#include <utility>

#include "core/base/bytes.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kHistoryVersion = 1;

struct FigureName {
  std::string_view name;
  HistoryRule rule;
};
constexpr std::array<FigureName, kHistoryFigures> kFigures{{
    {"received", HistoryRule::kSum},
    {"submitted", HistoryRule::kSum},
    {"sent", HistoryRule::kSum},
    {"refused", HistoryRule::kSum},
    {"put_off", HistoryRule::kSum},
    {"returned", HistoryRule::kSum},
    {"sign_ins", HistoryRule::kSum},
    {"failed_sign_ins", HistoryRule::kSum},
    {"connections", HistoryRule::kPeak},
    {"queue", HistoryRule::kPeak},
    {"store_bytes", HistoryRule::kLast},
    {"disk_free_bytes", HistoryRule::kLast},
    {"memory_bytes", HistoryRule::kPeak},
}};

constexpr std::array<HistoryShape, static_cast<std::size_t>(HistorySpan::kCount)> kShapes{{
    {"hour", 60, 60},
    {"day", 300, 288},
    {"month", 3600, 744},
    {"year", 86'400, 366},
}};

// WHY not '/': before 1970 it would round towards zero, and two slots would be one.
std::int64_t floor_to(std::int64_t seconds, std::int64_t step) {
  const std::int64_t rest = seconds % step;
  return seconds - (rest < 0 ? rest + step : rest);
}

std::uint16_t slot_of(HistorySpan span, Timestamp time) {
  const HistoryShape shape = shape_of(span);
  const std::int64_t number = floor_to(time.seconds(), shape.step) / shape.step % shape.slots;
  return static_cast<std::uint16_t>(number < 0 ? number + shape.slots : number);
}

}  // namespace

HistoryRule rule_of(HistoryFigure figure) { return kFigures[static_cast<std::size_t>(figure)].rule; }
std::string_view to_string(HistoryFigure figure) { return kFigures[static_cast<std::size_t>(figure)].name; }

std::optional<HistoryFigure> history_figure(std::string_view name) {
  const auto it = std::ranges::find(kFigures, name, &FigureName::name);
  if (it == kFigures.end()) return std::nullopt;
  return static_cast<HistoryFigure>(it - kFigures.begin());
}

HistoryShape shape_of(HistorySpan span) { return kShapes[static_cast<std::size_t>(span)]; }

std::optional<HistorySpan> history_span(std::string_view name) {
  const auto it = std::ranges::find(kShapes, name, &HistoryShape::name);
  if (it == kShapes.end()) return std::nullopt;
  return static_cast<HistorySpan>(it - kShapes.begin());
}

HistoryRow with_sample(std::optional<HistoryRow> row, HistorySpan span, const AddHistory& sample) {
  const Timestamp start = Timestamp::from_seconds(floor_to(sample.time.seconds(), shape_of(span).step));
  if (!row || row->start != start) return {.start = start, .values = sample.values};
  for (std::size_t i = 0; i < kHistoryFigures; ++i) {
    std::uint64_t& value = row->values[i];
    const std::uint64_t added = sample.values[i];
    switch (kFigures[i].rule) {
      case HistoryRule::kSum: value += added; break;
      case HistoryRule::kPeak: value = std::max(value, added); break;
      case HistoryRule::kLast: value = added; break;
    }
  }
  row->known = kHistoryFigures;
  return *row;
}

// version, start, count u8, values
std::string encode_history_row(const HistoryRow& row) {
  std::string out;
  append_u8(out, kHistoryVersion);
  append_u64(out, static_cast<std::uint64_t>(row.start.microseconds));
  append_u8(out, row.known);
  for (std::size_t i = 0; i < row.known; ++i) append_u64(out, row.values[i]);
  return out;
}

Result<HistoryRow> decode_history_row(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_version = reader.u8() == kHistoryVersion;
  HistoryRow row;
  row.start.microseconds = static_cast<std::int64_t>(reader.u64());
  row.known = reader.u8();
  if (!is_version || row.known > kHistoryFigures) return fail(ErrorKind::kCorrupt, "history");
  for (std::size_t i = 0; i < row.known; ++i) row.values[i] = reader.u64();
  if (!reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "history");
  return row;
}

std::string history_key(HistorySpan span, Timestamp time) {
  std::string key;
  append_u8(key, static_cast<std::uint8_t>(span));
  append_u16(key, slot_of(span, time));
  return key;
}

bool is_history_key(std::string_view key, const HistoryRow& row) {
  const auto span = key.empty() ? HistorySpan::kCount : static_cast<HistorySpan>(static_cast<std::uint8_t>(key[0]));
  return span < HistorySpan::kCount && history_key(span, row.start) == key && row.start.seconds() % shape_of(span).step == 0;
}

Timestamp history_start(HistorySpan span, Timestamp now) {
  const HistoryShape shape = shape_of(span);
  return Timestamp::from_seconds(floor_to(now.seconds(), shape.step) - shape.step * (shape.slots - 1));
}

Result<std::vector<std::optional<HistoryRow>>> read_history(const Snapshot& snapshot, HistorySpan span, Timestamp now) {
  const HistoryShape shape = shape_of(span);
  const std::int64_t first = history_start(span, now).seconds();
  std::vector<std::optional<HistoryRow>> rows(shape.slots);
  std::string from, to;
  append_u8(from, static_cast<std::uint8_t>(span));
  append_u8(to, static_cast<std::uint8_t>(static_cast<std::uint8_t>(span) + 1));
  POSTHUS_TRY_VOID(snapshot.scan(Table::kHistory, from, to, [&](std::string_view, std::string_view value) {
    const auto row = decode_history_row(value);  // what cannot be read is not known: `check` tells
    if (!row || row->start.seconds() < first) return Visit::kContinue;
    const auto slot = static_cast<std::uint64_t>((row->start.seconds() - first) / shape.step);
    if (slot < rows.size()) rows[slot] = *row;
    return Visit::kContinue;
  }));
  return rows;
}

}  // namespace posthus::store
