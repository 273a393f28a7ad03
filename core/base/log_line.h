// One log line as text, apart from where it goes: what tests check. Any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/log.h"

namespace posthus::log {

/// Appends the line, newline included, at most PIPE_BUF bytes; fields that no longer fit are left out and the line says so.
void append_line(std::string& out, Timestamp time, Level level, std::string_view event, std::initializer_list<Field> fields,
                 Format format);

}  // namespace posthus::log
