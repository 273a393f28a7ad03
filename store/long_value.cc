// Values longer than one row; see long_value.h.
#include "store/long_value.h"

#include <algorithm>
#include <optional>

#include "core/base/bytes.h"

namespace posthus::store {

namespace {

constexpr std::size_t kRowNumber = 2;

/// How many bytes of value go into each row, and how many rows that makes.
struct Cut {
  std::size_t per_row, rows;
};
Cut cut_for(std::string_view base, std::size_t length) {
  const std::size_t per_row = kMaxKeyAndValue - base.size() - kRowNumber - 2;
  return {per_row, length <= per_row ? 1 : (length + per_row - 1) / per_row};
}

/// Rows stored under `base`; 0 when there are none.
Result<std::size_t> stored_rows(const Snapshot& snapshot, Table table, std::string_view base) {
  const auto first = POSTHUS_TRY(snapshot.get(table, row_key(base, 0)));
  if (!first) return 0;
  ByteReader reader(*first);
  const std::size_t rows = reader.u16();
  if (!reader.ok() || rows == 0 || rows > kMaxLongValueRows) return fail(ErrorKind::kCorrupt, "long value head");
  return rows;
}

void set_row_number(std::string& key, std::size_t row) {
  key[key.size() - 2] = static_cast<char>(row >> 8);
  key[key.size() - 1] = static_cast<char>(row);
}

}  // namespace

std::string row_key(std::string_view base, std::uint16_t row) {
  std::string key;
  key.reserve(base.size() + kRowNumber);
  key.append(base);
  append_u16(key, row);
  return key;
}

Result<> put_long_value(WriteTransaction& transaction, Table table, std::string_view base, std::string_view value) {
  const Cut cut = cut_for(base, value.size());
  if (cut.rows > kMaxLongValueRows) return fail(ErrorKind::kTooLarge, "value of " + std::to_string(value.size()) + " bytes");
  std::string key = row_key(base, 0);
  std::string row;
  row.reserve(2 + std::min(value.size(), cut.per_row));
  append_u16(row, static_cast<std::uint16_t>(cut.rows));
  row.append(value.substr(0, cut.per_row));
  POSTHUS_TRY_VOID(transaction.put(table, key, row));
  for (std::size_t i = 1; i < cut.rows; ++i) {
    set_row_number(key, i);
    POSTHUS_TRY_VOID(transaction.put(table, key, value.substr(i * cut.per_row, cut.per_row)));
  }
  return {};
}

Result<> replace_long_value(WriteTransaction& transaction, Table table, std::string_view base, std::string_view value) {
  const std::size_t before = POSTHUS_TRY(stored_rows(transaction, table, base));
  const std::size_t after = cut_for(base, value.size()).rows;
  POSTHUS_TRY_VOID(put_long_value(transaction, table, base, value));
  for (std::size_t i = after; i < before; ++i) {
    POSTHUS_TRY_VOID(transaction.erase(table, row_key(base, static_cast<std::uint16_t>(i))));
  }
  return {};
}

Result<> erase_long_value(WriteTransaction& transaction, Table table, std::string_view base) {
  const std::size_t rows = POSTHUS_TRY(stored_rows(transaction, table, base));
  for (std::size_t i = 0; i < rows; ++i) {
    POSTHUS_TRY_VOID(transaction.erase(table, row_key(base, static_cast<std::uint16_t>(i))));
  }
  return {};
}

Result<std::string_view> get_long_value(const Snapshot& snapshot, Table table, std::string_view base, std::string& buffer) {
  std::string key = row_key(base, 0);
  const auto first = POSTHUS_TRY(snapshot.get(table, key));
  if (!first) return fail(ErrorKind::kNotFound, "long value");
  ByteReader reader(*first);
  const std::size_t rows = reader.u16();
  if (!reader.ok() || rows == 0 || rows > kMaxLongValueRows) return fail(ErrorKind::kCorrupt, "long value head");
  if (rows == 1) return reader.rest();
  buffer.assign(reader.rest());
  for (std::size_t i = 1; i < rows; ++i) {
    set_row_number(key, i);
    const auto piece = POSTHUS_TRY(snapshot.get(table, key));
    if (!piece) return fail(ErrorKind::kCorrupt, "long value lacks a row");
    buffer.append(*piece);
  }
  return std::string_view(buffer);
}

namespace {

/// Puts rows together as a scan brings them.
struct Assembly {
  std::string base, value;
  std::size_t rows = 0, next = 0;  // rows of the value under way; 0: none is

  /// What is whole with this row; nothing while rows are still to come.
  Result<std::optional<std::string_view>> add(std::string_view key, std::string_view row);
};

Result<std::optional<std::string_view>> Assembly::add(std::string_view key, std::string_view row) {
  if (key.size() <= kRowNumber) return fail(ErrorKind::kCorrupt, "long value key");
  const std::size_t number = ByteReader(key.substr(key.size() - kRowNumber)).u16();
  const std::string_view row_base = key.substr(0, key.size() - kRowNumber);
  if (rows > 0) {
    if (number != next || row_base != base) return fail(ErrorKind::kCorrupt, "long value lacks a row");
    value.append(row);
    if (++next < rows) return std::nullopt;
    rows = 0;
    return std::string_view(value);
  }
  ByteReader reader(row);
  const std::size_t count = reader.u16();
  if (number != 0 || !reader.ok() || count == 0 || count > kMaxLongValueRows) return fail(ErrorKind::kCorrupt, "long value head");
  if (count == 1) return reader.rest();
  base.assign(row_base);
  value.assign(reader.rest());
  rows = count;
  next = 1;
  return std::nullopt;
}

}  // namespace

Result<> scan_long_values(const Snapshot& snapshot, Table table, std::string_view from, std::string_view to,
                          FunctionRef<Result<Visit>(std::string_view base, std::string_view value)> visit) {
  Assembly assembly;
  Result<> failed;
  POSTHUS_TRY_VOID(snapshot.scan(table, from, to, [&](std::string_view key, std::string_view row) {
    const auto whole = assembly.add(key, row);
    if (whole && !*whole) return Visit::kContinue;
    const Result<Visit> visited =
        whole ? visit(key.substr(0, key.size() - kRowNumber), **whole) : Result<Visit>(std::unexpected(whole.error()));
    if (visited) return *visited;
    failed = std::unexpected(visited.error());
    return Visit::kStop;
  }));
  POSTHUS_TRY_VOID(failed);
  return assembly.rows == 0 ? Result<>() : fail(ErrorKind::kCorrupt, "long value lacks a row");
}

}  // namespace posthus::store
