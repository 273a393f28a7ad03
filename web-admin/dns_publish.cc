// Publishing through a ZoneWriter. See dns_publish.h.
#include "web-admin/dns_publish.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/mailauth/spf.h"
#include "web-admin/live_check.h"
#include "web-admin/outside.h"
#include "web-admin/zone_writer.h"

namespace posthus::web_admin {
namespace {

using dns::Purpose;
using dns::SetChange;
using mailauth::RecordState;

bool is_alias_of_ours(Purpose purpose) {
  return purpose == Purpose::kStsHost || purpose == Purpose::kAutoconfig || purpose == Purpose::kAutodiscover;
}

/// What the record should be after the update, from the line that is to be pasted.
std::string wanted_value(const mailauth::RecordFinding& finding) {
  if (finding.record.type != dns::RecordType::kTxt || finding.found.empty()) return finding.record.value;
  const bool is_spf = finding.record.purpose == Purpose::kSpf || finding.record.purpose == Purpose::kHelloSpf;
  if (!is_spf) return finding.record.value;
  return finding.better_value.empty() ? finding.record.value : finding.better_value;
}

std::string why_left(const mailauth::RecordFinding& finding, std::string_view zone, OptionalRecords optional) {
  if (finding.state == RecordState::kUnknown) return finding.meaning;
  if (finding.record.purpose == Purpose::kReverse) return "Whoever gave you the address sets this.";
  if (!dns::is_within(finding.record.name, zone)) return "It belongs to another zone than " + std::string(zone) + ".";
  const bool is_spf = finding.record.purpose == Purpose::kSpf || finding.record.purpose == Purpose::kHelloSpf;
  // What an admin has written there is not thrown away for a record that is right, but of which nobody knows whether it is all.
  if (is_spf && finding.state == RecordState::kWrong && finding.better_value.empty()) return finding.meaning;
  const bool is_choice = finding.record.importance == dns::Importance::kOptional && finding.state == RecordState::kMissing;
  if (is_choice && optional == OptionalRecords::kLeft) return "It is optional: ask for optional records if you want it.";
  const bool is_right_itself = finding.state == RecordState::kWrong && !finding.is_about_name;
  return is_right_itself ? finding.meaning : "";
}

/// Texts of other kinds under the same name stay as they are.
Result<> keep_neighbours(ZoneWriter& writer, SetChange& change) {
  const auto texts = POSTHUS_TRY(writer.texts(change.name));
  for (const std::string& text : texts) {
    if (mailauth::spf_records({text}).empty()) change.values.push_back(text);
  }
  return {};
}

}  // namespace

PublishPlan plan_publication(const std::vector<mailauth::RecordFinding>& findings, std::string_view zone,
                             OptionalRecords optional) {
  PublishPlan plan;
  for (const mailauth::RecordFinding& finding : findings) {
    if (finding.state == RecordState::kOk) continue;
    std::string reason = why_left(finding, zone, optional);
    if (!reason.empty()) {
      plan.left.push_back({finding.record, std::move(reason)});
      continue;
    }
    const bool is_wrong = finding.state == RecordState::kWrong;
    SetChange change{.kind = SetChange::Kind::kAdd,
                     .name = finding.record.name,
                     .type = finding.record.type,
                     .values = {wanted_value(finding)},
                     .time_to_live = finding.record.time_to_live};
    if (is_wrong)
      change.kind = is_alias_of_ours(finding.record.purpose) ? SetChange::Kind::kReplaceName : SetChange::Kind::kReplace;
    // Several records of one set (addresses, authorities): the first replaces, the others add.
    const bool is_begun = std::ranges::any_of(plan.changes, [&](const SetChange& c) {
      return c.name == change.name && c.type == change.type && c.kind != SetChange::Kind::kAdd;
    });
    if (is_begun) change.kind = SetChange::Kind::kAdd;
    plan.changes.push_back(std::move(change));
  }
  return plan;
}

Result<Published> publish_domain(const ServerContext& context, const dns::PublicationFacts& facts, OptionalRecords optional) {
  if (!context.outside || !context.outside->exchange_dns) {
    return fail(ErrorKind::kUnavailable, "only the running server can change the DNS");
  }
  const auto writer = POSTHUS_TRY(make_zone_writer(context, facts.domain));
  const auto findings = POSTHUS_TRY(check_domain(context, facts));
  PublishPlan plan = plan_publication(findings, writer->zone(), optional);
  for (SetChange& change : plan.changes) {
    const bool may_have_neighbours = change.type == dns::RecordType::kTxt && change.kind == SetChange::Kind::kReplace &&
                                     mailauth::spf_records(change.values).size() == change.values.size();
    if (may_have_neighbours) POSTHUS_TRY_VOID(keep_neighbours(*writer, change));
  }
  if (!plan.changes.empty()) POSTHUS_TRY_VOID(writer->write(plan.changes));
  log::info("dns.published", {{"domain", facts.domain}, {"server", writer->target()}, {"changes", plan.changes.size()}});
  return Published{std::move(plan.changes), std::move(plan.left)};
}

}  // namespace posthus::web_admin
