// What the commands of the command line share: printing, calling the API, following lists. Thread rule: one thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/main/api_client.h"
#include "core/main/command_line.h"
#include "core/main/output.h"

namespace posthus::main {

/// One command at work.
struct Invocation {
  const CommandLine& line;
  const LoadedSettings& loaded;
};
using Command = int (*)(const Invocation& invocation);
struct NamedCommand {
  std::string_view name;
  Command run;
};

/// The commands of queue_commands.cc: queue, trace and route.
std::span<const NamedCommand> queue_commands();
/// Those of certificate_commands.cc.
std::span<const NamedCommand> certificate_commands();
/// Those of account_commands.cc: forwarding, limits, hold and release.
std::span<const NamedCommand> account_commands();
/// Those of sharing_commands.cc: groups, and mailboxes that several people use.
std::span<const NamedCommand> sharing_commands();
/// Those of dns_commands.cc: what the DNS should hold, and whether it does.
std::span<const NamedCommand> dns_commands();

/// Those of watch_commands.cc: alerts, the support bundle.
std::span<const NamedCommand> watch_commands();

/// That of send_test_command.cc.
std::span<const NamedCommand> send_test_commands();

/// To standard output.
void print(std::string_view text);
/// From now on a refusal is on standard output too, as a problem (RFC 9457 §3): with --json there always is JSON.
void refuse_in_json();
/// To standard error; returns `code`: 1 refused, 2 wrong usage or settings.
int refuse(std::string_view text, int code = 1);

/// The answer when it is a success, else nothing after printing the refusal.
std::optional<web_admin::Response> accepted(const Result<web_admin::Response>& answer);

/// Calls the API and prints `done`, or the answer itself with --json.
int call_and_print(const Invocation& invocation, std::string_view method, const std::string& target, std::string_view json,
                   const std::string& done, WithoutServer without = WithoutServer::kOpenStore);

/// Follows the pages of a list to its end. `query`: further parameters, each with '&' before it.
int print_list(const Invocation& invocation, const std::string& path, const Row& header, const std::vector<std::string>& pointers,
               const std::string& query = "");

/// Where the API has the user whom the line names.
std::string user_target(const CommandLine& line);

}  // namespace posthus::main
