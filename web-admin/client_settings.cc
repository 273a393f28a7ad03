// The three ways to tell mail programs their settings. See client_settings.h.
#include "web-admin/client_settings.h"

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "web-admin/xml_text.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kXmlHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kAutodiscoverHead =
    "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n";

std::string element(std::string_view name, std::string_view value) {
  const std::string tag(name);
  return "<" + tag + ">" + xml_escape(value) + "</" + tag + ">\n";
}

std::string_view thunderbird_type(MailProtocol protocol) {
  switch (protocol) {
    case MailProtocol::kImap: return "imap";
    case MailProtocol::kPop3: return "pop3";
    case MailProtocol::kSubmission: return "smtp";
  }
  return "";
}

std::string thunderbird_server(const ClientSettings& settings, const ClientServer& server) {
  const std::string tag = server.protocol == MailProtocol::kSubmission ? "outgoingServer" : "incomingServer";
  std::string out = "<" + tag + " type=\"" + std::string(thunderbird_type(server.protocol)) + "\">\n";
  out += element("hostname", settings.hostname) + element("port", std::to_string(server.port));
  out += element("socketType", server.encryption == Encryption::kTls ? "SSL" : "STARTTLS");
  out += element("username", "%EMAILADDRESS%") + element("authentication", "password-cleartext");
  return out + "</" + tag + ">\n";
}

std::string outlook_protocol(const ClientSettings& settings, const ClientServer& server, std::string_view address) {
  const bool is_smtp = server.protocol == MailProtocol::kSubmission;
  std::string out = "<Protocol>\n" + element("Type", ascii::to_upper(thunderbird_type(server.protocol)));
  out += element("Server", settings.hostname) + element("Port", std::to_string(server.port)) + element("DomainRequired", "off");
  out += element("LoginName", address) + element("SPA", "off");
  // Encryption is newer than SSL and wins over it where it is known.
  out += element("SSL", server.encryption == Encryption::kTls ? "on" : "off");
  out += element("Encryption", server.encryption == Encryption::kTls ? "SSL" : "TLS") + element("AuthRequired", "on");
  if (is_smtp) out += element("UsePOPAuth", "off") + element("SMTPLast", "off");
  return out + "</Protocol>\n";
}

// ---- Apple ----

std::string key_and(std::string_view key, std::string_view type, std::string_view value) {
  return element("key", key) + element(type, value);
}
std::string key_and(std::string_view key, bool value) { return element("key", key) + (value ? "<true/>\n" : "<false/>\n"); }

/// The same for the same profile, so that installing it again replaces it.
std::string identifier(std::string_view what, std::string_view address) {
  std::string hex = to_hex(as_view(sha256(std::string(what) + "\n" + ascii::to_lower(address)))).substr(0, 32);
  hex[12] = '5';  // RFC 4122 §4.1.3: from a name, by hash
  hex[16] = 'a';  // §4.1.1
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

/// "com.example.mail": names of domains backwards, as Apple wants identifiers.
std::string backwards(std::string_view domain) {
  std::string out;
  while (!domain.empty()) {
    const std::size_t dot = domain.rfind('.');
    out += (out.empty() ? "" : ".") + std::string(domain.substr(dot == std::string_view::npos ? 0 : dot + 1));
    domain = dot == std::string_view::npos ? std::string_view{} : domain.substr(0, dot);
  }
  return out;
}

std::string apple_server(const ClientSettings& settings, std::string_view direction, const ClientServer& server,
                         std::string_view address) {
  const std::string prefix = std::string(direction) + "MailServer";
  return key_and(prefix + "Authentication", "string", "EmailAuthPassword") +
         key_and(prefix + "HostName", "string", settings.hostname) +
         key_and(prefix + "PortNumber", "integer", std::to_string(server.port)) + key_and(prefix + "UseSSL", true) +
         key_and(prefix + "Username", "string", address);
}

std::string apple_account(const ClientSettings& settings, std::string_view address) {
  const ClientServer* incoming = settings.find(MailProtocol::kImap);
  const bool is_imap = incoming != nullptr;
  if (!incoming) incoming = settings.find(MailProtocol::kPop3);
  const ClientServer* const outgoing = settings.find(MailProtocol::kSubmission);
  std::string out =
      "<dict>\n" + key_and("PayloadType", "string", "com.apple.mail.managed") + key_and("PayloadVersion", "integer", "1") +
      key_and("PayloadIdentifier", "string", backwards(settings.domain) + ".posthus.account") +
      key_and("PayloadUUID", "string", identifier("account", address)) + key_and("PayloadDisplayName", "string", address) +
      key_and("EmailAccountDescription", "string", address) + key_and("EmailAddress", "string", address) +
      key_and("EmailAccountType", "string", is_imap ? "EmailTypeIMAP" : "EmailTypePOP");
  if (incoming) out += apple_server(settings, "Incoming", *incoming, address);
  if (outgoing)
    out += apple_server(settings, "Outgoing", *outgoing, address) + key_and("OutgoingPasswordSameAsIncomingPassword", true);
  return out + key_and("PreventMove", false) + "</dict>\n";
}

}  // namespace

const ClientServer* ClientSettings::find(MailProtocol protocol) const {
  for (const ClientServer& server : servers) {
    if (server.protocol == protocol) return &server;
  }
  return nullptr;
}

std::string autoconfig_xml(const ClientSettings& settings) {
  std::string out(kXmlHead);
  out += "<clientConfig version=\"1.1\">\n<emailProvider id=\"" + xml_escape(settings.domain) + "\">\n";
  out +=
      element("domain", settings.domain) + element("displayName", settings.domain) + element("displayShortName", settings.domain);
  for (const ClientServer& server : settings.servers) out += thunderbird_server(settings, server);
  return out + "</emailProvider>\n</clientConfig>\n";
}

std::string autodiscover_xml(const ClientSettings& settings, std::string_view address) {
  std::string out(kXmlHead);
  out.append(kAutodiscoverHead);
  out += "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n";
  out += "<User>\n" + element("DisplayName", address) + "</User>\n<Account>\n" + element("AccountType", "email") +
         element("Action", "settings");
  for (const MailProtocol protocol : {MailProtocol::kImap, MailProtocol::kPop3, MailProtocol::kSubmission}) {
    if (const ClientServer* server = settings.find(protocol)) out += outlook_protocol(settings, *server, address);
  }
  return out + "</Account>\n</Response>\n</Autodiscover>\n";
}

std::string autodiscover_error(int code, std::string_view message) {
  std::string out(kXmlHead);
  out.append(kAutodiscoverHead);
  out += "<Response>\n<Error Time=\"00:00:00\" Id=\"1\">\n" + element("ErrorCode", std::to_string(code)) +
         element("Message", message);
  return out + "<DebugData/>\n</Error>\n</Response>\n</Autodiscover>\n";
}

std::string apple_profile(const ClientSettings& settings, std::string_view address) {
  std::string out(kXmlHead);
  out += "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";
  out += "<plist version=\"1.0\">\n<dict>\n" + key_and("PayloadType", "string", "Configuration") +
         key_and("PayloadVersion", "integer", "1") +
         key_and("PayloadIdentifier", "string", backwards(settings.domain) + ".posthus." + identifier("profile", address)) +
         key_and("PayloadUUID", "string", identifier("profile", address)) + key_and("PayloadDisplayName", "string", address) +
         key_and("PayloadDescription", "string", "Mail account " + std::string(address)) +
         key_and("PayloadOrganization", "string", settings.domain) + key_and("PayloadRemovalDisallowed", false);
  return out + element("key", "PayloadContent") + "<array>\n" + apple_account(settings, address) +
         "</array>\n</dict>\n</plist>\n";
}

}  // namespace posthus::web_admin
