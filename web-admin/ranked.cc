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

Result<> add_ranked(std::vector<Ranked>& all, std::uint64_t rank, std::string name) {
  if (all.size() >= kMaxRanked) {
    return fail(ErrorKind::kTooLarge,
                "more than " + std::to_string(kMaxRanked) + " can be listed by name only, or narrow them down");
  }
  all.push_back({rank, std::move(name)});
  return {};
}

// cursor = rank u64, name
Result<std::string> cut_page(std::vector<Ranked>& all, const ListRange& range) {
  if (!range.after.empty()) {
    ByteReader reader(range.after);
    Ranked last{.rank = reader.u64(), .name = {}};
    if (!reader.ok()) return fail(ErrorKind::kInvalid, "parameter 'after' is not what this list gave as 'next'");
    last.name = reader.rest();
    std::erase_if(all, [&last](const Ranked& one) { return !comes_before(last, one); });
  }
  const bool has_more = all.size() > range.limit;
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), range.limit));
  std::partial_sort(all.begin(), end, all.end(), comes_before);
  all.erase(end, all.end());
  if (!has_more) return std::string();
  std::string cursor;
  append_u64(cursor, all.back().rank);
  return cursor + all.back().name;
}

}  // namespace posthus::web_admin
