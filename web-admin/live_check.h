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

/// What a check has found is kept in the store, which notes what was different before.
Result<> keep_check(const ServerContext& context, const std::string& domain,
                    const std::vector<mailauth::RecordFinding>& findings);

inline constexpr std::size_t kDomainsPerRound = 50;  // an hour's: some 1000 domains a day, each some seconds
/// Checks the domains of ours whose last check is a day old, `most` at most; how many. Ends early when the server stops or
/// somebody else checks. Blocks for long: on a worker, beside the work.
Result<std::size_t> check_stale_domains(const ServerContext& context, std::size_t most);

/// For the activation of keys: nothing when the DNS has every pending key of the domain, or there is nobody to ask; else what is
/// lacking, for people.
Result<std::string> lacking_key_records(const ServerContext& context, const store::DomainRecord& domain);

}  // namespace posthus::web_admin
