// Alias domains; see alias_domain.h.
#include "store/alias_domain.h"

#include <utility>

#include "store/record_directory.h"
#include "store/rows.h"

namespace posthus::store {

Result<mail::Address> at_home(const Snapshot& snapshot, mail::Address address) {
  auto domain = POSTHUS_TRY(get_domain(snapshot, address.domain));
  if (domain && !domain->alias_of.empty()) address.domain = std::move(domain->alias_of);
  return address;
}

Result<std::vector<DomainRecord>> alias_domains_of(const Snapshot& snapshot, const std::string& domain) {
  std::vector<DomainRecord> aliases;
  Result<> read;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kDomains, {}, {}, [&](std::string_view, std::string_view value) {
    auto record = decode_domain_record(value);
    if (!record) {
      read = std::unexpected(record.error());
      return Visit::kStop;
    }
    if (record->alias_of == domain) aliases.push_back(*std::move(record));
    return Visit::kContinue;
  }));
  POSTHUS_TRY_VOID(read);
  return aliases;
}

}  // namespace posthus::store
