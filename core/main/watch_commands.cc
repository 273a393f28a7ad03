// The commands alert list, alert test and support-bundle.
#include "core/base/file.h"
#include "core/main/command_parts.h"
#include "web-admin/json.h"

namespace posthus::main {
namespace {

int list_alerts(const Invocation& i) {
  const std::string state = i.line.is_everything ? "" : "&state=open";
  return print_list(i, "/api/v1/alerts", {"SINCE", "OVER SINCE", "ALERT", "WHAT TO DO"},
                    {"/opened", "/closed", "/title", "/action"}, state);
}

int test_alerts(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("POST", "/api/v1/alerts/test"));
  if (!answer) return 1;
  const bool is_delivered = json_value(answer->body, "/delivered") == "yes";
  if (i.line.is_json) {
    print(answer->body);
    return is_delivered ? 0 : 1;
  }
  const auto page = read_page(answer->body, {"/channel", "/target", "/delivered", "/outcome"});
  if (!page) return refuse(page.error().context);
  print(page->rows.empty() ? "Nobody is told of alerts: set alerts.mail or alerts.webhook.\n"
                           : table({"BY", "TO", "DELIVERED", "OUTCOME"}, page->rows));
  return is_delivered ? 0 : 1;
}

int support_bundle(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("GET", "/api/v1/support-bundle"));
  if (!answer) return 1;
  const auto written = write_file_durably(i.line.name, answer->body, 0600);
  if (!written) return refuse("cannot write " + i.line.name + ": " + written.error().context);
  if (i.line.is_json) {
    print(web_admin::JsonWriter().begin_object().key("file").text(i.line.name).end_object().take() + "\n");
    return 0;
  }
  print("Written: " + i.line.name + "\nLook through it before you pass it on; its README.txt says what is in it.\n");
  return 0;
}

constexpr NamedCommand kWatchCommands[] = {
    {"alert list", list_alerts}, {"alert test", test_alerts}, {"support-bundle", support_bundle}};

}  // namespace

std::span<const NamedCommand> watch_commands() { return kWatchCommands; }

}  // namespace posthus::main
