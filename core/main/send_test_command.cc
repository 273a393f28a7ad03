// posthus send-test ADDRESS: begins a dry run at the running server and prints its steps as they come.
// Exit code 0: a message would be delivered; 1: not, or not now.
#include <chrono>
#include <thread>

#include "core/main/command_parts.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

constexpr std::chrono::milliseconds kLookAgain{150};  // steps come in hundredths of seconds, or not for long
constexpr int kMaxLooks = 800;                        // two minutes: longer than any dry run takes

std::string_view sign(const std::string& mark) { return mark == "good" ? " ok " : mark == "bad" ? " !! " : "  - "; }

/// Prints the steps from the `printed`th on; `host` is what the last one was about.
void print_steps(const std::vector<Row>& steps, std::size_t& printed, std::string& host) {
  for (; printed < steps.size(); ++printed) {
    const Row& step = steps[printed];  // mark, stage, host, meaning, lines
    if (step[2] != "-" && step[2] != host) print("\n" + step[2] + "\n");
    host = step[2];
    std::string stage = step[1];
    stage.resize(std::max<std::size_t>(stage.size(), 12), ' ');
    std::string text(sign(step[0]));
    text.append(stage).append(step[3]).append("\n");
    for (std::size_t i = 4; i < step.size(); ++i) text.append(std::string(16, ' ')).append(step[i]).append("\n");
    print(text);
  }
}

int print_verdict(const std::string& body) {
  const std::string verdict = json_value(body, "/verdict");
  const std::string_view words = verdict == "deliverable" ? "A message would be delivered. "
                                 : verdict == "refused"   ? "A message would come back. "
                                                          : "A message would wait and be tried again. ";
  print("\n" + std::string(words) + json_value(body, "/explanation") + "\n");
  return verdict == "deliverable" ? 0 : 1;
}

int send_test(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
  if (!client) return refuse(client.error().context);
  JsonWriter json;
  json.begin_object().key("address").text(i.line.name);
  if (i.line.is_from_given) json.key("from").text(i.line.from);
  auto answer = accepted((*client)->call("POST", "/api/v1/send-test", json.end_object().take()));
  if (!answer) return 1;
  const std::string target = "/api/v1/send-test/" + percent_encode(json_value(answer->body, "/id"));
  std::size_t printed = 0;
  std::string host;
  for (int looks = 0; looks < kMaxLooks; ++looks) {
    const bool is_over = json_value(answer->body, "/verdict") != "running";
    if (!i.line.is_json) print_steps(read_steps(answer->body), printed, host);
    if (is_over && !i.line.is_json) return print_verdict(answer->body);
    if (is_over) {
      print(answer->body);
      return json_value(answer->body, "/verdict") == "deliverable" ? 0 : 1;
    }
    std::this_thread::sleep_for(kLookAgain);
    answer = accepted((*client)->call("GET", target));
    if (!answer) return 1;
  }
  return refuse("the dry run does not end");
}

constexpr NamedCommand kSendTestCommands[] = {{"send-test", send_test}};

}  // namespace

std::span<const NamedCommand> send_test_commands() { return kSendTestCommands; }

}  // namespace posthus::main
