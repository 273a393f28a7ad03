// Removals of users that were begun and not finished: the server stopped between two slices of a RemoveUser.
// Thread rule: that of the snapshot.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"

namespace posthus::store {

/// Addresses to send a RemoveUser for again. Known limit: an address in a domain of more than kMaxDomainInKey bytes
/// cannot be read back from its key and is left out; repeating the request by hand finishes it.
Result<std::vector<std::string>> pending_removals(const Snapshot& snapshot);

}  // namespace posthus::store
