// Alias domains: other names of a domain. anna@alias is anna@domain everywhere: in the envelope, as sender, in sign-ins. One step
// only: what an alias names is none. Thread rule: that of the snapshot.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/mail/address.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// The address in the domain where it is somebody's; unchanged when its domain is no alias, or not ours.
Result<mail::Address> at_home(const Snapshot& snapshot, mail::Address address);

/// Other names of `domain`, in order. Looks at every domain.
Result<std::vector<DomainRecord>> alias_domains_of(const Snapshot& snapshot, const std::string& domain);

}  // namespace posthus::store
