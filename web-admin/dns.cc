// /api/v1/domains/{name}/dns: the records a domain should have in the DNS, whether it has them, and writing them by dynamic
// update.
#include "core/dns/record_text.h"
#include "core/mail/date_time.h"
#include "store/record_dns_check.h"
#include "web-admin/dns_publish.h"
#include "web-admin/domain_publication.h"
#include "web-admin/lists.h"
#include "web-admin/live_check.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

void append_record(JsonWriter& json, const dns::PublishedRecord& record) {
  json.key("name").text(record.name).key("type").text(dns::to_string(record.type)).key("value").text(record.value);
  json.key("ttl").number(record.time_to_live).key("importance").text(dns::to_string(record.importance));
  json.key("purpose").text(dns::to_string(record.purpose)).key("why").text(record.why);
  json.key("zone_line").text(dns::zone_line(record));
}

std::string_view state_name(store::DnsRecordState state) {
  return mailauth::to_string(static_cast<mailauth::RecordState>(state));
}

void append_finding(JsonWriter& json, const store::DnsFinding& finding) {
  json.key("type").text(finding.type).key("name").text(finding.name).key("purpose").text(finding.purpose);
  json.key("state").text(state_name(finding.state));
}

/// "last_check": what is kept of the domain's last check.
Result<> append_last_check(const Call& call, JsonWriter& json, std::string_view domain) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto last = POSTHUS_TRY(store::read_dns_check(*snapshot, domain));
  json.key("last_check");
  if (!last) {
    json.null();
    return {};
  }
  json.begin_object().key("checked").text(mail::format_rfc3339(last->checked)).key("states").begin_array();
  for (const store::DnsFinding& finding : last->findings) {
    json.begin_object();
    append_finding(json, finding);
    json.end_object();
  }
  json.end_array().key("changes").begin_array();
  for (const store::DnsChange& change : last->changes) {
    json.begin_object().key("time").text(mail::format_rfc3339(change.time)).key("before").text(state_name(change.before));
    append_finding(json, change.finding);
    json.end_object();
  }
  json.end_array().end_object();
  return {};
}

Result<dns::PublicationFacts> facts_of(const Call& call, std::initializer_list<std::string_view> parameters = {}) {
  POSTHUS_TRY_VOID(check_parameters(call.target, parameters));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DomainRecord domain = POSTHUS_TRY(our_domain(*snapshot, call.path[0]));
  return publication_facts(call.context, *snapshot, domain);
}

Result<Response> show_records(const Call& call) {
  const dns::PublicationFacts facts = POSTHUS_TRY(facts_of(call));
  const auto records = dns::publication(facts);
  JsonWriter json;
  json.begin_object().key("domain").text(facts.domain).key("hostname").text(facts.hostname).key("items").begin_array();
  for (const dns::PublishedRecord& record : records) {
    json.begin_object();
    append_record(json, record);
    json.end_object();
  }
  json.end_array().key("zone").text(dns::zone_file(facts, records));
  POSTHUS_TRY_VOID(append_last_check(call, json, facts.domain));
  append_next(json, "");  // a page like others: a domain has some twenty records
  return json_response(200, json.end_object().take());
}

/// The worst there is: what is required and missing or wrong is red; anything else that is not ok, yellow.
std::string_view light(const std::vector<mailauth::RecordFinding>& findings) {
  std::string_view worst = "green";
  for (const mailauth::RecordFinding& finding : findings) {
    const bool is_bad = finding.state == mailauth::RecordState::kMissing || finding.state == mailauth::RecordState::kWrong;
    const bool is_wrong = finding.state == mailauth::RecordState::kWrong;
    if (is_bad && (finding.record.importance == dns::Importance::kRequired || is_wrong)) return "red";
    const bool is_choice = finding.record.importance == dns::Importance::kOptional;
    if (finding.state != mailauth::RecordState::kOk && !is_choice) worst = "yellow";
  }
  return worst;
}

Result<Response> check_published(const Call& call) {
  const dns::PublicationFacts facts = POSTHUS_TRY(facts_of(call));
  const auto findings = POSTHUS_TRY(check_domain(call.context, facts));
  POSTHUS_TRY_VOID(keep_check(call.context, facts.domain, findings));
  JsonWriter json;
  json.begin_object().key("domain").text(facts.domain).key("hostname").text(facts.hostname).key("light").text(light(findings));
  json.key("items").begin_array();
  for (const mailauth::RecordFinding& finding : findings) {
    json.begin_object();
    append_record(json, finding.record);
    json.key("state").text(mailauth::to_string(finding.state)).key("found").texts(finding.found);
    json.key("meaning").text(finding.meaning).key("paste").text(finding.paste).end_object();
  }
  json.end_array();
  POSTHUS_TRY_VOID(append_last_check(call, json, facts.domain));
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

Result<Response> publish(const Call& call) {
  const dns::PublicationFacts facts = POSTHUS_TRY(facts_of(call, {"optional"}));
  const std::string* const asked = call.target.parameter("optional");
  if (asked && *asked != "true" && *asked != "false") return fail(ErrorKind::kInvalid, "optional must be true or false");
  const auto optional = asked && *asked == "true" ? OptionalRecords::kWritten : OptionalRecords::kLeft;
  const Published published = POSTHUS_TRY(publish_domain(call.context, facts, optional));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const dns::SetChange& change : published.changes) {
    json.begin_object()
        .key("name")
        .text(change.name)
        .key("type")
        .text(dns::to_string(change.type))
        .key("values")
        .texts(change.values);
    json.key("replaces").boolean(change.kind != dns::SetChange::Kind::kAdd).end_object();
  }
  json.end_array().key("left").begin_array();
  for (const LeftOut& left : published.left) {
    json.begin_object();
    append_record(json, left.record);
    json.key("reason").text(left.reason).end_object();
  }
  json.end_array();
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

}  // namespace

Response get_dns(const Call& call) { return answer(show_records(call)); }
Response check_dns(const Call& call) { return answer(check_published(call)); }
Response publish_dns(const Call& call) { return answer(publish(call)); }

}  // namespace posthus::web_admin
