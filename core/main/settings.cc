// The table of settings, and laying its sources over each other.
#include "core/main/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <variant>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"
#include "core/main/toml_file.h"

namespace posthus::main {
namespace {

using Text = std::string Settings::*;
using Number = std::uint64_t Settings::*;
using Texts = std::vector<std::string> Settings::*;
using Switch = bool Settings::*;

enum class Rule : std::uint8_t {
  kAny,
  kHostname,
  kPath,
  kAddresses,
  kNetworks,
  kServers,
  kLevel,
  kFormat,
  kOutput,
  kSecret,
  kIp,
  kListeners,
  kProxyFields
};

struct Definition {
  std::string_view name;
  std::variant<Text, Number, Texts, Switch> member;
  std::string_view description;
  std::uint64_t minimum = 0, maximum = 0;  // of numbers
  Rule rule = Rule::kAny;                  // of texts
};

constexpr std::uint64_t kMaxPort = 65'535;
constexpr std::uint64_t kKiB = 1ull << 10, kMiB = 1ull << 20, kGiB = 1ull << 30, kTiB = 1ull << 40;

const std::array kDefinitions{
    Definition{"hostname", &Settings::hostname, "our name in greetings, trace fields and the self-signed certificate", 0, 0,
               Rule::kHostname},
    Definition{"data", &Settings::data, "the data directory; on a local file system", 0, 0, Rule::kPath},
    Definition{"listen", &Settings::listen, "addresses to listen on; \"*\" is all", 0, 0, Rule::kAddresses},
    Definition{"listen_http", &Settings::listen_http, "addresses of the listener without TLS for HTTP", 0, 0, Rule::kAddresses},
    Definition{
        "http.loopback_is_confidential", &Settings::is_loopback_confidential,
        "false, as in the image: who comes from 127.0.0.1 may have come over a network, through a forwarder; passwords and "
        "tokens need TLS from there too, and no bans or limits by that address"},
    Definition{"ports.smtp", &Settings::smtp_port, "mail from other servers", 0, kMaxPort},
    Definition{"ports.submission", &Settings::submission_port, "mail from our users, STARTTLS", 0, kMaxPort},
    Definition{"ports.submissions", &Settings::submissions_port, "mail from our users, TLS", 0, kMaxPort},
    Definition{"ports.pop3", &Settings::pop3_port, "POP3, STLS", 0, kMaxPort},
    Definition{"ports.pop3s", &Settings::pop3s_port, "POP3, TLS", 0, kMaxPort},
    Definition{"ports.imap", &Settings::imap_port, "IMAP, STARTTLS", 0, kMaxPort},
    Definition{"ports.imaps", &Settings::imaps_port, "IMAP, TLS", 0, kMaxPort},
    Definition{"ports.http", &Settings::http_port, "health, and the API for a reverse proxy on this machine", 0, kMaxPort},
    Definition{"ports.https", &Settings::https_port, "the panel, the API, client set-up, health", 0, kMaxPort},
    Definition{"tls.certificate", &Settings::tls_certificate,
               "PEM file with the certificate and its chain, relative to the data directory"},
    Definition{"tls.key", &Settings::tls_key, "PEM file with its key, relative to the data directory"},
    Definition{"acme.hostnames", &Settings::acme_hostnames, "certificates of these names are ordered from the CA by itself", 0, 0,
               Rule::kHostname},
    Definition{"acme.accept_terms", &Settings::acme_accept_terms, "true: the terms of the CA are accepted"},
    Definition{"acme.contact", &Settings::acme_contact, "address the CA may write to"},
    Definition{"acme.directory", &Settings::acme_directory, "https URL of the CA's ACME directory; empty: Let's Encrypt"},
    Definition{"acme.eab_key_id", &Settings::acme_eab_key_id, "of external account binding, as the CA gave it"},
    Definition{"acme.eab_key_file", &Settings::acme_eab_key_file,
               "file with its key in base64url, relative to the data directory"},
    Definition{"limits.message_bytes", &Settings::message_bytes, "largest message accepted", 64 * kKiB, kGiB},
    Definition{"limits.connections", &Settings::connections, "connections of one listener", 1, 1'000'000},
    Definition{"limits.connections_per_network", &Settings::connections_per_network,
               "of them from one IPv4 address or IPv6 /64; 0: no limit", 0, 1'000'000},
    Definition{"threads.io", &Settings::io_threads, "event loops; 0: one per processor", 0, 256},
    Definition{"threads.workers", &Settings::worker_threads, "threads that may block; 0: by processors", 0, 1024},
    Definition{"log.level", &Settings::log_level, "debug, info, warning or error", 0, 0, Rule::kLevel},
    Definition{"log.format", &Settings::log_format, "text or json", 0, 0, Rule::kFormat},
    Definition{"log.output", &Settings::log_output, "stderr or stdout: where the log goes", 0, 0, Rule::kOutput},
    Definition{"setup.domain", &Settings::setup_domain, "first start: the first domain; empty: that of setup.admin"},
    Definition{"setup.admin", &Settings::setup_admin,
               "first start: address of the first admin; with a password all is set up by itself"},
    Definition{"setup.admin_password", &Settings::setup_admin_password, "first start: his password; a file is better", 0, 0,
               Rule::kSecret},
    Definition{"setup.admin_password_file", &Settings::setup_admin_password_file, "first start: file with his password"},
    Definition{"setup.addresses", &Settings::setup_addresses,
               "first start: addresses under which the world sees this server (public.addresses)", 0, 0, Rule::kIp},
    Definition{"setup.port", &Settings::setup_port,
               "first start: port in the address that the log tells to open, as it is seen from outside; 0: ports.https", 0,
               kMaxPort},
    Definition{"setup.smarthost", &Settings::setup_smarthost,
               "first start: server that mail leaves through, like smtps://smtp.example.net; empty: directly"},
    Definition{"setup.smarthost_login", &Settings::setup_smarthost_login, "first start: login there"},
    Definition{"setup.smarthost_password", &Settings::setup_smarthost_password, "first start: its password; a file is better", 0,
               0, Rule::kSecret},
    Definition{"setup.smarthost_password_file", &Settings::setup_smarthost_password_file, "first start: file with its password"},
    Definition{"dns.servers", &Settings::dns_servers,
               "resolvers that are asked, as IP or IP@PORT; empty: the authoritative servers, from the root on", 0, 0,
               Rule::kServers},
    Definition{"dns.trust_anchor", &Settings::dns_trust_anchor,
               "file with the key or DS of the DNS root; empty or missing: answers are not validated, DANE is off"},
    Definition{"outgoing.roots", &Settings::outgoing_roots,
               "PEM file with the roots that vouch for other servers, relative to the data directory; empty: the system's"},
    Definition{"outgoing.https_port", &Settings::outgoing_https_port,
               "port of other domains' MTA-STS policies and TLS report receivers; another one than 443 is for tests", 1,
               kMaxPort},
    Definition{"outgoing.smtp_port", &Settings::outgoing_smtp_port,
               "port of the mail exchangers of other domains; another one than 25 is for tests", 1, kMaxPort},
    Definition{"proxy.addresses", &Settings::proxy_addresses,
               "networks of proxies whose connections begin with a PROXY header (versions 1 and 2); from others none is taken", 0,
               0, Rule::kNetworks},
    Definition{"proxy.listeners", &Settings::proxy_listeners, "the listeners, by their names under ports, that these proxies use",
               0, 0, Rule::kListeners},
    Definition{"proxy.http_addresses", &Settings::http_proxies,
               "networks of reverse proxies for HTTP; what others say about the client is ignored", 0, 0, Rule::kNetworks},
    Definition{"proxy.http_fields", &Settings::http_proxy_fields,
               "what these say it with: x-forwarded (X-Forwarded-For, -Proto, -Host) or forwarded (RFC 7239)", 0, 0,
               Rule::kProxyFields},
    Definition{"proxy.shared_addresses", &Settings::shared_addresses,
               "networks behind whose addresses many clients are (a NAT, a webmail server): no bans and limits by address there",
               0, 0, Rule::kNetworks},
    Definition{"login.exempt_networks", &Settings::exempt_networks, "networks whose failed logins are not throttled", 0, 0,
               Rule::kNetworks},
    Definition{"login.allow_plaintext", &Settings::allow_plaintext,
               "true: passwords are accepted without TLS; for tests on one machine"},
    Definition{"store.map_bytes", &Settings::map_bytes, "address space of the index, not disk", 64 * kMiB, 16 * kTiB},
    Definition{"store.budget_bytes", &Settings::budget_bytes, "memory of arriving messages, all together", 4 * kMiB, 64 * kGiB},
    Definition{"store.segment_bytes", &Settings::segment_bytes, "size of a file of messages", kMiB, 4 * kGiB},
};

std::string environment_name(std::string_view name) {
  std::string out = "POSTHUS_" + ascii::to_upper(name);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

// Levenshtein distance; names are short, so quadratic is nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

Error unknown(std::string_view place, std::string_view name, std::string_view like, bool is_environment) {
  std::string nearest;
  std::size_t best = 4;  // further away is no misspelling
  for (const Definition& definition : kDefinitions) {
    const std::string known = is_environment ? environment_name(definition.name) : std::string(definition.name);
    const std::size_t d = like.size() > 100 ? best : distance(like, known);
    if (d < best) best = d, nearest = known;
  }
  std::string text = std::string(place) + ": there is no setting '" + std::string(name) + "'";
  return {ErrorKind::kInvalid, nearest.empty() ? text : text + "; did you mean '" + nearest + "'?"};
}

const Definition* find(std::string_view name) {
  const auto found = std::find_if(kDefinitions.begin(), kDefinitions.end(), [&](const Definition& d) { return d.name == name; });
  return found == kDefinitions.end() ? nullptr : &*found;
}

// Do settings stand in a table of this name?
bool is_table(std::string_view name) {
  const std::string prefix = std::string(name) + ".";
  return std::ranges::any_of(kDefinitions, [&](const Definition& d) { return d.name.starts_with(prefix); });
}

bool is_hostname(const std::string& text) {
  if (text.empty() || mail::is_domain_literal(text)) return false;
  return mail::normalise_domain(text).has_value();
}

bool is_server(std::string_view text) {
  const std::size_t at = text.find('@');
  const auto port = at == std::string_view::npos ? 53 : ascii::parse_decimal<std::uint16_t>(text.substr(at + 1)).value_or(0);
  return port != 0 && parse_ip_address(text.substr(0, at));
}

// What is expected of a text under `rule`, when `text` is not it.
std::optional<std::string_view> rule_broken(Rule rule, const std::string& text) {
  switch (rule) {
    case Rule::kAny: return std::nullopt;
    case Rule::kSecret: return std::nullopt;
    case Rule::kOutput:
      return text == "stderr" || text == "stdout" ? std::nullopt : std::optional<std::string_view>("stderr or stdout");
    case Rule::kIp: return parse_ip_address(text) ? std::nullopt : std::optional<std::string_view>("IP addresses");
    case Rule::kPath: return text.empty() ? std::optional<std::string_view>("a path") : std::nullopt;
    case Rule::kHostname:
      return is_hostname(text) ? std::nullopt : std::optional<std::string_view>("a host name like mail.example.org");
    case Rule::kAddresses:
      return text == "*" || parse_ip_address(text) ? std::nullopt : std::optional<std::string_view>("IP addresses or \"*\"");
    case Rule::kNetworks:
      return parse_ip_network(text) ? std::nullopt : std::optional<std::string_view>("networks like 192.0.2.0/24");
    case Rule::kServers:
      return is_server(text) ? std::nullopt : std::optional<std::string_view>("servers like 192.0.2.1 or 192.0.2.1@53");
    case Rule::kLevel:
      return text == "debug" || text == "info" || text == "warning" || text == "error"
                 ? std::nullopt
                 : std::optional<std::string_view>("debug, info, warning or error");
    case Rule::kListeners:
      return find("ports." + text) ? std::nullopt : std::optional<std::string_view>("listeners like smtp, submissions or imaps");
    case Rule::kProxyFields:
      return text == "x-forwarded" || text == "forwarded" ? std::nullopt
                                                          : std::optional<std::string_view>("x-forwarded or forwarded");
    case Rule::kFormat: return text == "text" || text == "json" ? std::nullopt : std::optional<std::string_view>("text or json");
  }
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = ascii::trim(text.substr(0, comma));
    if (!item.empty()) out.emplace_back(item);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

std::string join(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

/// A value on its way into the settings, and where it stands.
struct Given {
  std::string place;  // "posthus.toml:3", "POSTHUS_PORTS_SMTP", "--set"
  TomlEntry::Type type = TomlEntry::Type::kText;
  std::string text;
  std::vector<std::string> texts;
  bool is_typed = false;  // from TOML: numbers are numbers and lists are lists
};

std::unexpected<Error> refuse_value(const Given& given, const Definition& definition, std::string_view expected) {
  return fail(ErrorKind::kInvalid, given.place + ": '" + std::string(definition.name) + "' must be " + std::string(expected));
}

Result<> put_number(const Given& given, const Definition& definition, std::uint64_t& into) {
  const auto number = ascii::parse_decimal<std::uint64_t>(given.text);
  const bool has_type = !given.is_typed || given.type == TomlEntry::Type::kNumber;
  if (!has_type || !number || *number < definition.minimum || *number > definition.maximum) {
    return refuse_value(given, definition,
                        "a number from " + std::to_string(definition.minimum) + " to " + std::to_string(definition.maximum));
  }
  into = *number;
  return {};
}

Result<> put_switch(const Given& given, const Definition& definition, bool& into) {
  const bool has_type = !given.is_typed || given.type == TomlEntry::Type::kBoolean;
  if (!has_type || (given.text != "true" && given.text != "false")) return refuse_value(given, definition, "true or false");
  into = given.text == "true";
  return {};
}

Result<> put_texts(const Given& given, const Definition& definition, std::vector<std::string>& into) {
  std::vector<std::string> texts;
  if (given.is_typed && given.type == TomlEntry::Type::kTexts) {
    texts = given.texts;
  } else if (given.type == TomlEntry::Type::kText) {
    texts = given.is_typed ? std::vector{given.text} : split_list(given.text);
  } else {
    return refuse_value(given, definition, "a list of strings");
  }
  for (const std::string& text : texts) {
    if (const auto expected = rule_broken(definition.rule, text)) return refuse_value(given, definition, *expected);
  }
  into = std::move(texts);
  return {};
}

Result<> put(const Given& given, const Definition& definition, Settings& settings) {
  if (const auto* number = std::get_if<Number>(&definition.member)) return put_number(given, definition, settings.**number);
  if (const auto* texts = std::get_if<Texts>(&definition.member)) return put_texts(given, definition, settings.**texts);
  if (const auto* flag = std::get_if<Switch>(&definition.member)) return put_switch(given, definition, settings.**flag);
  if (given.type != TomlEntry::Type::kText) return refuse_value(given, definition, "a string");
  if (const auto expected = rule_broken(definition.rule, given.text)) return refuse_value(given, definition, *expected);
  settings.*std::get<Text>(definition.member) = given.text;
  return {};
}

std::string value_text(const Definition& definition, const Settings& settings) {
  if (const auto* number = std::get_if<Number>(&definition.member)) return std::to_string(settings.**number);
  if (const auto* texts = std::get_if<Texts>(&definition.member)) return join(settings.**texts);
  if (const auto* flag = std::get_if<Switch>(&definition.member)) return settings.**flag ? "true" : "false";
  const std::string& text = settings.*std::get<Text>(definition.member);
  return definition.rule == Rule::kSecret && !text.empty() ? "********" : text;
}

std::string default_hostname() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string text = name;
  return text.find('.') != std::string::npos && is_hostname(text) ? text : "localhost";
}

/// The sources laid over each other so far.
class Layers {
 public:
  Layers() {
    loaded_.settings.hostname = default_hostname();
    for (const Definition& definition : kDefinitions) {
      loaded_.effective.push_back({std::string(definition.name), environment_name(definition.name), "", "default"});
    }
  }

  Result<> lay(const Definition& definition, const Given& given) {
    POSTHUS_TRY_VOID(put(given, definition, loaded_.settings));
    loaded_.effective[static_cast<std::size_t>(&definition - kDefinitions.data())].origin = given.place;
    return {};
  }

  Result<> lay_file(const std::string& path) {
    for (const TomlEntry& entry : POSTHUS_TRY(read_toml(path))) {
      if (entry.type == TomlEntry::Type::kEmptyTable && is_table(entry.name)) continue;
      const std::string place = path + ":" + std::to_string(entry.line);
      const Definition* definition = find(entry.name);
      if (!definition) return std::unexpected(unknown(place, entry.name, entry.name, false));
      POSTHUS_TRY_VOID(lay(*definition, {place, entry.type, entry.text, entry.texts, true}));
    }
    return {};
  }

  Result<> lay_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
    for (const auto& [name, value] : environment) {
      if (!name.starts_with("POSTHUS_") || name == "POSTHUS_CONFIG") continue;
      const auto found = std::find_if(kDefinitions.begin(), kDefinitions.end(),
                                      [&name](const Definition& d) { return environment_name(d.name) == name; });
      if (found == kDefinitions.end()) return std::unexpected(unknown("environment", name, name, true));
      POSTHUS_TRY_VOID(lay(*found, {.place = name, .text = value}));
    }
    return {};
  }

  Result<> lay_options(const std::vector<std::pair<std::string, std::string>>& options) {
    for (const auto& [name, value] : options) {
      const Definition* definition = find(name);
      if (!definition) return std::unexpected(unknown("--set", name, name, false));
      POSTHUS_TRY_VOID(lay(*definition, {.place = name == "data" ? "--data" : "--set", .text = value}));
    }
    return {};
  }

  Result<LoadedSettings> finish() {
    Settings& settings = loaded_.settings;
    if (settings.tls_certificate.empty() != settings.tls_key.empty()) {
      const bool has_key = settings.tls_certificate.empty();
      return fail(ErrorKind::kInvalid,
                  origin(has_key ? "tls.key" : "tls.certificate") +
                      (has_key ? ": 'tls.key' needs 'tls.certificate'" : ": 'tls.certificate' needs 'tls.key'"));
    }
    settings.is_hostname_set = origin("hostname") != "default";
    for (std::size_t i = 0; i < kDefinitions.size(); ++i) loaded_.effective[i].value = value_text(kDefinitions[i], settings);
    return std::move(loaded_);
  }

 private:
  const std::string& origin(std::string_view name) const {
    return loaded_.effective[static_cast<std::size_t>(find(name) - kDefinitions.data())].origin;
  }

  LoadedSettings loaded_;
};

const std::string* last_of(const std::vector<std::pair<std::string, std::string>>& pairs, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : pairs) {
    if (key == name) found = &value;
  }
  return found;
}

}  // namespace

Result<LoadedSettings> load_settings(const SettingsInput& input) {
  const std::string* named = input.config.empty() ? last_of(input.environment, "POSTHUS_CONFIG") : &input.config;
  const std::string* data = last_of(input.options, "data");
  if (!data) data = last_of(input.environment, "POSTHUS_DATA");
  const std::string path = named ? *named : (data ? *data : Settings().data) + "/posthus.toml";
  Layers layers;
  std::error_code error;
  if (named || std::filesystem::exists(path, error)) {
    if (auto laid = layers.lay_file(path); !laid)
      return std::unexpected(Error{ErrorKind::kInvalid, std::move(laid).error().context});
  }
  POSTHUS_TRY_VOID(layers.lay_environment(input.environment));
  POSTHUS_TRY_VOID(layers.lay_options(input.options));
  return layers.finish();
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string describe_settings() {
  Settings defaults;
  defaults.hostname = "the system's, or localhost";
  std::string out = "| setting | environment | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const Definition& definition : kDefinitions) {
    out += "| " + std::string(definition.name) + " | " + environment_name(definition.name) + " | " +
           value_text(definition, defaults) + " | " + std::string(definition.description) + " |\n";
  }
  return out;
}

}  // namespace posthus::main
