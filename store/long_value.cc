// Values longer than one row; see long_value.h.
#include "store/long_value.h"

#include <algorithm>

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

}  // namespace posthus::store
