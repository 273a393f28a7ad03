// The commands about what several people use: groups, delegates.
#include "core/main/command_parts.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

std::string group_target(const CommandLine& line) { return "/api/v1/groups/" + percent_encode(line.name); }
std::string member_target(const CommandLine& line) {
  return group_target(line) + "/members/" + percent_encode(line.operands.front());
}

void append_traits(JsonWriter& json, const CommandLine& line) {
  if (!line.display_name.empty()) json.key("display_name").text(line.display_name);
  if (!line.writers.empty()) json.key("writers").text(line.writers);
}

int make_group(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("address").text(i.line.name).key("members").texts(i.line.operands);
  append_traits(json, i.line);
  return call_and_print(i, "POST", "/api/v1/groups", json.end_object().take(), "Added group " + i.line.name + ".\n");
}

int change_group(const Invocation& i) {
  JsonWriter json;
  json.begin_object();
  append_traits(json, i.line);
  return call_and_print(i, "PATCH", group_target(i.line), json.end_object().take(), "Changed group " + i.line.name + ".\n");
}

int list_groups(const Invocation& i) {
  return print_list(i, "/api/v1/groups", {"ADDRESS", "NAME", "WRITERS", "MEMBERS"},
                    {"/address", "/display_name", "/writers", "/members"});
}

int remove_group(const Invocation& i) {
  return call_and_print(i, "DELETE", group_target(i.line), "", "Removed group " + i.line.name + ".\n");
}

int add_member(const Invocation& i) {
  return call_and_print(i, "PUT", member_target(i.line), "", i.line.operands.front() + " is a member of " + i.line.name + ".\n");
}

int remove_member(const Invocation& i) {
  return call_and_print(i, "DELETE", member_target(i.line), "",
                        i.line.operands.front() + " is no longer a member of " + i.line.name + ".\n");
}

std::string delegates_target(const CommandLine& line) { return "/api/v1/users/" + percent_encode(line.name) + "/delegates"; }
std::string delegate_target(const CommandLine& line) {
  return delegates_target(line) + "/" + percent_encode(line.operands.front());
}

int put_delegate(const Invocation& i) {
  JsonWriter json;
  json.begin_object().key("access").text(i.line.access).key("send_as").boolean(i.line.may_send);
  return call_and_print(i, "PUT", delegate_target(i.line), json.end_object().take(),
                        i.line.operands.front() + " is a delegate of " + i.line.name + ".\n");
}

int list_delegates(const Invocation& i) {
  return print_list(i, delegates_target(i.line), {"ADDRESS", "ACCESS", "SEND AS"}, {"/address", "/access", "/send_as"});
}

int remove_delegate(const Invocation& i) {
  return call_and_print(i, "DELETE", delegate_target(i.line), "",
                        i.line.operands.front() + " is no longer a delegate of " + i.line.name + ".\n");
}

constexpr NamedCommand kSharingCommands[] = {
    {"group add", make_group},      {"group change", change_group},    {"group list", list_groups},
    {"group remove", remove_group}, {"group member add", add_member},  {"group member remove", remove_member},
    {"delegate put", put_delegate}, {"delegate list", list_delegates}, {"delegate remove", remove_delegate}};

}  // namespace

std::span<const NamedCommand> sharing_commands() { return kSharingCommands; }

}  // namespace posthus::main
