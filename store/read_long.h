// A record that may be longer than a row (store/long_value.h), read and decoded. Only for .cc files of this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/long_value.h"

namespace posthus::store {

/// Nothing when there is no such record. Errors: of the engine and of `decode`.
template <class T>
Result<std::optional<T>> read_long(const Snapshot& snapshot, Table table, const std::string& key,
                                   Result<T> (*decode)(std::string_view)) {
  std::string buffer;
  const auto bytes = get_long_value(snapshot, table, key, buffer);
  if (!bytes && bytes.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  return POSTHUS_TRY(decode(*bytes));
}

}  // namespace posthus::store
