// posthus queue, posthus trace, posthus route and posthus setting: outgoing mail on the command line.
#include <array>

#include "core/base/queue_id.h"
#include "core/main/command_parts.h"
#include "core/main/passwords.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

void append_parameter(std::string& query, std::string_view name, const std::string& value) {
  if (!value.empty()) query.append("&").append(name).append("=").append(percent_encode(value));
}

int list_queue(const Invocation& i) {
  std::string query;
  append_parameter(query, "sender", i.line.sender);
  append_parameter(query, "state", i.line.state);
  return print_list(
      i, "/api/v1/queue", {"ID", "ACCEPTED", "STATE", "SIZE", "FROM", "RECIPIENTS", "NEXT ATTEMPT", "LAST REPLY"},
      {"/id", "/accepted", "/state", "/size", "/from", "/recipients", "/recipients/0/next_attempt", "/recipients/0/last_reply"},
      query);
}

int show_message(const Invocation& i) {
  const std::string target = "/api/v1/queue/" + percent_encode(i.line.name);
  if (i.line.is_json) return call_and_print(i, "GET", target + "?limit=1000", "", "");
  {
    const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
    if (!client) return refuse(client.error().context);
    const auto answer = accepted((*client)->call("GET", target + "?limit=1"));
    if (!answer) return 1;
    std::vector<Row> rows;
    for (const char* name : {"id", "from", "account", "origin", "accepted", "size", "state", "hold_reason", "envelope_id"}) {
      rows.push_back({name, json_value(answer->body, std::string("/") + name)});
    }
    print(table({"MESSAGE", ""}, rows) + "\n");
  }
  return print_list(i, target, {"NUMBER", "ADDRESS", "ATTEMPTS", "NEXT ATTEMPT", "ROUTE", "LAST HOST", "LAST REPLY"},
                    {"/number", "/address", "/attempts", "/next_attempt", "/route", "/last_host", "/last_reply"});
}

int list_destinations(const Invocation& i) {
  return print_list(i, "/api/v1/queue/destinations", {"DESTINATION", "WAITING", "NEXT ATTEMPT", "LAST HOST", "LAST REPLY"},
                    {"/destination", "/waiting", "/next_attempt", "/last_host", "/last_reply"});
}

int change_queue(const Invocation& i, std::string_view action, std::string_view route) {
  JsonWriter json;
  json.begin_object().key("action").text(action);
  if (!i.line.name.empty()) json.key("id").text(i.line.name);
  if (i.line.recipient != 0) json.key("recipient").number(i.line.recipient);
  if (!i.line.domain.empty()) json.key("domain").text(i.line.domain);
  if (!i.line.sender.empty()) json.key("sender").text(i.line.sender);
  if (!i.line.account.empty()) json.key("account").text(i.line.account);
  if (i.line.is_everything) json.key("everything").boolean(true);
  if (!i.line.reason.empty()) json.key("reason").text(i.line.reason);
  if (!route.empty()) json.key("route").text(route);
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("POST", "/api/v1/queue", json.end_object().take()));
  if (!answer) return 1;
  print(i.line.is_json ? answer->body : "Recipients concerned: " + json_value(answer->body, "/recipients") + ".\n");
  return 0;
}

int hold_queued(const Invocation& i) { return change_queue(i, "hold", ""); }
int release_queued(const Invocation& i) { return change_queue(i, "release", ""); }
int retry(const Invocation& i) { return change_queue(i, "retry", ""); }
int remove(const Invocation& i) { return change_queue(i, "remove", ""); }
int bounce(const Invocation& i) { return change_queue(i, "bounce", ""); }
int reroute(const Invocation& i) { return change_queue(i, "reroute", i.line.route); }

int trace(const Invocation& i) {
  if (parse_queue_id(i.line.name)) {
    return print_list(i, "/api/v1/trace/" + i.line.name,
                      {"TIME", "EVENT", "FROM", "RECIPIENTS", "DOMAIN", "SKIPPED", "HOST", "REPLY", "DETAIL"},
                      {"/time", "/event", "/from", "/recipients", "/domain", "/skipped", "/host", "/reply", "/detail"});
  }
  std::string query;
  append_parameter(query, i.line.is_message_id ? "message_id" : "address", i.line.name);
  append_parameter(query, "subject", i.line.subject);
  append_parameter(query, "from", i.line.since);
  append_parameter(query, "until", i.line.until);
  return print_list(i, "/api/v1/trace", {"ID", "TIME", "FROM", "RECIPIENTS", "LAST EVENT", "LAST REPLY"},
                    {"/id", "/first/time", "/first/from", "/first/recipients", "/last/event", "/last/reply"}, query);
}

std::string route_target(const CommandLine& line) { return "/api/v1/routes/" + percent_encode(line.name); }

int list_routes(const Invocation& i) {
  return print_list(i, "/api/v1/routes", {"NAME", "SERVERS", "LOGIN", "CREATED"}, {"/name", "/hops", "/login", "/created"});
}
int set_route(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("hops").texts(i.line.operands);
  if (!i.line.login.empty()) {
    const auto password = obtain_password(i.line.password);
    if (!password) return refuse(password.error().context, 2);
    json.key("login").text(i.line.login).key("password").text(password->reveal());
  }
  return call_and_print(i, "PUT", route_target(i.line), json.end_object().take(), "Set the route of " + i.line.name + ".\n");
}
int remove_route(const Invocation& i) {
  return call_and_print(i, "DELETE", route_target(i.line), "", "Removed the route of " + i.line.name + ".\n");
}

std::string setting_target(const CommandLine& line) { return "/api/v1/settings/" + percent_encode(line.name); }

int list_settings(const Invocation& i) {
  return print_list(i, "/api/v1/settings", {"NAME", "VALUE", "DEFAULT", "MEANING"}, {"/name", "/value", "/default", "/meaning"});
}
int set_setting(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("value").text(i.line.operands.front());
  return call_and_print(i, "PUT", setting_target(i.line), json.end_object().take(), "Set " + i.line.name + ".\n");
}
int remove_setting(const Invocation& i) {
  return call_and_print(i, "DELETE", setting_target(i.line), "", "The default of " + i.line.name + " holds again.\n");
}

constexpr std::array kQueueCommands{
    NamedCommand{"queue list", list_queue},
    NamedCommand{"queue show", show_message},
    NamedCommand{"queue destinations", list_destinations},
    NamedCommand{"queue hold", hold_queued},
    NamedCommand{"queue release", release_queued},
    NamedCommand{"queue retry", retry},
    NamedCommand{"queue remove", remove},
    NamedCommand{"queue bounce", bounce},
    NamedCommand{"queue reroute", reroute},
    NamedCommand{"trace", trace},
    NamedCommand{"route list", list_routes},
    NamedCommand{"route set", set_route},
    NamedCommand{"route remove", remove_route},
    NamedCommand{"setting list", list_settings},
    NamedCommand{"setting set", set_setting},
    NamedCommand{"setting remove", remove_setting},
};

}  // namespace

std::span<const NamedCommand> queue_commands() { return kQueueCommands; }

}  // namespace posthus::main
