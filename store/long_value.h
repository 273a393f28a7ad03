// Values longer than one row, cut into numbered rows: key is the base key and a row number (u16 big-endian), row 0 begins
// with the number of rows (u16). The one place that knows; used for kSummaries, kKeywords and
// kAliases, and all tables of outgoing mail but kQueueDue. Thread rule: that of the snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/engine.h"

namespace posthus::store {

/// 16 MB of value: far above any alias, and any summary of a message that is not made to be large.
inline constexpr std::size_t kMaxLongValueRows = 8192;

/// Key of one row. For text keys the base must end in a byte that ends the text (see alias_key).
std::string row_key(std::string_view base, std::uint16_t row);

/// Errors: kTooLarge (more than kMaxLongValueRows), and the engine's. REQUIRES: nothing is stored under `base` (a new
/// key), else use replace_long_value.
Result<> put_long_value(WriteTransaction& transaction, Table table, std::string_view base, std::string_view value);
/// The same over whatever is there.
Result<> replace_long_value(WriteTransaction& transaction, Table table, std::string_view base, std::string_view value);
/// Erasing what is not there succeeds.
Result<> erase_long_value(WriteTransaction& transaction, Table table, std::string_view base);

/// A value in one row is viewed in place; a longer one is put together in `buffer`. The view dies with the snapshot (or
/// the next put), or when `buffer` changes. Errors: kNotFound, kCorrupt (a row is missing).
Result<std::string_view> get_long_value(const Snapshot& snapshot, Table table, std::string_view base, std::string& buffer);

/// Every long value of the rows from <= key < to, in order, in one pass; an error of `visit` ends it. The views die with the
/// call of `visit`. REQUIRES: `from` is the beginning of a base key. Errors: kCorrupt (a row is missing).
Result<> scan_long_values(const Snapshot& snapshot, Table table, std::string_view from, std::string_view to,
                          FunctionRef<Result<Visit>(std::string_view base, std::string_view value)> visit);

}  // namespace posthus::store
