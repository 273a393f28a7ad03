// Whether our clock is right, as far as others have said. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace posthus::web_admin {

struct ClockVerdict {
  enum class Kind : std::uint8_t { kUnknown, kRight, kWrong };
  Kind kind = Kind::kUnknown;
  std::int64_t ahead = 0;          // seconds; negative: behind
  std::vector<std::string> hosts;  // who said so
};

}  // namespace posthus::web_admin
