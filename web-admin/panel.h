// The browser panel as the server sees it: files built from web-admin/ui and embedded, found by the path of a request.
// The script asks the API for everything; nothing here knows who is signed in. Thread rule: pure functions over constants.
// Known limits: no ranges; of Accept-Encoding only "br", "gzip" and their q=0 are understood (RFC 9110 §12.5.3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "web-admin/request.h"

namespace posthus::web_admin {

/// One embedded file with its ready-made encodings; views of read-only data of the program.
struct PanelFile {
  std::string_view name;  // "index.html", or with a hash of its content: "panel-4f1c9b2e.js"
  std::string_view type;
  std::string_view tag;  // of its content, for ETag
  std::string_view identity, gzip, brotli;
};
/// All of them; empty when the program was built without the panel.
std::span<const PanelFile> panel_files();

/// The page that every address of the panel answers with: "/", "/queue", "/domains/example.test". Nothing when `request` asks
/// for something else or there is no panel. The paths: kSections in panel.cc and web-admin/ui/src/shell.tsx (a test holds them
/// together).
std::optional<Response> panel_page(const Request& request);
/// The way to the same page over TLS, for a browser that came without although `https_port` (0: none known) listens: people could
/// not sign in there. Nothing when `request` is for no page, or there may be TLS on its way (Origin::is_surely_plain).
/// `http_port`: of the listener without TLS; who names it wants no other host's port 443.
std::optional<Response> panel_redirection(const Request& request, std::uint16_t http_port, std::uint16_t https_port);
/// A file by its name; 404 without one.
Response panel_file(const Request& request, std::string_view name);

}  // namespace posthus::web_admin
