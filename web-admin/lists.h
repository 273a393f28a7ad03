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

inline constexpr std::size_t kMaxSearched = 20'000;  // records looked at for one page of a search
inline constexpr std::size_t kMaxSearchText = 320;   // bytes: an address

/// ?search=, lower case; empty without. Errors: kInvalid.
Result<std::string> search_text(const Target& target);

/// A page of what a filter lets through. `read(after, limit)` gives a store::Page in order; every record that `matches` (a
/// Result<bool>) goes to `append` (a Result<>). The cursor for the next page, empty at the end. A page may be short, even
/// empty, although there is a next one: it looks at kMaxSearched records at most.
template <class Read, class Matches, class Append>
Result<std::string> narrowed_page(const ListRange& range, Read read, Matches matches, Append append) {
  std::string after = range.after;
  std::size_t shown = 0;
  for (std::size_t searched = 0; searched < kMaxSearched && shown < range.limit;) {
    // WHY: never more than still fit: the end of what was read is then the cursor, whatever matched.
    auto page = POSTHUS_TRY(read(after, range.limit - shown));
    for (const auto& record : page.items) {
      if (!POSTHUS_TRY(matches(record))) continue;
      POSTHUS_TRY_VOID(append(record));
      ++shown;
    }
    searched += page.items.size();
    after = std::move(page.next);
    if (after.empty()) break;
  }
  return after;
}

/// Writes the field "next": null at the end of the list, else what to send as ?after= for the next page.
void append_next(JsonWriter& json, std::string_view cursor);

}  // namespace posthus::web_admin
