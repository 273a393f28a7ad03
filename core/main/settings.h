// Settings that need a restart: defaults, then posthus.toml, then POSTHUS_* environment variables, then options; the later
// wins. The table in settings.cc has them all; what is not in it, or not as it says, is refused with its place.
// Environment: POSTHUS_ and the name in capitals, '.' as '_' (ports.smtp is POSTHUS_PORTS_SMTP); lists with commas.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace posthus::main {

struct Settings {
  std::string hostname;          // our name in greetings and trace fields
  bool is_hostname_set = false;  // by a file, the environment or an option; else the set-up may choose another one
  std::string data = "data";     // the data directory
  std::vector<std::string> listen{"*"};
  std::vector<std::string> listen_http{"127.0.0.1", "::1"};  // plain HTTP
  bool is_loopback_confidential = true;                      // is who comes from there to plain HTTP surely of this machine?
  // The standard ports + 2000, because those below 1024 need privileges. 0: no such listener.
  std::uint64_t smtp_port = 2025, submission_port = 2587, submissions_port = 2465;
  std::uint64_t pop3_port = 2110, pop3s_port = 2995, imap_port = 2143, imaps_port = 2993;
  std::uint64_t http_port = 2080, https_port = 2443;
  std::string tls_certificate, tls_key;  // PEM files; empty: self-signed, made at the first start
  std::uint64_t message_bytes = 50ull << 20;
  std::uint64_t connections = 10'000;                // of one listener
  std::uint64_t connections_per_network = 100;       // from one IPv4 address or IPv6 /64, of one listener
  std::uint64_t io_threads = 0, worker_threads = 0;  // 0: by the number of processors
  std::string log_level = "info", log_format = "text", log_output = "stderr";
  // The set-up of a new store without a browser; of no account once it is set up.
  std::string setup_domain, setup_admin, setup_admin_password, setup_admin_password_file;
  std::string setup_smarthost, setup_smarthost_login, setup_smarthost_password, setup_smarthost_password_file;
  std::vector<std::string> setup_addresses;
  std::uint64_t setup_port = 0;          // in the address a new server tells; 0: https_port
  std::vector<std::string> dns_servers;  // "192.0.2.1" or "192.0.2.1@5353"; empty: recursive from the root servers
  std::string dns_trust_anchor = "/usr/share/dns/root.key";
  std::string outgoing_roots;  // PEM file with whom we trust to vouch for other servers; empty: the system's
  std::uint64_t outgoing_https_port = 443;
  std::uint64_t outgoing_smtp_port = 25;  // of other servers
  // Of certificates from a CA; what the store's settings of the same names say counts more.
  std::vector<std::string> acme_hostnames;
  std::string acme_directory, acme_contact, acme_eab_key_id, acme_eab_key_file;
  bool acme_accept_terms = false;
  std::vector<std::string> exempt_networks;  // never throttled at login
  std::vector<std::string> proxy_addresses;  // whose connections begin with a PROXY header ...
  std::vector<std::string> proxy_listeners{"smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps"};  // ... here
  std::vector<std::string> shared_addresses;      // behind them are many clients
  std::vector<std::string> http_proxies;          // whose fields about the client are believed ...
  std::string http_proxy_fields = "x-forwarded";  // ... these
  bool allow_plaintext = false;                   // logins without TLS
  std::uint64_t map_bytes = 64ull << 30, budget_bytes = 64ull << 20, segment_bytes = 64ull << 20;
};

/// One line of `config show`.
struct EffectiveSetting {
  std::string name, environment, value, origin;  // origin: "default", "posthus.toml:3", "POSTHUS_HOSTNAME", "--set"
};

struct LoadedSettings {
  Settings settings;
  std::vector<EffectiveSetting> effective;  // in the order of the table
};

struct SettingsInput {
  std::string config;  // --config; empty: POSTHUS_CONFIG, else posthus.toml in the data directory if there is one
  std::vector<std::pair<std::string, std::string>> environment;  // name and value; names without POSTHUS_ are passed over
  std::vector<std::pair<std::string, std::string>> options;      // setting and value, from --data and --set
};

/// Errors: kInvalid with every context as "place: what is wrong, what was expected".
Result<LoadedSettings> load_settings(const SettingsInput& input);

/// The process's environment as load_settings wants it.
std::vector<std::pair<std::string, std::string>> process_environment();

/// All settings as a table in Markdown, for core/main/README.md; a test holds the page to it.
std::string describe_settings();

}  // namespace posthus::main
