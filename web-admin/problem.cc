// Problem details (RFC 9457 §3).
#include "web-admin/problem.h"

#include "core/base/log.h"
#include "web-admin/json.h"

namespace posthus::web_admin {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return 400;
    case ErrorKind::kNotFound: return 404;
    case ErrorKind::kExists: return 409;
    case ErrorKind::kDenied: return 403;
    case ErrorKind::kTooLarge: return 413;
    case ErrorKind::kOverQuota: return 507;
    case ErrorKind::kBusy:
    case ErrorKind::kTimeout:
    case ErrorKind::kUnavailable: return 503;
    case ErrorKind::kCorrupt:
    case ErrorKind::kIo: return 500;
  }
  return 500;
}

Response problem(int status, std::string_view detail, std::string_view code) {
  JsonWriter json;
  json.begin_object().key("type").text("about:blank").key("title").text(reason_phrase(status));
  json.key("status").number(static_cast<std::uint64_t>(status)).key("detail").text(detail);
  if (!code.empty()) json.key("code").text(code);
  json.end_object();
  return {.status = status, .content_type = "application/problem+json", .body = json.take() + "\n"};
}

Response problem(const Error& error) {
  const int status = status_of(error.kind);
  if (status == 500) {
    log::error("http.failure", {{"kind", to_string(error.kind)}, {"context", error.context}});
    return problem(status, "The server could not do this; its log says why.");
  }
  return problem(status, error.context.empty() ? to_string(error.kind) : std::string_view(error.context));
}

Response no_session() { return problem(404, "There is no browser's session here."); }

}  // namespace posthus::web_admin
