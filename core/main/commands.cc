// What each command asks of the admin API, in one table, and printing the answers.
#include "core/main/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/main/api_client.h"
#include "core/main/command_line.h"
#include "core/main/command_parts.h"
#include "core/main/data_directory.h"
#include "core/main/output.h"
#include "core/main/passwords.h"
#include "core/main/serve.h"
#include "core/main/version.h"
#include "store/maintenance.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

std::string domain_target(const CommandLine& line) { return "/api/v1/domains/" + percent_encode(line.name); }
std::string alias_target(const CommandLine& line) { return "/api/v1/aliases/" + percent_encode(line.name); }

// Bytes as people write them: "1048576", "512K", "10M", "2G".
std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  int shift = 0;
  if (!text.empty() && !ascii::is_digit(text.back())) {
    const char unit = ascii::to_upper(text.back());
    shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : -1;
    text.remove_suffix(1);
  }
  const auto number = ascii::parse_decimal<std::uint64_t>(text);
  if (shift < 0 || !number || *number > (UINT64_MAX >> 1 >> shift)) return std::nullopt;
  return *number << shift;
}

int add_domain(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("name").text(i.line.name);
  if (i.line.is_relay) json.key("kind").text("relay");
  if (i.line.checks_recipients) json.key("check_recipients").boolean(true);
  if (!i.line.alias_of.empty()) json.key("alias_of").text(i.line.alias_of);
  return call_and_print(i, "POST", "/api/v1/domains", json.end_object().take(), "Added domain " + i.line.name + ".\n",
                        WithoutServer::kMakeStore);
}
int list_domains(const Invocation& i) {
  return print_list(i, "/api/v1/domains", {"DOMAIN", "DISABLED", "DEFAULT QUOTA", "POP3 DAYS", "ALIAS OF"},
                    {"/display_name", "/disabled", "/default_quota_bytes", "/pop3_retention_days", "/alias_of"});
}
int set_own_aliases(const Invocation& i) {
  const std::string json = JsonWriter().begin_object().key("own_aliases").number(i.line.number).end_object().take();
  return call_and_print(i, "PATCH", domain_target(i.line), json,
                        "Users of " + i.line.name + " may make " + std::to_string(i.line.number) + " addresses each.\n");
}
std::string retention_text(std::string_view days) {
  if (days == "0") return "for ever";
  return days == "default" ? "as long as in its domain" : std::string(days) + " days";
}
int set_domain_retention(const Invocation& i) {
  const std::string json = JsonWriter().begin_object().key("pop3_retention_days").number(i.line.number).end_object().take();
  return call_and_print(i, "PATCH", domain_target(i.line), json,
                        "Mail stays in an INBOX of " + i.line.name + " " + retention_text(std::to_string(i.line.number)) + ".\n");
}
int rename_domain(const Invocation& i) {
  const std::string json = JsonWriter().begin_object().key("name").text(i.line.new_name).end_object().take();
  return call_and_print(i, "PUT", domain_target(i.line) + "/name", json,
                        "Renamed domain " + i.line.name + " to " + i.line.new_name + ". The old name is an alias now.\n");
}
int remove_domain(const Invocation& i) {
  return call_and_print(i, "DELETE", domain_target(i.line), "", "Removed domain " + i.line.name + ".\n");
}

/// The record as a line of a zone file: strings of at most 255 bytes (RFC 6376 §3.6.2.2).
std::string zone_line(const std::string& name, std::string_view record) {
  std::string line = name + ". IN TXT (";
  for (; !record.empty(); record.remove_prefix(std::min<std::size_t>(record.size(), 255))) {
    line.append(" \"").append(record.substr(0, 255)).append("\"");
  }
  return line + " )\n";
}

/// What the API answered about the keys of a domain: a table, then the records.
int print_keys(const Invocation& i, std::string_view method, const std::string& path) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call(method, domain_target(i.line) + path, ""));
  if (!answer) return 1;
  if (i.line.is_json) {
    print(answer->body);
    return 0;
  }
  const auto page =
      read_page(answer->body, {"/selector", "/algorithm", "/state", "/created", "/retires", "/record_name", "/record"});
  if (!page) return refuse(page.error().context);
  std::vector<Row> rows;
  std::string records;
  for (const Row& row : page->rows) {
    rows.emplace_back(row.begin(), row.begin() + 5);
    records += zone_line(row[5], row[6]);
  }
  print(table({"SELECTOR", "ALGORITHM", "STATE", "CREATED", "RETIRES"}, rows) + "\nRecords for the DNS:\n" + records);
  return 0;
}
int show_keys(const Invocation& i) { return print_keys(i, "GET", "/dkim"); }
int rotate_keys(const Invocation& i) { return print_keys(i, "POST", "/dkim/rotate"); }
int activate_keys(const Invocation& i) {
  return print_keys(i, "POST", i.line.is_forced ? "/dkim/activate?force=true" : "/dkim/activate");
}
int remove_key(const Invocation& i) {
  const std::string& selector = i.line.operands.front();
  return call_and_print(i, "DELETE", domain_target(i.line) + "/dkim/" + percent_encode(selector), "",
                        "Removed key " + selector + " of " + i.line.name + ".\n");
}

/// With --generate the password is printed once, here.
std::string password_line(const CommandLine& line, const Secret& password) {
  return line.password == PasswordSource::kGenerate ? "Password: " + std::string(password.reveal()) + "\n" : "";
}

/// Like call_and_print, but --json shows a generated password too.
int call_with_password(const Invocation& i, std::string_view method, const std::string& target, std::string json,
                       const Secret& password, const std::string& done) {
  const bool shows = i.line.is_json && i.line.password == PasswordSource::kGenerate;
  if (!shows) return call_and_print(i, method, target, json, done + password_line(i.line, password));
  const std::string shown =
      JsonWriter().begin_object().key("address").text(i.line.name).key("password").text(password.reveal()).end_object().take();
  CommandLine quiet = i.line;
  quiet.is_json = false;
  return call_and_print({quiet, i.loaded}, method, target, json, shown + "\n");
}

/// Without a password: nobody signs in to it.
int add_shared_user(const Invocation& i, std::optional<std::uint64_t> quota) {
  JsonWriter json;
  json.begin_object().key("address").text(i.line.name).key("shared").boolean(true);
  if (quota) json.key("quota_bytes").number(*quota);
  return call_and_print(i, "POST", "/api/v1/users", json.end_object().take(), "Added shared mailbox " + i.line.name + ".\n");
}

int add_user(const Invocation& i) {
  const auto quota = i.line.quota.empty() ? std::nullopt : parse_bytes(i.line.quota);
  if (!quota && !i.line.quota.empty()) return refuse("the quota must be a number of bytes, perhaps with K, M or G", 2);
  if (i.line.is_shared) return add_shared_user(i, quota);
  const auto password = obtain_password(i.line.password);
  if (!password) return refuse(password.error().context, 2);
  JsonWriter json;
  json.begin_object().key("address").text(i.line.name).key("password").text(password->reveal());
  if (i.line.is_admin) json.key("role").text("server_admin");
  if (quota) json.key("quota_bytes").number(*quota);
  return call_with_password(i, "POST", "/api/v1/users", json.end_object().take(), *password, "Added user " + i.line.name + ".\n");
}
int list_users(const Invocation& i) {
  return print_list(i, "/api/v1/users", {"ADDRESS", "ROLE", "DISABLED", "MESSAGES", "BYTES", "QUOTA"},
                    {"/address", "/role", "/disabled", "/usage/messages", "/usage/bytes", "/quota_bytes"});
}
int remove_user(const Invocation& i) {
  return call_and_print(i, "DELETE", user_target(i.line), "", "Removed user " + i.line.name + ".\n");
}
int rename_user(const Invocation& i) {
  const std::string json = JsonWriter().begin_object().key("address").text(i.line.new_name).end_object().take();
  return call_and_print(i, "PUT", user_target(i.line) + "/address", json,
                        "Renamed user " + i.line.name + " to " + i.line.new_name + ". The old address is an alias now.\n");
}
int set_password(const Invocation& i) {
  const auto password = obtain_password(i.line.password);
  if (!password) return refuse(password.error().context, 2);
  const std::string json = JsonWriter().begin_object().key("password").text(password->reveal()).end_object().take();
  return call_with_password(i, "PUT", user_target(i.line) + "/password", json, *password,
                            "Set the password of " + i.line.name + ".\n");
}
int set_quota(const Invocation& i) {
  const auto quota = parse_bytes(i.line.quota);
  if (!quota) return refuse("the quota must be a number of bytes, perhaps with K, M or G", 2);
  const std::string json = JsonWriter().begin_object().key("quota_bytes").number(*quota).end_object().take();
  return call_and_print(i, "PATCH", user_target(i.line), json, "Set the quota of " + i.line.name + ".\n");
}
int set_user_retention(const Invocation& i) {
  const auto days = ascii::parse_decimal<std::uint32_t>(i.line.retention);
  if (!days && i.line.retention != "default") return refuse("the retention must be a number of days, or 'default'", 2);
  JsonWriter json;
  json.begin_object().key("pop3_retention_days");
  if (days) {
    json.number(*days);
  } else {
    json.null();
  }
  return call_and_print(i, "PATCH", user_target(i.line), json.end_object().take(),
                        "Mail stays in the INBOX of " + i.line.name + " " + retention_text(i.line.retention) + ".\n");
}
int set_role(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("role").text(i.line.role);
  if (!i.line.domains.empty()) json.key("admin_of").texts(i.line.domains);
  return call_and_print(i, "PATCH", user_target(i.line), json.end_object().take(),
                        i.line.name + " has the role " + i.line.role + " now.\n");
}
int disable_user(const Invocation& i) {
  return call_and_print(i, "PATCH", user_target(i.line), "{\"disabled\":true}", "Disabled " + i.line.name + ".\n");
}
int enable_user(const Invocation& i) {
  return call_and_print(i, "PATCH", user_target(i.line), "{\"disabled\":false}", "Enabled " + i.line.name + ".\n");
}

int add_alias(const Invocation& i) {
  const std::string json =
      JsonWriter().begin_object().key("address").text(i.line.name).key("targets").texts(i.line.operands).end_object().take();
  return call_and_print(i, "POST", "/api/v1/aliases", json, "Added alias " + i.line.name + ".\n");
}
int list_aliases(const Invocation& i) {
  return print_list(i, "/api/v1/aliases", {"ADDRESS", "TARGETS"}, {"/address", "/targets"});
}
int remove_alias(const Invocation& i) {
  return call_and_print(i, "DELETE", alias_target(i.line), "", "Removed alias " + i.line.name + ".\n");
}

int create_token(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("name").text(i.line.name).key("scopes").texts(i.line.scopes);
  if (!i.line.expires.empty()) json.key("expires").text(i.line.expires);
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("POST", "/api/v1/tokens", json.end_object().take()));
  if (!answer) return 1;
  print(i.line.is_json ? answer->body : json_value(answer->body, "/token") + "\n");
  return 0;
}
int list_tokens(const Invocation& i) {
  return print_list(i, "/api/v1/tokens", {"ID", "NAME", "SCOPES", "EXPIRES", "CREATED"},
                    {"/id", "/name", "/scopes", "/expires", "/created"});
}
int revoke_token(const Invocation& i) {
  return call_and_print(i, "DELETE", "/api/v1/tokens/" + percent_encode(i.line.name), "", "Revoked token " + i.line.name + ".\n");
}

int deliver(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  std::string target = "/api/v1/deliver?to=" + percent_encode(i.line.name);
  if (!i.line.from.empty()) target += "&from=" + percent_encode(i.line.from);
  const auto answer = accepted((*client)->post_message(target, STDIN_FILENO));
  if (!answer) return 1;
  print(i.line.is_json ? answer->body : "Delivered to " + i.line.name + ".\n");
  return 0;
}

int print_report(const Invocation& i, const web_admin::Response& answer, const std::string& what) {
  const bool is_consistent = json_value(answer.body, "/consistent") == "yes";
  if (i.line.is_json) {
    print(answer.body);
    return is_consistent ? 0 : 1;
  }
  print(what + ": " + json_value(answer.body, "/messages") + " messages in " + json_value(answer.body, "/mailboxes") +
        " mailboxes of " + json_value(answer.body, "/users") + " users, " + json_value(answer.body, "/bytes") + " bytes.\n");
  if (is_consistent) {
    print("Everything is consistent.\n");
    return 0;
  }
  const std::string total = json_value(answer.body, "/findings_total");
  for (int n = 0; n < 100 && json_value(answer.body, "/findings/" + std::to_string(n) + "/where") != "-"; ++n) {
    const std::string at = "/findings/" + std::to_string(n);
    print(json_value(answer.body, at + "/where") + ": " + json_value(answer.body, at + "/what") + "\n");
  }
  return refuse(total + " findings");
}

int rebuild(const Invocation& i) {
  const auto running = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
  if (running) return refuse("a server runs on " + i.loaded.settings.data + "; stop it first");
  if (!has_store(i.loaded.settings)) return refuse(running.error().context + ", and there is no store to rebuild");
  const SystemClock clock;
  const auto found = store::rebuild_index(store_options(i.loaded.settings), clock);
  if (!found) return refuse(found.error().context);
  if (!i.line.is_json) print("Built the index anew: " + std::to_string(*found) + " messages found.\n");
  return 0;
}

int check_store(const Invocation& i) {
  if (i.line.rebuilds) {
    if (const int code = rebuild(i); code != 0) return code;
  }
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const std::string json = JsonWriter().begin_object().key("bytes").boolean(i.line.reads_bytes).end_object().take();
  const auto answer = accepted((*client)->call("POST", "/api/v1/check", json));
  return answer ? print_report(i, *answer, "Checked") : 1;
}

int backup(const Invocation& i) {
  std::error_code error;
  const std::string directory = std::filesystem::absolute(i.line.name, error).string();
  if (error) return refuse(i.line.name + ": " + error.message());
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const std::string json = JsonWriter().begin_object().key("directory").text(directory).end_object().take();
  const auto answer = accepted((*client)->call("POST", "/api/v1/backup", json));
  return answer ? print_report(i, *answer, "Backed up to " + directory) : 1;
}

int show_config(const Invocation& i) {
  if (!i.line.is_json) {
    std::vector<Row> rows;
    for (const EffectiveSetting& s : i.loaded.effective) rows.push_back({s.name, s.value, s.origin, s.environment});
    print(table({"SETTING", "VALUE", "FROM", "ENVIRONMENT"}, rows));
    return 0;
  }
  JsonWriter json;
  json.begin_object().key("settings").begin_array();
  for (const EffectiveSetting& s : i.loaded.effective) {
    json.begin_object().key("name").text(s.name).key("value").text(s.value).key("from").text(s.origin);
    json.key("environment").text(s.environment).end_object();
  }
  print(json.end_array().end_object().take() + "\n");
  return 0;
}

int health(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("GET", "/readyz"));
  if (!answer) return 1;
  print(i.line.is_json ? "{\"status\":\"ok\"}\n" : answer->body);
  return 0;
}

int serve_command(const Invocation& i) { return serve(i.loaded); }

constexpr NamedCommand kStoreCommands[] = {
    // clang-format off
    {"serve", serve_command},         {"domain add", add_domain},       {"domain list", list_domains},   {"domain remove", remove_domain},
    {"dkim show", show_keys},         {"dkim rotate", rotate_keys},     {"dkim activate", activate_keys}, {"dkim remove", remove_key},
    {"user add", add_user},           {"user list", list_users},        {"user remove", remove_user},    {"user password", set_password},
    {"user rename", rename_user},     {"domain rename", rename_domain}, {"domain own-aliases", set_own_aliases},
    {"domain retention", set_domain_retention}, {"user retention", set_user_retention},
    {"user quota", set_quota},        {"user role", set_role},  {"user disable", disable_user},   {"user enable", enable_user},    {"alias add", add_alias},
    {"alias list", list_aliases},     {"alias remove", remove_alias},   {"token create", create_token},  {"token list", list_tokens},
    {"token revoke", revoke_token},   {"deliver", deliver},             {"check", check_store},                {"backup", backup},
    {"config show", show_config},     {"health", health},
    // clang-format on
};

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  const auto line = parse_command_line(argc, argv);
  // WHY not line->is_json: a line that is refused has none.
  if (std::find(argv, argv + argc, std::string_view("--json")) != argv + argc) refuse_in_json();
  if (!line && line.error().exit_code == 0) {
    print(line.error().text);
    return 0;
  }
  if (!line) return refuse(ascii::trim(line.error().text), line.error().exit_code);
  if (line->command == "version") {
    print(line->is_json ? "{\"version\":\"" + std::string(version()) + "\"}\n" : "posthus " + std::string(version()) + "\n");
    return 0;
  }
  const auto loaded = load_settings({.config = line->config, .environment = process_environment(), .options = line->options});
  if (!loaded) return refuse(loaded.error().context, 2);
  // WHY: the command line answers for itself; the log is the server's, and only its failures matter here.
  if (line->command != "serve") log::configure(log::Level::kError, log::Format::kText);
  for (const NamedCommand& command : kStoreCommands) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : queue_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : dns_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : account_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : sharing_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : send_test_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : watch_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  for (const NamedCommand& command : certificate_commands()) {
    if (command.name == line->command) return command.run({*line, *loaded});
  }
  return refuse("there is no command '" + line->command + "'", 2);
}

}  // namespace posthus::main
