// Removals of users that were not finished; see pending_removals.h.
#include "store/pending_removals.h"

#include "core/mail/address.h"
#include "store/key.h"

namespace posthus::store {

Result<std::vector<std::string>> pending_removals(const Snapshot& snapshot) {
  std::vector<std::string> addresses;
  const auto collect = [&addresses](std::string_view key, std::string_view) {
    key.remove_prefix(meta::kRemovingPrefix.size());
    const std::size_t end_of_domain = key.find('\0');
    if (end_of_domain == std::string_view::npos || end_of_domain >= kMaxDomainInKey) return Visit::kContinue;
    addresses.push_back(mail::to_string({std::string(key.substr(end_of_domain + 1)), std::string(key.substr(0, end_of_domain))}));
    return Visit::kContinue;
  };
  POSTHUS_TRY_VOID(snapshot.scan(Table::kMeta, meta::kRemovingPrefix, end_of_prefix(meta::kRemovingPrefix), collect));
  return addresses;
}

}  // namespace posthus::store
