// The lists of aliases and of groups are one list: both are AliasRecords, in the same orders. Thread rule: workers.
#pragma once

#include <cstdint>
#include <string>

#include "store/records.h"
#include "web-admin/lists.h"
#include "web-admin/ranked.h"

namespace posthus::web_admin {

enum class AliasOrder : std::uint8_t { kAddress, kTargets, kCreated };

/// Writes the page `range` asks for; the cursor of the next one. `read(after, limit)` gives a store::Page in order of address,
/// `matches` (a bool) says which of them are listed, `find(address)` one of them again, and `append` writes it.
template <class Read, class Matches, class Find, class Append>
Result<std::string> append_alias_page(AliasOrder order, const ListRange& range, Read read, Matches matches, Find find,
                                      Append append) {
  if (order == AliasOrder::kAddress) {
    return narrowed_page(
        range, read, [&](const store::AliasRecord& alias) -> Result<bool> { return matches(alias); },
        [&](const store::AliasRecord& alias) -> Result<> {
          append(alias);
          return {};
        });
  }
  auto page = POSTHUS_TRY(ranked_page(range, read, [&](const store::AliasRecord& alias) -> Result<std::optional<Ranked>> {
    if (!matches(alias)) return std::nullopt;
    return Ranked{order == AliasOrder::kCreated ? late_first(alias.created) : alias.targets.size(), alias.address};
  }));
  for (const Ranked& one : page.items) {
    const auto alias = POSTHUS_TRY(find(one.name));
    if (alias) append(*alias);
  }
  return page.next;
}

}  // namespace posthus::web_admin
