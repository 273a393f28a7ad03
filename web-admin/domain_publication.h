// What we know of ourselves that belongs in the DNS of a domain: from directory, keys, settings and certificate to the facts of
// core/dns/publication.h, and the MTA-STS policy (RFC 8461 §3.2) with its id. Thread rule: workers; reads files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/dns/publication.h"
#include "store/records.h"
#include "web-admin/api.h"

namespace posthus::web_admin {

/// `domain`: of ours. Errors: those of reading; an unreadable certificate leaves its part out.
Result<dns::PublicationFacts> publication_facts(const ServerContext& context, const store::Snapshot& snapshot,
                                                const store::DomainRecord& domain);

/// The name of a domain of ours as a request has it, normalised. Errors: kInvalid, kNotFound.
Result<store::DomainRecord> our_domain(const store::Snapshot& snapshot, std::string_view text);

/// The policy other servers fetch; empty when the setting mta_sts.mode is off.
Result<std::string> sts_policy(const ServerContext& context, const store::Snapshot& snapshot, std::string_view domain);
/// Another one for another policy; empty for none. RFC 8461 §3.1: 1*32(ALPHA / DIGIT).
std::string sts_policy_id(std::string_view policy);

/// Labels and public ports of all services, those that are off with port 0, in the order in which clients should try them.
Result<std::vector<dns::OfferedService>> offered_services(const ServerContext& context, const store::Snapshot& snapshot);

/// Under which the world sees us: public.addresses, else our interfaces'.
Result<std::vector<IpAddress>> public_addresses(const ServerContext& context, const store::Snapshot& snapshot);

}  // namespace posthus::web_admin
