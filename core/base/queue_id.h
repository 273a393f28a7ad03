// QueueId as people see it: what a 250 tells, what logs, traces and commands name. Thread rule: any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus {

/// A new one, unlike all others of this server, also after a restart: microseconds, then a counter for those of the same
/// one. Thread-safe.
QueueId next_queue_id(Timestamp now);

/// Base32 without look-alikes, 13 characters, lower case: sorts as the number, hence by time.
std::string to_text(QueueId id);
/// Any case; nothing when it is no such text, or 0.
std::optional<QueueId> parse_queue_id(std::string_view text);

}  // namespace posthus
