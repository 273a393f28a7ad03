// The command line as data: what was asked for, before anything is done. CLI11 is included in command_line.cc only.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace posthus::main {

enum class PasswordSource : std::uint8_t { kPrompt, kStandardInput, kGenerate };

struct CommandLine {
  std::string command;                                       // "serve", "domain add", "config show", ...
  std::string config;                                        // --config
  std::vector<std::pair<std::string, std::string>> options;  // settings from --data and --set
  bool is_json = false;

  std::string name;                   // domain, address, token name or id, directory: the first operand
  std::string new_name;               // what it is called from now on
  std::vector<std::string> operands;  // further ones: targets of an alias
  std::vector<std::string> scopes;
  std::string expires, from, domain, quota;
  std::string retention;  // days, or "default"
  PasswordSource password = PasswordSource::kPrompt;
  bool is_admin = false, rebuilds = false, reads_bytes = false;

  // Of relay domains and of what accounts send:
  bool is_relay = false, checks_recipients = false;
  std::string alias_of;  // of a domain that is another's name
  std::uint32_t number = 0;
  std::vector<std::string> forward_to;
  std::optional<bool> keeps_copy;
  std::string role;
  std::vector<std::string> domains;   // of a domain admin
  std::string display_name, writers;  // of a group
  std::string access;                 // of a delegate
  bool is_shared = false, may_send = false;
  std::string messages_per_day, new_recipients_per_day;
  std::string account_messages_per_day, account_new_recipients_per_day;  // of each account of a domain

  /// Of dns: what to do with the records.
  enum class DnsAction : std::uint8_t { kShow, kZone, kCheck, kPublish } dns_action = DnsAction::kShow;
  bool is_forced = false;       // dkim activate
  bool takes_optional = false;  // dns --publish
  bool probes = false;          // check-delivery

  // Of certificates:
  std::string chain_file, key_file;
  bool returns_at_once = false;

  // Of queue, trace and route:
  std::string sender, account, state, reason, route, login, subject, since, until;
  std::uint16_t recipient = 0;  // 0: all of the message
  bool is_everything = false, is_message_id = false, is_from_given = false;
};

/// What to print and the exit code instead of a command: help (0) or a usage error (2).
struct Usage {
  int exit_code = 2;
  std::string text;
};

std::expected<CommandLine, Usage> parse_command_line(int argc, const char* const* argv);

}  // namespace posthus::main
