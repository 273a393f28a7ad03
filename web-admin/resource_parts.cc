// What the resources share (declared in resources.h).
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {

Response json_response(int status, std::string body) {
  body.push_back('\n');
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

Response no_content() { return {.status = 204}; }

Response answer(Result<Response> result) {
  if (!result) return problem(result.error());
  return std::move(*result);
}

}  // namespace posthus::web_admin
