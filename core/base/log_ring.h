// The last lines of the log, in memory: for the panel's live log and the support bundle. What is kept is what was logged, as
// JSON, at the level that is logged; it holds no secrets because the log holds none. Two halves of kHalf bytes: when one is full
// the older one is forgotten, so that at least kHalf bytes of lines are there and never more than twice that. Memory is taken as
// lines come. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/function_ref.h"
#include "core/base/log.h"

namespace posthus::log {

inline constexpr std::size_t kHalf = 128 * 1024;

/// From now on lines are kept. Call once, before threads start.
void keep_lines();

/// Used by write(): keeps one line, a JSON object without the newline.
void keep_line(Level level, std::string_view json);
bool are_lines_kept();

/// Lines with a number above `after`, oldest first; `visit` says whether to go on. Numbers begin at 1 and have no gaps. Answers
/// the number of the last line there is. A copy is made first, so `visit` may log.
std::uint64_t kept_lines(std::uint64_t after, FunctionRef<bool(std::uint64_t number, Level level, std::string_view json)> visit);

}  // namespace posthus::log
