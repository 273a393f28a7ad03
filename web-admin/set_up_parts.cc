// Where a set-up stands; see set_up_parts.h.
#include "web-admin/set_up_parts.h"

#include "core/base/check.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"
#include "web-admin/api.h"
#include "web-admin/first_start.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

namespace keys = first_start_keys;

struct SetUpStep {
  std::string_view name, key;
  bool is_required;
};
constexpr SetUpStep kSetUpSteps[] = {{"admin", keys::kAdmin, true},        {"factor", keys::kFactor, false},
                                     {"hostname", keys::kHostname, false}, {"domain", keys::kDomain, false},
                                     {"sending", keys::kSending, false},   {"certificate", keys::kCertificate, false},
                                     {"dns", keys::kDns, false},           {"mailbox", keys::kMailbox, false}};

}  // namespace

Response relay(const Call& call, std::string_view method, const std::string& target, std::string_view body) {
  Request request = call.request;
  request.method = method;
  request.target = target;
  request.body = body;
  const auto parsed = parse_target(target);
  CHECK(parsed.has_value());
  const RouteMatch match = find_route(method, *parsed);
  CHECK(match.route != nullptr);
  return match.route->handler({call.context, request, *parsed, match.path, call.principal, call.sessions, call.directory});
}

Result<> check_open(const Call& call) {
  if (!call.context.first_start) return fail(ErrorKind::kUnavailable, "only the running server can be set up");
  if (!call.context.first_start->is_set_up()) return {};
  return fail(ErrorKind::kExists, "the server is set up already: sign in to change it");
}

Result<std::string> note(const Call& call, std::string_view key) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return POSTHUS_TRY(store::QueueReader(*snapshot).setting(key)).value_or("");
}

Result<> put_note(const Call& call, std::string_view key, const std::string& value) {
  if (POSTHUS_TRY(note(call, key)) == value) return {};
  POSTHUS_TRY(call.context.store.apply(store::PutSetting{std::string(key), value}));
  return {};
}

Result<std::string> first_domain(const Call& call) {
  std::string chosen = POSTHUS_TRY(note(call, keys::kDomain));
  if (!chosen.empty()) return chosen;
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).domains("", 1));
  return page.items.empty() ? std::string() : page.items.front().name;
}

Result<Response> set_up_state(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const FirstStart* const first_start = call.context.first_start;
  JsonWriter json;
  json.begin_object().key("set_up").boolean(!first_start || first_start->is_set_up());
  const bool may_see = first_start && !first_start->is_set_up() && !call.principal.name.empty();
  if (!may_see) return json_response(200, json.end_object().take());
  json.key("hostname").text(call.context.hostname).key("hostname_fixed").boolean(call.context.is_hostname_fixed);
  json.key("domain").text(POSTHUS_TRY(first_domain(call))).key("steps").begin_array();
  for (const SetUpStep& step : kSetUpSteps) {
    std::string value = POSTHUS_TRY(note(call, step.key));
    if (step.name == "hostname" && call.context.is_hostname_fixed) value = call.context.hostname;
    if (step.name == "domain") value = POSTHUS_TRY(first_domain(call));
    json.begin_object().key("name").text(step.name).key("required").boolean(step.is_required);
    json.key("done").boolean(!value.empty()).key("value").text(value).end_object();
  }
  return json_response(200, json.end_array().end_object().take());
}

}  // namespace posthus::web_admin
