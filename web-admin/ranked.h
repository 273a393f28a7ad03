// Lists in an order that is not the store's: all that passes a filter gets a rank, and a page is cut out of it.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "web-admin/lists.h"

namespace posthus::web_admin {

/// More are refused in another order than the store's: it bounds the memory (about 10 MB) and the time of one answer.
inline constexpr std::size_t kMaxRanked = 100'000;

struct Ranked {
  std::uint64_t rank = 0;
  std::string name;  // unique: among equals the order of names counts
};

/// Adds one. Errors: kTooLarge at kMaxRanked.
Result<> add_ranked(std::vector<Ranked>& all, std::uint64_t rank, std::string name);

/// Leaves the page `range` asks for in `all`, highest rank first. The cursor for the next one, empty at the end. It holds
/// when ranks change meanwhile: it names a place in the order, not an element. Errors: kInvalid, for a cursor of another list.
Result<std::string> cut_page(std::vector<Ranked>& all, const ListRange& range);

}  // namespace posthus::web_admin
