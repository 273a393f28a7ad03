// Ranked lists; see ranked.h.
#include "web-admin/ranked.h"

#include <algorithm>

#include "core/base/bytes.h"

namespace posthus::web_admin {
namespace {

bool comes_before(const Ranked& a, const Ranked& b) { return a.rank != b.rank ? a.rank > b.rank : a.name < b.name; }

}  // namespace

Result<std::size_t> list_order(const Target& target, std::initializer_list<std::string_view> orders) {
  const std::string* const sort = target.parameter("sort");
  if (!sort) return 0;
  const auto found = std::ranges::find(orders, std::string_view(*sort));
  if (found != orders.end()) return static_cast<std::size_t>(found - orders.begin());
  std::string names;
  for (const std::string_view order : orders) {
    names.append(names.empty() ? "" : ", ").append(order);
  }
  return fail(ErrorKind::kInvalid, "parameter 'sort' must be one of: " + names);
}

// cursor = rank u64, name
Result<RankedPage> RankedPage::begin(const ListRange& range) {
  if (range.after.empty()) return RankedPage(range.limit, std::nullopt);
  ByteReader reader(range.after);
  Ranked last{.rank = reader.u64(), .name = {}};
  if (!reader.ok()) return fail(ErrorKind::kInvalid, "parameter 'after' is not what this list gave as 'next'");
  last.name = reader.rest();
  return RankedPage(range.limit, std::move(last));
}

Result<> RankedPage::add(std::uint64_t rank, std::string name) {
  if (++added_ > kMaxRanked) {
    return fail(ErrorKind::kTooLarge,
                "more than " + std::to_string(kMaxRanked) + " can be listed by name only, or narrow them down");
  }
  Ranked one{rank, std::move(name)};
  if (last_ && !comes_before(*last_, one)) return {};
  best_.push_back(std::move(one));
  if (best_.size() > 2 * (limit_ + 1)) drop_what_is_behind();
  return {};
}

// WHY one more than the page: it tells that there is a next one.
void RankedPage::drop_what_is_behind() {
  if (best_.size() <= limit_ + 1) return;
  const auto end = best_.begin() + static_cast<std::ptrdiff_t>(limit_ + 1);
  std::nth_element(best_.begin(), end, best_.end(), comes_before);
  best_.erase(end, best_.end());
}

store::Page<Ranked> RankedPage::end() && {
  drop_what_is_behind();
  std::ranges::sort(best_, comes_before);
  if (best_.size() <= limit_) return {.items = std::move(best_), .next = {}};
  best_.pop_back();
  std::string cursor;
  append_u64(cursor, best_.back().rank);
  cursor += best_.back().name;
  return {.items = std::move(best_), .next = std::move(cursor)};
}

}  // namespace posthus::web_admin
