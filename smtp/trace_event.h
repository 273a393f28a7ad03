// TraceEvent: one event of a message's life as a JSON object, for the trace table. RFC 8259.
// Thread rule: not shared between threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace posthus::smtp {

inline constexpr std::size_t kMaxTraceValue = 600;       // bytes of one text: a remote reply and then some
inline constexpr std::size_t kMaxTraceRecipients = 200;  // named in one event; the rest is counted as "more"

class TraceEvent {
 public:
  TraceEvent(std::string_view event, Timestamp time);
  /// Left out when empty. Cut at kMaxTraceValue; what is no UTF-8 becomes '?'.
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void texts(std::string_view name, const std::vector<std::string_view>& values);
  /// The only recipient of what was accepted, and what became of him at once: "delivered" or "queued" (smtp/acceptance_trace).
  void accepted_for(std::string_view recipient, std::string_view fate);
  /// The object; the event is of no use afterwards.
  std::string take();

 private:
  void name(std::string_view name);
  std::string out_;
};

}  // namespace posthus::smtp
