// The audit log: writing it (see audit.h) and /api/v1/audit. Entries are JSON objects of bounded size.
// Known limits: what two admins change at the same moment may be told of by both; long values are cut.
#include "web-admin/audit.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/mail/date_time.h"
#include "store/identity_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxValue = 300;                          // bytes of one value
constexpr std::size_t kMaxChanges = store::kMaxAuditEvent / 2;  // bytes of all before and after, so that the entry fits
constexpr std::size_t kMaxAuditTarget = 500;
constexpr std::size_t kMaxVisitedEntries = 20'000;  // entries looked at for one page

// Change by themselves, and are nobody's doing.
constexpr std::array<std::string_view, 5> kVolatile{"usage", "sending", "last_used", "last_address", "recovery_codes_left"};
// Their bodies say what was done, and hold nothing secret.
constexpr std::array<std::string_view, 4> kToldBodies{"/api/v1/queue", "/api/v1/users/{address}/hold", "/api/v1/send-test",
                                                      "/api/v1/backup"};
// What a made thing is called, in the answer that tells of it.
constexpr std::array<const char*, 4> kNames{"address", "name", "hostname", "id"};

bool is_audited(const Call& call, const Route& route) {
  if (!is_change(call.request) || route.path == "/api/v1/session") return false;
  if (route.scope == Scope::kAdmin || route.scope == Scope::kLocal || route.scope == Scope::kSetUp) return true;
  // Addresses are the domain's: who made or gave up one is to be found. How often is bounded, see own_aliases.cc.
  if (route.path.starts_with("/api/v1/me/aliases")) return true;
  // WHY not what users do to themselves: it would push out what admins did.
  return route.scope == Scope::kUser && (call.principal.reaches_all || !call.principal.domains.empty());
}

Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

Json cut(const Json& value) {
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kMaxValue) return value;
  std::size_t end = kMaxValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

/// Takes members over as long as there is room.
class Room {
 public:
  void put(Json& into, const std::string& name, const Json& value) {
    const Json kept = cut(value);
    const std::size_t size = name.size() + kept.dump(-1, ' ', false, Json::error_handler_t::replace).size() + 4;
    if (size > left_) return;
    left_ -= size;
    into[name] = kept;
  }

 private:
  std::size_t left_ = kMaxChanges;
};

bool is_volatile(const std::string& name) { return std::ranges::find(kVolatile, name) != kVolatile.end(); }

void put_difference(Json& entry, const Json& before, const Json& after) {
  Json old_values = Json::object(), new_values = Json::object();
  Room room;
  for (const auto& [name, value] : before.items()) {
    if (!is_volatile(name) && (!after.contains(name) || after[name] != value)) room.put(old_values, name, value);
  }
  for (const auto& [name, value] : after.items()) {
    if (!is_volatile(name) && (!before.contains(name) || before[name] != value)) room.put(new_values, name, value);
  }
  entry["before"] = before.empty() ? Json() : old_values;
  entry["after"] = after.empty() ? Json() : new_values;
}

std::string body_text(const Response& response) { return response.status < 300 ? response.body : std::string(); }

}  // namespace

void note_refusal(const ServerContext& context, const Request& request, const Principal& principal, BrowserSessions& sessions,
                  int status) {
  if (!principal.session || !sessions.notes_refusal(principal.session->account)) return;
  Json entry = Json::object();
  entry["time"] = mail::format_rfc3339(context.clock.now());
  entry["who"] = principal.name;
  entry["by"] = "browser";
  entry["from"] = request.origin.remote_address;
  entry["method"] = request.method;
  entry["target"] = request.target.substr(0, kMaxAuditTarget);
  entry["status"] = status;
  const auto written = context.store.apply(store::AddAudit{entry.dump(-1, ' ', false, Json::error_handler_t::replace)});
  if (!written) log::error("audit.failed", {{"target", request.target}, {"context", written.error().context}});
}

namespace {

std::string_view way_of(const Call& call) {
  if (call.request.origin.is_unix_socket) return "socket";
  if (call.principal.session) return "browser";
  return call.principal.name.starts_with("token ") ? "token" : "password";
}

}  // namespace

AuditedRequest::AuditedRequest(const Call& call, const Route& route)
    : call_(call), route_(route), is_audited_(is_audited(call, route)), before_(is_audited_ ? resource() : std::string()) {}

/// What GET shows at this path; nothing where it is no single thing.
std::string AuditedRequest::look(const std::vector<std::string>& segments) const {
  const Target target{segments, {}};
  const RouteMatch match = find_route("GET", target);
  const bool is_resource =
      match.route && (match.route->path.find('{') != std::string_view::npos || match.route->path == "/api/v1/me");
  if (!is_resource || match.route->scope == Scope::kOpen) return {};
  Request request = call_.request;
  request.method = "GET";
  request.body = {};
  const Call look{call_.context, request, target, match.path, call_.principal, call_.sessions, call_.directory};
  return body_text(match.route->handler(look));
}

/// The thing the request is about: what its path names, or (of "/users/x/password", "/groups/x/members/y") what a path above
/// names.
std::string AuditedRequest::resource() const {
  std::vector<std::string> segments = call_.target.segments;
  std::string found = look(segments);
  if (!found.empty() || segments.empty()) return found;
  constexpr std::size_t kOfOneThing = 4;  // "api", "v1", a kind, a name
  do {
    segments.pop_back();
    found = look(segments);
  } while (found.empty() && segments.size() > kOfOneThing);
  return found;
}

/// The thing a POST has made: as GET shows it, else its name and id.
std::string AuditedRequest::made(const Response& response) const {
  const Json told = parsed(body_text(response));
  Json names = Json::object();
  for (const char* name : kNames) {
    if (!told.contains(name) || !told[name].is_string()) continue;
    std::vector<std::string> segments = call_.target.segments;
    segments.push_back(told[name].get<std::string>());
    if (std::string found = look(segments); !found.empty()) return found;
    names[name] = told[name];
  }
  return names.empty() ? std::string() : names.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AuditedRequest::write(const Response& response) const {
  if (!is_audited_ || response.status == 429) return;
  Json entry = Json::object();
  entry["time"] = mail::format_rfc3339(call_.context.clock.now());
  entry["who"] = call_.principal.name;
  entry["by"] = way_of(call_);
  entry["from"] = call_.request.origin.remote_address;
  entry["method"] = call_.request.method;
  entry["target"] = call_.request.target.substr(0, kMaxAuditTarget);
  entry["status"] = response.status;
  Room room;
  if (std::ranges::find(kToldBodies, route_.path) != kToldBodies.end()) {
    Json body = Json::object();
    for (const auto& [name, value] : parsed(std::string(call_.request.body)).items()) room.put(body, name, value);
    entry["request"] = body;
  }
  if (response.status < 300) {
    const bool is_gone = call_.request.method == "DELETE";
    std::string after = is_gone ? std::string() : resource();
    if (after.empty() && call_.request.method == "POST") after = made(response);
    // Of "/me/passkeys" the user stays as he was, and what was made tells more.
    std::string before = before_;
    if (std::string thing = response.status == 201 && !before.empty() ? made(response) : std::string(); !thing.empty()) {
      before.clear();
      after = std::move(thing);
    }
    // Of "/users/x/second-factor" the user stays.
    if (is_gone && !before_.empty()) after = resource();
    put_difference(entry, parsed(before), parsed(after));
  }
  std::string json = entry.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto written = call_.context.store.apply(store::AddAudit{std::move(json)});
  if (!written) log::error("audit.failed", {{"target", call_.request.target}, {"context", written.error().context}});
}

namespace {

struct AuditFilter {
  std::string text;  // lower case
  std::string who;   // as JSON has it
};

bool entry_matches(const AuditFilter& filter, std::string_view json) {
  if (!filter.who.empty() && json.find(filter.who) == std::string_view::npos) return false;
  return filter.text.empty() || ascii::to_lower(json).find(filter.text) != std::string::npos;
}

Result<Response> list_audit_entries(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "search", "who"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  AuditFilter filter{POSTHUS_TRY(search_text(call.target)), {}};
  if (const std::string* who = call.target.parameter("who")) filter.who = "\"who\":" + JsonWriter().text(*who).take() + ",";
  const auto before = range.after.empty() ? std::uint64_t{0} : ascii::parse_decimal<std::uint64_t>(range.after);
  if (!before) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  std::size_t shown = 0, visited = 0;
  std::uint64_t last = 0;
  std::string next;
  POSTHUS_TRY_VOID(store::IdentityReader(*snapshot).audits(*before, [&](std::uint64_t number, std::string_view entry) {
    if (shown == range.limit || visited == kMaxVisitedEntries) {
      next = std::to_string(last);
      return store::Visit::kStop;
    }
    ++visited;
    last = number;
    if (!entry_matches(filter, entry)) return store::Visit::kContinue;
    ++shown;
    // The entry is an object with members, written by this server.
    json.raw("{\"number\":" + std::to_string(number) + "," + std::string(entry.substr(1)));
    return store::Visit::kContinue;
  }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

}  // namespace

Response list_audit(const Call& call) { return answer(list_audit_entries(call)); }

}  // namespace posthus::web_admin
