// The commands about what accounts send (forwarding, limits, hold and release), and about who gets in: sign-ins, blocks, what
// admins did.
#include <optional>

#include "core/base/ascii.h"
#include "core/main/command_parts.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

int forward(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("forward_to").texts(i.line.forward_to);
  if (i.line.keeps_copy) json.key("keeps_copy").boolean(*i.line.keeps_copy);
  const std::string done = i.line.forward_to.empty() ? "Mail of " + i.line.name + " is no longer forwarded.\n"
                                                     : "Mail of " + i.line.name + " is forwarded.\n";
  return call_and_print(i, "PATCH", user_target(i.line), json.end_object().take(), done);
}

/// "default" is null, anything else must be a number; false when it is neither.
bool append_limit(JsonWriter& json, std::string_view key, const std::string& text) {
  if (text.empty()) return true;
  json.key(key);
  const auto number = ascii::parse_decimal<std::uint32_t>(text);
  if (number) {
    json.number(*number);
  } else {
    json.null();
  }
  return number.has_value() || text == "default";
}

int set_limits(const Invocation& i) {
  JsonWriter json;
  json.begin_object();
  if (!append_limit(json, "messages_per_day", i.line.messages_per_day) ||
      !append_limit(json, "new_recipients_per_day", i.line.new_recipients_per_day)) {
    return refuse("a limit is a number, or 'default'", 2);
  }
  return call_and_print(i, "PATCH", user_target(i.line), json.end_object().take(), "Set the limits of " + i.line.name + ".\n");
}

int set_domain_limits(const Invocation& i) {
  JsonWriter json;
  json.begin_object();
  const bool is_right = append_limit(json, "domain_messages_per_day", i.line.messages_per_day) &&
                        append_limit(json, "domain_new_recipients_per_day", i.line.new_recipients_per_day) &&
                        append_limit(json, "messages_per_day", i.line.account_messages_per_day) &&
                        append_limit(json, "new_recipients_per_day", i.line.account_new_recipients_per_day);
  if (!is_right) return refuse("a limit is a number, or 'default'", 2);
  return call_and_print(i, "PATCH", "/api/v1/domains/" + percent_encode(i.line.name), json.end_object().take(),
                        "Set the limits of " + i.line.name + ".\n");
}

int hold_account(const Invocation& i) {
  JsonWriter json;
  json.begin_object();
  if (!i.line.reason.empty()) json.key("reason").text(i.line.reason);
  return call_and_print(i, "POST", user_target(i.line) + "/hold", json.end_object().take(),
                        "Mail of " + i.line.name + " to other servers is on hold.\n");
}

int release_account(const Invocation& i) {
  return call_and_print(i, "POST", user_target(i.line) + "/release", "", "Released the mail of " + i.line.name + ".\n");
}

int reset_second_factor(const Invocation& i) {
  return call_and_print(i, "DELETE", user_target(i.line) + "/second-factor", "",
                        i.line.name + " signs in with the password alone now.\n");
}

int list_audit(const Invocation& i) {
  return print_list(i, "/api/v1/audit", {"TIME", "WHO", "FROM", "METHOD", "WHAT", "STATUS"},
                    {"/time", "/who", "/from", "/method", "/target", "/status"});
}

/// Sign-ins and blocks are in the memory of the server.
bool has_server(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
  if (!client) refuse(client.error().context);
  return client.has_value();
}

int list_sign_ins(const Invocation& i) {
  if (!has_server(i)) return 1;
  return print_list(i, "/api/v1/sign-ins", {"LAST", "TIMES", "LOGIN", "PROTOCOL", "FROM", "RESULT", "REASON"},
                    {"/last", "/count", "/login", "/protocol", "/remote_address", "/result", "/reason"});
}

int list_blocks(const Invocation& i) {
  if (!has_server(i)) return 1;
  return print_list(i, "/api/v1/blocks", {"ID", "LOGIN", "NETWORK", "OF", "FAILURES", "UNTIL"},
                    {"/id", "/login", "/network", "/of", "/failures", "/until"});
}

int lift_block(const Invocation& i) {
  return call_and_print(i, "DELETE", "/api/v1/blocks/" + percent_encode(i.line.name), "", "Lifted the block.\n",
                        WithoutServer::kRefuse);
}

constexpr NamedCommand kAccountCommands[] = {{"user forward", forward},
                                             {"user limits", set_limits},
                                             {"domain limits", set_domain_limits},
                                             {"account hold", hold_account},
                                             {"account release", release_account},
                                             {"audit", list_audit},
                                             {"user reset-second-factor", reset_second_factor},
                                             {"sign-in list", list_sign_ins},
                                             {"block list", list_blocks},
                                             {"block remove", lift_block}};

}  // namespace

std::span<const NamedCommand> account_commands() { return kAccountCommands; }

}  // namespace posthus::main
