// Fields that several encodings of records have. Only for the record_*.cc files of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::store {

/// Microseconds, i64.
inline void append_timestamp(std::string& out, Timestamp time) { append_u64(out, static_cast<std::uint64_t>(time.microseconds)); }
inline Timestamp read_timestamp(ByteReader& reader) { return {static_cast<std::int64_t>(reader.u64())}; }

/// A count, then the texts.
inline void append_texts(std::string& out, const std::vector<std::string>& texts) {
  append_u32(out, static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) append_text(out, text);
}
inline std::vector<std::string> read_texts(ByteReader& reader) {
  std::vector<std::string> texts;
  // WHY no reserve: the count is not to be believed; each text takes four bytes at least, so the loop ends with the bytes.
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) texts.emplace_back(reader.text());
  return texts;
}

/// The record, if exactly its bytes were there.
template <class T>
Result<T> finished(const ByteReader& reader, T record, const char* what) {
  if (!reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, what);
  return record;
}

}  // namespace posthus::store
