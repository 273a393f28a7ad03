// Writes what is missing or wrong into the zone through a ZoneWriter: a name server or a plug-in of a provider. The plan is pure;
// what stands beside an SPF record under the same name is read first and kept. Thread rule: workers; blocks for the check and
// some exchanges.
#pragma once

#include <string>
#include <vector>

#include "core/dns/update.h"
#include "core/mailauth/dns_check.h"
#include "web-admin/api.h"

namespace posthus::web_admin {

struct LeftOut {
  dns::PublishedRecord record;
  std::string reason;
};
struct PublishPlan {
  std::vector<dns::SetChange> changes;
  std::vector<LeftOut> left;  // not ok, and not ours to write
};
/// What is missing or wrong and lies within `zone`. Optional records that are missing are left to the admin unless he asks for
/// them.
enum class OptionalRecords : bool { kLeft, kWritten };
PublishPlan plan_publication(const std::vector<mailauth::RecordFinding>& findings, std::string_view zone,
                             OptionalRecords optional = OptionalRecords::kLeft);

struct Published {
  std::vector<dns::SetChange> changes;
  std::vector<LeftOut> left;
};
/// Errors: kInvalid (no server or key is set), and those of the check and of the name server.
Result<Published> publish_domain(const ServerContext& context, const dns::PublicationFacts& facts, OptionalRecords optional);

}  // namespace posthus::web_admin
