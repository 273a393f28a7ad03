// Lists in an order that is not the store's: all that passes a filter gets a rank, and a page is cut out of it.
// Thread rule: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "web-admin/lists.h"

namespace posthus::web_admin {

/// More are refused in another order than the store's: it bounds the memory (about 10 MB) and the time of one answer.
inline constexpr std::size_t kMaxRanked = 100'000;

struct Ranked {
  std::uint64_t rank = 0;
  std::string name;  // unique: among equals the order of names counts
};

/// ?sort=: its place in `orders`; 0 without one, for the first is the store's own. Errors: kInvalid, naming them.
Result<std::size_t> list_order(const Target& target, std::initializer_list<std::string_view> orders);

/// For lists with the newest first, and with what comes first first.
inline std::uint64_t late_first(Timestamp time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.microseconds, 0));
}
inline std::uint64_t early_first(Timestamp time) { return UINT64_MAX - late_first(time); }

/// Adds one. Errors: kTooLarge at kMaxRanked.
Result<> add_ranked(std::vector<Ranked>& all, std::uint64_t rank, std::string name);

/// Leaves the page `range` asks for in `all`, highest rank first. The cursor for the next one, empty at the end. It holds
/// when ranks change meanwhile: it names a place in the order, not an element. Errors: kInvalid, for a cursor of another list.
Result<std::string> cut_page(std::vector<Ranked>& all, const ListRange& range);

/// All that `read(after, limit)` gives, a store::Page, as `rank` ranks it: a Result<std::optional<Ranked>> of a record, nothing
/// for one that is not to be listed. Errors: kTooLarge at kMaxRanked.
template <class Read, class Rank>
Result<std::vector<Ranked>> ranked(Read read, Rank rank) {
  std::vector<Ranked> all;
  std::string after;
  do {
    auto page = POSTHUS_TRY(read(after, kMaxPage));
    for (const auto& record : page.items) {
      std::optional<Ranked> one = POSTHUS_TRY(rank(record));
      if (one) POSTHUS_TRY_VOID(add_ranked(all, one->rank, std::move(one->name)));
    }
    after = std::move(page.next);
  } while (!after.empty());
  return all;
}

}  // namespace posthus::web_admin
