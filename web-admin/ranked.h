// Lists in an order that is not the store's: all that passes a filter gets a rank, and the page asked for is kept of it.
// Thread rule: one thread at a time.
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
#include "store/directory_reader.h"
#include "web-admin/lists.h"

namespace posthus::web_admin {

/// More are refused in another order than the store's: it bounds the time of one answer.
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

/// Gathers a page while all of a list comes by. Never holds more than twice the page.
class RankedPage {
 public:
  /// Errors: kInvalid, for a cursor of another list.
  static Result<RankedPage> begin(const ListRange& range);
  /// Errors: kTooLarge after kMaxRanked.
  Result<> add(std::uint64_t rank, std::string name);
  /// The page, highest rank first, and the cursor for the next one. It holds when ranks change meanwhile: it names a place in
  /// the order, not an element.
  store::Page<Ranked> end() &&;

 private:
  RankedPage(std::size_t limit, std::optional<Ranked> last) : limit_(limit), last_(std::move(last)) {}
  void drop_what_is_behind();

  std::size_t limit_;
  std::optional<Ranked> last_;  // of the page before
  std::vector<Ranked> best_;    // and some more
  std::size_t added_ = 0;
};

/// The page of all that `read(after, limit)` gives, a store::Page, as `rank` ranks it: a Result<std::optional<Ranked>> of a
/// record, nothing for one that is not to be listed. Errors: as RankedPage.
template <class Read, class Rank>
Result<store::Page<Ranked>> ranked_page(const ListRange& range, Read read, Rank rank) {
  RankedPage all = POSTHUS_TRY(RankedPage::begin(range));
  std::string after;
  do {
    auto page = POSTHUS_TRY(read(after, kMaxPage));
    for (const auto& record : page.items) {
      std::optional<Ranked> one = POSTHUS_TRY(rank(record));
      if (one) POSTHUS_TRY_VOID(all.add(one->rank, std::move(one->name)));
    }
    after = std::move(page.next);
  } while (!after.empty());
  return std::move(all).end();
}

}  // namespace posthus::web_admin
