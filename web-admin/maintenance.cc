// /api/v1/deliver, /api/v1/check and /api/v1/backup.
#include "store/maintenance.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxFindingsShown = 100;  // the count tells of the rest

Result<Response> add_message(const Call& call) {
  auto outcome = call.context.store.apply(call.request.upload->take());
  if (!outcome) return std::unexpected(std::move(outcome).error());
  JsonWriter json;
  json.begin_object().key("delivered").begin_array();
  for (const store::AddedMessage& added : outcome->added) {
    json.begin_object().key("mailbox").number(added.mailbox.value).key("uid").number(added.uid.value).end_object();
  }
  return json_response(201, json.end_array().end_object().take());
}

std::string report_json(const store::CheckReport& report) {
  JsonWriter json;
  json.begin_object().key("consistent").boolean(report.findings_total == 0);
  json.key("domains").number(report.domains).key("users").number(report.users).key("mailboxes").number(report.mailboxes);
  json.key("messages").number(report.messages).key("blobs").number(report.blobs).key("bytes").number(report.bytes);
  json.key("queued_messages").number(report.queued_messages).key("queued_recipients").number(report.queued_recipients);
  json.key("findings_total").number(report.findings_total).key("findings").begin_array();
  for (std::size_t i = 0; i < report.findings.size() && i < kMaxFindingsShown; ++i) {
    json.begin_object().key("where").text(report.findings[i].where).key("what").text(report.findings[i].what).end_object();
  }
  return json.end_array().end_object().take();
}

Result<Response> checked_store(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const bool reads_bytes = fields.boolean("bytes").value_or(false);
  POSTHUS_TRY_VOID(fields.finish());
  const auto report = POSTHUS_TRY(store::check(call.context.store, reads_bytes ? store::Depth::kBytes : store::Depth::kIndex));
  return json_response(200, report_json(report));
}

Result<Response> backup(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("directory");
  const auto directory = fields.text("directory");
  POSTHUS_TRY_VOID(fields.finish());
  if (!directory->starts_with('/') || directory->find('\0') != std::string::npos) {
    return fail(ErrorKind::kInvalid, "field 'directory' must be an absolute path");
  }
  const auto report = POSTHUS_TRY(store::backup(call.context.store, *directory));
  return json_response(200, report_json(report));
}

}  // namespace

Response deliver(const Call& call) { return answer(add_message(call)); }
Response check_store(const Call& call) { return answer(checked_store(call)); }
Response backup_store(const Call& call) { return answer(backup(call)); }

}  // namespace posthus::web_admin
