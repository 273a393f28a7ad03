// HTML of the set-up page. See setup_page.h.
#include "web-admin/setup_page.h"

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "web-admin/qr_code.h"
#include "web-admin/xml_text.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kStyle =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ccc}"
    "code{font-size:1rem}input,button{font:inherit;padding:.4rem .6rem}.card{margin:1.5rem 0}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4ff}th,td{border-color:#444}}";

std::string_view name_of(MailProtocol protocol) {
  switch (protocol) {
    case MailProtocol::kImap: return "Incoming mail (IMAP)";
    case MailProtocol::kPop3: return "Incoming mail (POP3)";
    case MailProtocol::kSubmission: return "Outgoing mail (SMTP)";
  }
  return "";
}

std::string form(const std::string& given) {
  return "<form method=\"get\" action=\"/setup\"><p><label for=\"address\">Your mail address</label><br>"
         "<input id=\"address\" name=\"address\" type=\"email\" maxlength=\"320\" required autocomplete=\"email\" value=\"" +
         xml_escape(given) + "\"> <button>Show settings</button></p></form>\n";
}

std::string table(const SetupPage& page) {
  std::string out =
      "<table><thead><tr><th scope=\"col\">For</th><th scope=\"col\">Server</th><th scope=\"col\">Port</th>"
      "<th scope=\"col\">Encryption</th></tr></thead><tbody>\n";
  for (const ClientServer& server : page.settings.servers) {
    out += "<tr><td>" + std::string(name_of(server.protocol)) + "</td><td><code>" + xml_escape(page.settings.hostname) +
           "</code></td><td><code>" + std::to_string(server.port) + "</code></td><td>" +
           (server.encryption == Encryption::kTls ? "TLS (SSL)" : "STARTTLS") + "</td></tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string settings_of(const SetupPage& page) {
  const std::string address = xml_escape(page.address);
  std::string out = "<p>User name: <code>" + address + "</code>. The password is the one you were given.</p>\n" + table(page);
  out += "<div class=\"card\"><h2>iPhone, iPad, Mac</h2><p><a href=\"" + xml_escape(page.profile_path) +
         "\">Install the account</a>: the device asks for the password.</p>\n";
  const auto code =
      qr_code_svg("https://" + page.settings.hostname + page.profile_path, "QR code of the link to install the account");
  if (code) out += "<p>Or read this with its camera:</p>\n" + *code + "\n";
  out +=
      "</div>\n<div class=\"card\"><h2>Thunderbird, Outlook and others</h2>"
      "<p>Enter address and password; the rest is found by itself. If not, the table above has it.</p></div>\n";
  return out;
}

}  // namespace

std::string setup_html(const SetupPage& page) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"robots\" content=\"noindex\"><title>Mail set-up</title><style>" +
      std::string(kStyle) + "</style></head><body><main><h1>Mail set-up</h1>\n";
  if (!page.given.empty() && page.address.empty()) out += "<p role=\"alert\">This server has no mailboxes of that domain.</p>\n";
  out += page.address.empty() ? form(page.given) : settings_of(page);
  return out + "</main></body></html>\n";
}

std::string setup_security_policy() {
  return "default-src 'none'; style-src 'sha256-" + base64_encode(as_view(sha256(kStyle))) +
         "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}

}  // namespace posthus::web_admin
