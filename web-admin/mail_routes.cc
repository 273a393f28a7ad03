// /api/v1/routes: mail that goes to a named server instead of the MX of its domain. Passwords go in and never come out.
#include "core/mail/date_time.h"
#include "store/queue_reader.h"
#include "store/route_url.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxRouteHops = 16;

void append_route(JsonWriter& json, const store::RouteRecord& route) {
  json.begin_object().key("name").text(route.name).key("hops").begin_array();
  for (const store::RouteRecord::Hop& hop : route.hops) json.text(store::to_text(hop));
  json.end_array().key("login");
  if (route.login.empty()) {
    json.null();
  } else {
    json.text(route.login);
  }
  json.key("created").text(mail::format_rfc3339(route.created)).end_object();
}

Result<std::string> route_name(std::string_view text) {
  auto name = store::normalise_route_name(text);
  if (name) return name;
  return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 300)) + "' is neither a domain, nor 'from:DOMAIN', nor '*'");
}

Result<store::RouteRecord> find_route_record(const Call& call) {
  const std::string name = POSTHUS_TRY(route_name(call.path[0]));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto route = POSTHUS_TRY(store::QueueReader(*snapshot).route(name));
  if (!route) return fail(ErrorKind::kNotFound, "there is no route " + name);
  return *std::move(route);
}

/// Whose mail a change concerns: everybody's but when the route is a recipient domain's.
void tell_queue(const Call& call, const std::string& name) {
  const bool is_domain = name != "*" && name.find(':') == std::string::npos;
  call.context.queue_changed(is_domain ? name : std::string());
}

Result<Response> list_routes(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto page = POSTHUS_TRY(store::QueueReader(*snapshot).routes(range.after, range.limit));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::RouteRecord& route : page.items) append_route(json, route);
  json.end_array();
  append_next(json, page.next);
  return json_response(200, json.end_object().take());
}

Result<Response> get_route(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonWriter json;
  append_route(json, POSTHUS_TRY(find_route_record(call)));
  return json_response(200, json.take());
}

Result<Response> put_route(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  store::RouteRecord route{.name = POSTHUS_TRY(route_name(call.path[0]))};
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("hops");
  const auto hops = fields.texts("hops");
  route.login = fields.text("login").value_or("");
  route.password = fields.text("password").value_or("");
  POSTHUS_TRY_VOID(fields.finish());
  if (hops->empty() || hops->size() > kMaxRouteHops) {
    return fail(ErrorKind::kInvalid, "field 'hops' must have 1 to " + std::to_string(kMaxRouteHops) + " servers");
  }
  for (const std::string& hop : *hops) route.hops.push_back(POSTHUS_TRY(store::parse_route_url(hop)));
  POSTHUS_TRY(call.context.store.apply(store::PutRoute{route}));
  tell_queue(call, route.name);
  return get_route(call);
}

Result<Response> remove_route(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const store::RouteRecord route = POSTHUS_TRY(find_route_record(call));
  POSTHUS_TRY(call.context.store.apply(store::RemoveRoute{route.name}));
  tell_queue(call, route.name);
  return no_content();
}

}  // namespace

Response list_mail_routes(const Call& call) { return answer(list_routes(call)); }
Response get_mail_route(const Call& call) { return answer(get_route(call)); }
Response put_mail_route(const Call& call) { return answer(put_route(call)); }
Response remove_mail_route(const Call& call) { return answer(remove_route(call)); }

}  // namespace posthus::web_admin
