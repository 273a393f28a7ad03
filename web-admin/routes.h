// The table of all routes on one screen (routes.cc), and finding one. openapi.yaml describes exactly these; a test
// holds the two together.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "web-admin/authorisation.h"
#include "web-admin/request.h"
#include "web-admin/target.h"

namespace posthus::web_admin {

struct ServerContext;

/// One request on its way to its handler. Everything outlives the call.
struct Call {
  const ServerContext& context;
  const Request& request;
  const Target& target;
  const std::vector<std::string>& path;  // values of the {names} in the route's path, in order
  const Principal& principal;
  BrowserSessions& sessions;
  std::mutex& directory;  // REQUIRES: held from reading to writing a directory record
};

using Handler = Response (*)(const Call& call);

enum class BodyKind : std::uint8_t { kNone, kJson, kXml, kMessage };

inline constexpr std::uint64_t kMaxJsonBody = 1024 * 1024;          // 1000 alias targets of full length stay below it
inline constexpr std::uint64_t kMaxXmlBody = 16 * 1024;             // an autodiscover request has some 400 bytes
inline constexpr std::uint64_t kMaxMessageBody = 50 * 1024 * 1024;  // the default message size limit of the server

struct Route {
  std::string_view method;
  std::string_view path;  // "{name}" stands for one segment
  Scope scope;
  BodyKind body;
  Handler handler;
  Reach reach = Reach::kServer;
};

std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::vector<std::string> path;
  std::string allowed;  // with no route: the methods this path has ("GET, POST"), empty when the path is unknown
};
/// HEAD finds the GET route.
RouteMatch find_route(std::string_view method, const Target& target);

std::uint64_t max_body(BodyKind kind);

}  // namespace posthus::web_admin
