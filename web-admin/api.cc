// Dispatch of API requests.
#include "web-admin/api.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/shared_addresses.h"
#include "web-admin/audit.h"
#include "web-admin/first_start.h"
#include "web-admin/json.h"
#include "web-admin/panel.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

struct Admitted {
  Target target;
  RouteMatch match;
  Principal principal;
};

// media-type without its parameters (RFC 9110 §8.3.1)
std::string media_type(std::string_view content_type) {
  return ascii::to_lower(ascii::trim(content_type.substr(0, content_type.find(';'))));
}

std::string_view expected_type(BodyKind kind) {
  if (kind == BodyKind::kJson) return "application/json";
  if (kind == BodyKind::kXml) return "text/xml";
  return kind == BodyKind::kMessage ? "message/rfc822" : "";
}

// What answers although the server is not set up: the set-up itself, the panel's files, health, and proofs for the CA.
bool answers_before_set_up(std::string_view path) {
  const bool is_set_up_route = path == "/api/v1/setup" || path.starts_with("/api/v1/setup/");
  return is_set_up_route || path == "/" || path == "/healthz" || path == "/readyz" || path.starts_with("/assets/") ||
         path.starts_with("/.well-known/acme-challenge/");
}

bool is_closed_to(const ServerContext& context, const Request& request) {
  return context.first_start && !context.first_start->is_set_up() && !request.origin.is_unix_socket;
}

/// "set_up" is how the panel knows this 503 from others (RFC 9457 §3.2).
Response not_set_up() {
  JsonWriter json;
  json.begin_object().key("type").text("about:blank").key("title").text(reason_phrase(503)).key("status").number(503);
  json.key("detail").text("This server is not set up yet. Its log shows the address where that is done, and the token for it.");
  json.key("set_up").boolean(false).end_object();
  return {.status = 503, .content_type = "application/problem+json", .body = json.take() + "\n"};
}

// Everything that is checked before a handler runs. Credentials come before the existence of things.
std::expected<Admitted, Response> admit(const ServerContext& context, const Request& request, BrowserSessions& sessions) {
  auto target = parse_target(request.target);
  if (!target) return std::unexpected(problem(target.error()));
  RouteMatch match = find_route(request.method, *target);
  if (!match.route && match.allowed.empty()) return std::unexpected(problem(404, "There is nothing at this path."));
  if (!match.route) {
    Response response = problem(405, "This path does not have that method.");
    response.fields.emplace_back("Allow", match.allowed);
    return std::unexpected(std::move(response));
  }
  if (is_closed_to(context, request) && !answers_before_set_up(match.route->path)) return std::unexpected(not_set_up());
  auto principal = authorise(context, request, *match.route, match.path, sessions);
  if (!principal) return std::unexpected(std::move(principal).error());
  // WHY: a web page of another origin can send text/plain with the browser's saved credentials, but not these types.
  const std::string_view type = expected_type(match.route->body);
  const std::string given = media_type(request.content_type);
  const bool is_other_xml = match.route->body == BodyKind::kXml && given == "application/xml";
  if (!type.empty() && given != type && !is_other_xml) {
    return std::unexpected(problem(415, "The body must be of type " + std::string(type) + "."));
  }
  return Admitted{std::move(*target), std::move(match), std::move(*principal)};
}

std::uint16_t port_of(const ServerContext& context, std::string_view listener) {
  const auto found = std::ranges::find_if(context.listeners, [&](const ListenerStatus& l) { return l.name == listener; });
  return found == context.listeners.end() ? std::uint16_t{0} : found->port;
}

// Whoever makes a domain or a user with a command sets the server up by hand.
Result<> note_set_up_by_hand(const ServerContext& context) {
  if (context.first_start) {
    return context.first_start->is_set_up() ? Result<>() : context.first_start->finish(context.store);
  }
  {
    const auto snapshot = POSTHUS_TRY(context.store.snapshot());
    if (POSTHUS_TRY(is_set_up(*snapshot))) return {};
  }
  POSTHUS_TRY(context.store.apply(store::PutSetting{std::string(first_start_keys::kState), "done"}));
  return {};
}

bool makes_first_records(const Request& request, const Route& route, const Response& response) {
  return request.origin.is_unix_socket && response.status == 201 &&
         (route.path == "/api/v1/domains" || route.path == "/api/v1/users");
}

}  // namespace

Response Api::handle(const Request& request) {
  if (request.origin.is_proxy_unnamed && context_.shared) context_.shared->sent_proxy_fields(request.origin.remote_address);
  if (auto elsewhere = panel_redirection(request, port_of(context_, "http"), port_of(context_, "https")))
    return *std::move(elsewhere);
  if (auto page = panel_page(request)) return *std::move(page);
  const auto admitted = admit(context_, request, sessions_);
  if (!admitted) return admitted.error();
  const Route& route = *admitted->match.route;
  CHECK(route.body != BodyKind::kMessage || request.upload != nullptr);
  const Call call{context_, request, admitted->target, admitted->match.path, admitted->principal, sessions_, directory_};
  const AuditedRequest audited(call, route);
  Response response = route.handler(call);
  if (makes_first_records(request, route, response)) {
    if (const auto noted = note_set_up_by_hand(context_); !noted) return problem(noted.error());
  }
  audited.write(response);
  // What is written down anyhow aside: a domain admin who looks at what is another's.
  const bool is_out_of_reach = response.status == 403 || response.status == 404;
  if (is_out_of_reach && route.reach == Reach::kNarrowed && !is_change(request) && !admitted->principal.reaches_all)
    note_refusal(context_, request, admitted->principal, sessions_, response.status);
  if (is_change(request)) {
    log::info("http.change", {{"who", admitted->principal.name},
                              {"from", request.origin.remote_address},
                              {"method", request.method},
                              {"target", request.target},
                              {"status", response.status}});
  }
  return response;
}

std::optional<Response> Api::refusal_of_head(const Request& request) {
  const auto admitted = admit(context_, request, sessions_);
  if (!admitted) return admitted.error();
  return std::nullopt;
}

std::expected<MessageUpload, Response> Api::begin_upload(const Request& request) {
  const auto admitted = admit(context_, request, sessions_);
  if (!admitted) return std::unexpected(admitted.error());
  auto upload = MessageUpload::begin(context_, admitted->target);
  if (!upload) return std::unexpected(problem(upload.error()));
  return std::move(*upload);
}

}  // namespace posthus::web_admin
