// Serving the panel. RFC 9110 §8.4 (Content-Encoding), §8.8.3 (ETag), §12.5.3 (Accept-Encoding), §13.1.2 (If-None-Match);
// CSP Level 3; RFC 8246 (immutable).
#include "web-admin/panel.h"

#include <algorithm>
#include <array>

#include "core/base/ascii.h"
#include "web-admin/authorisation.h"
#include "web-admin/host_name.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

// First segments of the panel's addresses. What is not here is 404, so that a wrong link is told from a page.
constexpr std::array<std::string_view, 14> kSections{"alerts",   "logs",      "trace",   "queue",    "routes",
                                                     "domains",  "mailboxes", "aliases", "security", "settings",
                                                     "delivery", "about",     "me",      "groups"};

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const PanelFile* find_file(std::string_view name) {
  for (const PanelFile& file : panel_files()) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

// Is `coding` in the list without q=0? (RFC 9110 §12.5.3)
bool accepts(std::string_view list, std::string_view coding) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    if (!ascii::equal_ignoring_case(ascii::trim(element.substr(0, semicolon)), coding)) continue;
    const std::string_view weight = ascii::trim(element.substr(std::min(semicolon + 1, element.size())));
    const bool is_refused = weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    return !is_refused;
  }
  return false;
}

enum class FileKind : bool { kPage, kAsset };

// WHY a page is never compressed: its few hundred bytes are one packet anyway, and pages that are compressed over TLS are what
// tests for BREACH complain of. Assets never change and hold nothing of a user.
Response serve(const Request& request, const PanelFile& file, FileKind kind) {
  const bool is_asset = kind == FileKind::kAsset;
  const bool takes_brotli = is_asset && accepts(request.browser.accept_encoding, "br");
  const bool takes_gzip = is_asset && accepts(request.browser.accept_encoding, "gzip");
  const std::string_view coding = takes_brotli ? "br" : takes_gzip ? "gzip" : "";
  // Each encoding is a representation of its own (RFC 9110 §8.8.3.3).
  const std::string tag = "\"" + std::string(file.tag) + (coding.empty() ? "" : "-") + std::string(coding) + "\"";
  Response response{.content_type = std::string(file.type)};
  response.fields = {{"ETag", tag}, {"Content-Security-Policy", std::string(kPolicy)}};
  if (is_asset) response.fields.emplace_back("Vary", "Accept-Encoding");
  response.fields.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  response.fields.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  response.fields.emplace_back("X-Frame-Options", "DENY");
  response.fields.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  response.fields.emplace_back("Cache-Control", is_asset ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.browser.if_none_match.find(tag) != std::string::npos) {
    response.status = 304;
    return response;
  }
  if (!coding.empty()) response.fields.emplace_back("Content-Encoding", std::string(coding));
  response.body = takes_brotli ? file.brotli : takes_gzip ? file.gzip : file.identity;
  return response;
}

bool is_page(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/") return true;
  const std::size_t slash = path.find('/', 1);
  const std::string_view section = path.substr(1, slash == std::string_view::npos ? slash : slash - 1);
  return std::ranges::find(kSections, section) != kSections.end();
}

bool reads_page(const Request& request) {
  return (request.method == "GET" || request.method == "HEAD") && is_page(request.target);
}

}  // namespace

std::optional<Response> panel_redirection(const Request& request, std::uint16_t http_port, std::uint16_t https_port) {
  if (!request.origin.is_surely_plain || is_confidential(request.origin) || https_port == 0 || !reads_page(request))
    return std::nullopt;
  const auto name = host_name(request.host);
  if (!name) return std::nullopt;  // by an address nobody gets a certificate to trust
  const bool is_our_port = request.host.ends_with(":" + std::to_string(http_port));
  Response response{.status = 308};
  const std::string port = is_our_port ? ":" + std::to_string(https_port) : "";
  response.fields.emplace_back("Location", "https://" + *name + port + request.target);
  return response;
}

std::optional<Response> panel_page(const Request& request) {
  if (!reads_page(request)) return std::nullopt;
  const PanelFile* const page = find_file("index.html");
  if (!page) return std::nullopt;
  return serve(request, *page, FileKind::kPage);
}

Response panel_file(const Request& request, std::string_view name) {
  const PanelFile* const file = find_file(name);
  if (!file || name == "index.html") return problem(404, "There is no such file.");
  return serve(request, *file, FileKind::kAsset);
}

}  // namespace posthus::web_admin
