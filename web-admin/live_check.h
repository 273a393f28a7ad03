// Asks the DNS what it holds of a domain of ours, and judges it (core/mailauth/dns_check.h). Blocks for some seconds: workers
// only, one check at a time in the whole server.
#pragma once

#include <vector>

#include "core/mailauth/dns_check.h"
#include "store/records.h"
#include "web-admin/api.h"

namespace posthus::web_admin {

/// Errors: kUnavailable (no resolver: the server does not run, or stops), kBusy (another check is under way).
Result<std::vector<mailauth::RecordFinding>> check_domain(const ServerContext& context, const dns::PublicationFacts& facts);

/// For the activation of keys: nothing when the DNS has every pending key of the domain, or there is nobody to ask; else what is
/// lacking, for people.
Result<std::string> lacking_key_records(const ServerContext& context, const store::DomainRecord& domain);

}  // namespace posthus::web_admin
