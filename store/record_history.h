// Encoding of rows of history, and reading a span. Decoding arbitrary bytes gives a row or kCorrupt. Thread rule: pure functions;
// the reader's is that of its snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/history_records.h"

namespace posthus::store {

std::string encode_history_row(const HistoryRow& row);
Result<HistoryRow> decode_history_row(std::string_view bytes);

/// Key in kHistory: span, number of the slot in its ring.
std::string history_key(HistorySpan span, Timestamp time);
/// Does the row stand where it belongs?
bool is_history_key(std::string_view key, const HistoryRow& row);

/// The slots of a span from oldest to newest, shape_of(span).slots of them, the last one under way at `now`; nothing for a slot
/// of which nothing is known (the server did not run).
Result<std::vector<std::optional<HistoryRow>>> read_history(const Snapshot& snapshot, HistorySpan span, Timestamp now);
/// Start of the first of them.
Timestamp history_start(HistorySpan span, Timestamp now);

}  // namespace posthus::store
