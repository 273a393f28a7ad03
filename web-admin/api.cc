// Dispatch of API requests.
#include "web-admin/api.h"

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "core/base/log.h"
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
  auto principal = authorise(context, request, match.route->scope, sessions);
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

bool is_change(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

}  // namespace

Response Api::handle(const Request& request) {
  if (auto page = panel_page(request)) return *std::move(page);
  const auto admitted = admit(context_, request, sessions_);
  if (!admitted) return admitted.error();
  const Route& route = *admitted->match.route;
  CHECK(route.body != BodyKind::kMessage || request.upload != nullptr);
  const Call call{context_, request, admitted->target, admitted->match.path, admitted->principal, sessions_, directory_};
  Response response = route.handler(call);
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
