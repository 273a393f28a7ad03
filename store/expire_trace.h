// What of outgoing mail grows old: the trace. Thread rule: a worker; never the Writer's thread.
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "store/store.h"

namespace posthus::store {

inline constexpr std::string_view kTraceDaysSetting = "trace.days";
inline constexpr std::uint32_t kDefaultTraceDays = 30;
inline constexpr std::uint32_t kMaxTraceDays = 3650;
inline constexpr std::string_view kTraceMegabytesSetting = "trace.megabytes";
/// WHY 1024: a million messages of a thousand bytes of events each, on a disk that holds those messages.
inline constexpr std::uint32_t kDefaultTraceMegabytes = 1024;
inline constexpr std::uint32_t kMaxTraceMegabytes = 1024 * 1024;
/// Rows erased in one pass: a pass runs each hour, so 24 times as many events a day are kept up with.
inline constexpr std::size_t kMaxTraceRowsPerPass = 1'000'000;

/// Erases the traces of messages accepted more than "trace.days" days before `now`, then the oldest until they take no more
/// than "trace.megabytes"; but none of those still in the queue.
Result<> expire_trace(Store& store, Timestamp now);

}  // namespace posthus::store
