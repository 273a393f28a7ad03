// Figures over time: how much mail, how long the queue, how full the disk, over an hour, a day, a month and a year.
// Each span is a ring of slots in the store (Table::kHistory), so that all of it takes some 200 KiB for ever. A minute's sample
// is added to the slot under way of every span in one request: nothing is gathered in memory, a crash loses a minute at most.
// Slots begin at multiples of their length since 1970, UTC. Thread rule: values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

/// The order is that of the record: new ones go to the end, none is ever taken out.
enum class HistoryFigure : std::uint8_t {
  kReceived,       // messages taken from other servers
  kSubmitted,      // messages taken from our users
  kSent,           // copies other servers have taken
  kRefused,        // messages and recipients refused for good
  kPutOff,         // messages and recipients refused for now
  kReturned,       // copies given up
  kSignIns,        // accepted
  kFailedSignIns,  // refused
  kConnections,    // open at a time
  kQueue,          // copies that wait for other servers
  kStoreBytes,     // of messages and index
  kDiskFree,       // bytes
  kMemory,         // resident bytes
  kCount
};
inline constexpr std::size_t kHistoryFigures = static_cast<std::size_t>(HistoryFigure::kCount);
using HistoryValues = std::array<std::uint64_t, kHistoryFigures>;

/// What a slot keeps of its minutes: the sum, the highest, the last.
enum class HistoryRule : std::uint8_t { kSum, kPeak, kLast };
HistoryRule rule_of(HistoryFigure figure);
std::string_view to_string(HistoryFigure figure);  // "received", "failed_sign_ins", ...
std::optional<HistoryFigure> history_figure(std::string_view name);

enum class HistorySpan : std::uint8_t { kHour, kDay, kMonth, kYear, kCount };
struct HistoryShape {
  std::string_view name;  // "hour"
  std::int64_t step = 0;  // seconds of a slot
  std::uint16_t slots = 0;
};
HistoryShape shape_of(HistorySpan span);
std::optional<HistorySpan> history_span(std::string_view name);

struct HistoryRow {
  Timestamp start;
  std::uint8_t known = kHistoryFigures;  // figures from here on did not exist when it was written
  HistoryValues values{};
};

/// Adds what one minute brought. `time` is within that minute.
struct AddHistory {
  Timestamp time;
  HistoryValues values{};
};

/// The row with the sample added; of an older slot nothing is kept.
HistoryRow with_sample(std::optional<HistoryRow> row, HistorySpan span, const AddHistory& sample);

}  // namespace posthus::store
