// /api/v1/delivery-check: will mail from this server be taken?
#include "core/mail/date_time.h"
#include "web-admin/delivery_check.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

using mailauth::RecordState;

Response report_response(const DeliveryReport* report) {
  JsonWriter json;
  json.begin_object().key("checked");
  if (report) {
    json.text(mail::format_rfc3339(report->checked));
  } else {
    json.null();
  }
  std::string_view light = "green";
  json.key("items").begin_array();
  const std::vector<DeliveryItem> none;
  for (const DeliveryItem& item : report ? report->items : none) {
    json.begin_object().key("check").text(item.check).key("subject").text(item.subject);
    json.key("state")
        .text(mailauth::to_string(item.state))
        .key("meaning")
        .text(item.meaning)
        .key("action")
        .text(item.action)
        .end_object();
    if (item.state == RecordState::kWrong) light = "red";
    if (item.state == RecordState::kUnknown && light == "green") light = "yellow";
  }
  json.end_array().key("light").text(report ? light : "yellow");
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

Result<Response> run(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"probe"}));
  const std::string* const text = call.target.parameter("probe");
  Probe probe = Probe::kConfigured;
  if (text && *text == "none") {
    probe = Probe::kNone;
  } else if (text && *text == "well_known") {
    probe = Probe::kWellKnown;
  } else if (text && *text != "configured") {
    return fail(ErrorKind::kInvalid, "parameter 'probe' must be none, configured or well_known");
  }
  const auto report = POSTHUS_TRY(check_delivery(call.context, probe, Extent::kAll));
  return report_response(report.get());
}

Result<Response> show_delivery(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return report_response(last_delivery_report(call.context).get());
}

}  // namespace

Response get_delivery_check(const Call& call) { return answer(show_delivery(call)); }
Response run_delivery_check(const Call& call) { return answer(run(call)); }

}  // namespace posthus::web_admin
