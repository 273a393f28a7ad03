// /api/v1/setup/sending: how mail leaves. Directly, after a live test of port 25; or through another server (smarthost), after a
// dry run that signs in there and asks for a recipient without sending anything.
#include "core/base/ip_address.h"
#include "store/queue_reader.h"
#include "store/route_url.h"
#include "web-admin/api.h"
#include "web-admin/delivery_check.h"
#include "web-admin/first_start.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"
#include "web-admin/set_up_parts.h"
#include "web-admin/setting_values.h"

namespace posthus::web_admin {
namespace {

namespace keys = first_start_keys;

const std::string kDefaultRoute = "/api/v1/routes/%2A";

/// What the last live test of port 25 found: null before it.
void append_ports(JsonWriter& json, const DeliveryReport* report) {
  json.key("port_25");
  if (!report) {
    json.null();
    return;
  }
  bool works = false;
  json.begin_object().key("items").begin_array();
  for (const DeliveryItem& item : report->items) {
    if (item.check != "port_25") continue;
    works = works || item.state == mailauth::RecordState::kOk;
    json.begin_object().key("subject").text(item.subject).key("state").text(mailauth::to_string(item.state));
    json.key("meaning").text(item.meaning).key("action").text(item.action).end_object();
  }
  json.end_array().key("works").boolean(works).end_object();
}

/// The dry run through the smarthost: null before it. It works when the recipient was taken, or when only he was refused after
/// the login had been taken: another server's opinion of one address is no fault of the way.
void append_test(const Call& call, JsonWriter& json) {
  json.key("test");
  const std::string id = call.context.first_start->last_test();
  const auto test = id.empty() || !call.context.send_tests ? std::nullopt : call.context.send_tests->find(id);
  if (!test) {
    json.null();
    return;
  }
  bool works = test->verdict == "deliverable";
  for (const SendTestStep& step : test->steps) works = works || (step.stage == "AUTH" && step.mark == "good");
  json.begin_object().key("running").boolean(test->verdict == "running").key("works").boolean(works);
  json.key("run").raw(relay(call, "GET", "/api/v1/send-test/" + id, "").body).end_object();
}

Result<Response> show_sending(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  POSTHUS_TRY_VOID(check_open(call));
  const std::string mode = POSTHUS_TRY(note(call, keys::kSending));
  JsonWriter json;
  json.begin_object().key("mode");
  mode.empty() ? json.null() : json.text(mode);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto route = POSTHUS_TRY(store::QueueReader(*snapshot).route("*"));
  json.key("server").text(route && !route->hops.empty() ? store::to_text(route->hops.front()) : "");
  json.key("login").text(route ? route->login : "");
  append_ports(json, mode == "direct" ? last_delivery_report(call.context).get() : nullptr);
  append_test(call, json);
  return json_response(200, json.end_object().take());
}

/// Whom the dry run asks for: of the smarthost's own domain, which it surely knows; of a documentation domain when it has no
/// name.
std::string someone_at(const std::string& host) {
  if (parse_ip_address(host)) return "postmaster@example.com";
  const std::size_t dot = host.find('.');
  const bool has_more = dot != std::string::npos && host.find('.', dot + 1) != std::string::npos;
  return "postmaster@" + (has_more ? host.substr(dot + 1) : host);
}

struct SendingChoice {
  std::string mode, server, login, test_address;
  Secret password;
};
Result<SendingChoice> read_choice(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("mode");
  SendingChoice choice;
  choice.mode = fields.text("mode").value_or("");
  choice.server = fields.text("server").value_or("");
  choice.login = fields.text("login").value_or("");
  choice.password = Secret(fields.text("password").value_or(""));
  choice.test_address = fields.text("test_address").value_or("");
  POSTHUS_TRY_VOID(fields.finish());
  if (choice.mode != "direct" && choice.mode != "smarthost")
    return fail(ErrorKind::kInvalid, "field 'mode' must be direct or smarthost");
  if (choice.mode == "smarthost" && choice.server.empty()) return fail(ErrorKind::kInvalid, "field 'server' is missing");
  return choice;
}

/// Begins the dry run, if this process has a network; GET shows how it ends.
Result<> begin_test(const Call& call, const SendingChoice& choice) {
  if (!call.context.send_tests) return {};
  const auto hop = POSTHUS_TRY(store::parse_route_url(choice.server));
  const std::string wanted = choice.test_address.empty() ? someone_at(hop.host) : choice.test_address;
  const auto recipient = mail::parse_mailbox(wanted, mail::Utf8::kRefuse);
  if (!recipient) return fail(ErrorKind::kInvalid, "field 'test_address' must be a mail address");
  call.context.first_start->remember_test(POSTHUS_TRY(call.context.send_tests->start(*recipient, std::nullopt)));
  return {};
}

Result<> test_port(const Call& call) {
  if (!call.context.outside) return {};
  bool has_hosts = false;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    has_hosts = !POSTHUS_TRY(setting_items(*snapshot, "delivery.probe_hosts")).empty();
  }
  POSTHUS_TRY(check_delivery(call.context, has_hosts ? Probe::kConfigured : Probe::kWellKnown, Extent::kAll));
  return {};
}

Result<Response> put_sending(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const SendingChoice choice = POSTHUS_TRY(read_choice(call));
  POSTHUS_TRY_VOID(check_open(call));
  POSTHUS_TRY_VOID(put_note(call, keys::kState, "open"));
  if (choice.mode == "direct") {
    const Response gone = relay(call, "DELETE", kDefaultRoute, "");
    if (gone.status >= 300 && gone.status != 404) return gone;
    POSTHUS_TRY_VOID(put_note(call, keys::kSending, choice.mode));
    POSTHUS_TRY_VOID(test_port(call));
    return show_sending(call);
  }
  JsonWriter json;
  json.begin_object().key("hops").texts({choice.server});
  if (!choice.login.empty()) json.key("login").text(choice.login).key("password").text(choice.password.reveal());
  const Response made = relay(call, "PUT", kDefaultRoute, json.end_object().take());
  if (made.status >= 300) return made;
  POSTHUS_TRY_VOID(put_note(call, keys::kSending, choice.mode));
  POSTHUS_TRY_VOID(begin_test(call, choice));
  return show_sending(call);
}

}  // namespace

Response get_set_up_sending(const Call& call) { return answer(show_sending(call)); }
Response put_set_up_sending(const Call& call) { return answer(put_sending(call)); }

}  // namespace posthus::web_admin
