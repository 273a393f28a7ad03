// The commands about what accounts send: forwarding, limits, hold and release.
#include <optional>

#include "core/base/ascii.h"
#include "core/main/command_parts.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

std::string user_target(const CommandLine& line) { return "/api/v1/users/" + percent_encode(line.name); }

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

int hold(const Invocation& i) {
  JsonWriter json;
  json.begin_object();
  if (!i.line.reason.empty()) json.key("reason").text(i.line.reason);
  return call_and_print(i, "POST", user_target(i.line) + "/hold", json.end_object().take(),
                        "Mail of " + i.line.name + " to other servers is on hold.\n");
}

int release(const Invocation& i) {
  return call_and_print(i, "POST", user_target(i.line) + "/release", "", "Released the mail of " + i.line.name + ".\n");
}

constexpr NamedCommand kCommands[] = {
    {"user forward", forward}, {"user limits", set_limits}, {"account hold", hold}, {"account release", release}};

}  // namespace

std::span<const NamedCommand> account_commands() { return kCommands; }

}  // namespace posthus::main
