// What all lists share: ?limit= and ?after=, and refusing parameters nobody knows.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::web_admin {

inline constexpr std::size_t kDefaultPage = 100;
inline constexpr std::size_t kMaxPage = 1000;  // bounds the answer and the time one snapshot is held

struct ListRange {
  std::string after;  // the store's own cursor, raw bytes
  std::size_t limit = kDefaultPage;
};

/// Errors: kInvalid, naming the parameter.
Result<> check_parameters(const Target& target, std::initializer_list<std::string_view> known);
Result<ListRange> list_range(const Target& target);

/// Writes the field "next": null at the end of the list, else what to send as ?after= for the next page.
void append_next(JsonWriter& json, std::string_view cursor);

}  // namespace posthus::web_admin
