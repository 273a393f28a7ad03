// /api/v1/settings: what changes without a restart. The table is store/run_time_settings.cc.
#include "store/run_time_settings.h"

#include "store/queue_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

Result<> append_setting(JsonWriter& json, const store::QueueReader& reader, const store::RunTimeSetting& setting,
                        const std::string& name) {
  const auto value = POSTHUS_TRY(reader.setting(name));
  json.begin_object().key("name").text(name).key("value");
  if (value) {
    // What is secret never comes out again; that it is there may be known.
    json.text(setting.kind == store::RunTimeSetting::Kind::kSecret ? "********" : *value);
  } else {
    json.null();
  }
  json.key("default").text(setting.default_value).key("meaning").text(setting.meaning).end_object();
  return {};
}

/// What is set in the file or the environment, from the lines "NAME = VALUE  (WHERE)" that people read.
void append_start_settings(JsonWriter& json, std::string_view lines) {
  json.key("at_start").begin_array();
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const std::size_t equals = line.find(" = "), where = line.rfind("  (");
    if (equals == std::string_view::npos || where == std::string_view::npos || where < equals + 3 || !line.ends_with(')'))
      continue;
    json.begin_object().key("name").text(line.substr(0, equals));
    json.key("value").text(line.substr(equals + 3, where - equals - 3));
    json.key("origin").text(line.substr(where + 3, line.size() - where - 4)).end_object();
  }
  json.end_array();
}

Result<Response> listed_settings(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::RunTimeSetting& setting : store::run_time_settings()) {
    POSTHUS_TRY_VOID(append_setting(json, reader, setting, std::string(setting.name)));
  }
  json.end_array();
  append_next(json, "");
  append_start_settings(json, call.context.configuration);
  return json_response(200, json.end_object().take());
}

Result<Response> shown_setting(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string name = POSTHUS_TRY(store::normalise_setting_name(call.path[0]));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  for (const store::RunTimeSetting& setting : store::run_time_settings()) {
    if (setting.name != std::string_view(name).substr(0, name.find('@'))) continue;
    POSTHUS_TRY_VOID(append_setting(json, store::QueueReader(*snapshot), setting, name));
  }
  return json_response(200, json.take());
}

/// What looks at its settings only now and then is told.
Result<> take_effect(const Call& call, std::string_view name) {
  if (name.starts_with("acme.")) POSTHUS_TRY_VOID(retry_orders(call));
  if (name.starts_with("alerts.")) call.context.alerts_changed();
  return {};
}

Result<Response> stored_setting(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string name = POSTHUS_TRY(store::normalise_setting_name(call.path[0]));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("value");
  const std::string value = fields.text("value").value_or("");
  POSTHUS_TRY_VOID(fields.finish());
  POSTHUS_TRY_VOID(store::check_setting(name, value));
  POSTHUS_TRY(call.context.store.apply(store::PutSetting{name, value}));
  POSTHUS_TRY_VOID(take_effect(call, name));
  return shown_setting(call);
}

Result<Response> removed_setting(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string name = POSTHUS_TRY(store::normalise_setting_name(call.path[0]));
  POSTHUS_TRY(call.context.store.apply(store::PutSetting{name, {}}));
  POSTHUS_TRY_VOID(take_effect(call, name));
  return no_content();
}

}  // namespace

Response list_settings(const Call& call) { return answer(listed_settings(call)); }
Response get_setting(const Call& call) { return answer(shown_setting(call)); }
Response put_setting(const Call& call) { return answer(stored_setting(call)); }
Response remove_setting(const Call& call) { return answer(removed_setting(call)); }

}  // namespace posthus::web_admin
