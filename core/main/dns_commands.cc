// The commands about the DNS of a domain: what it should hold, whether it does, writing it there.
#include "core/main/command_parts.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::percent_encode;

constexpr std::size_t kShownValue = 60;  // a DKIM key has some 400 bytes, and nobody reads it in a table

std::string dns_target(const CommandLine& line) { return "/api/v1/domains/" + percent_encode(line.name) + "/dns"; }

std::string shortened(const std::string& value) {
  return value.size() <= kShownValue ? value : value.substr(0, kShownValue) + "...";
}

int check_records(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("POST", dns_target(i.line) + "/check"));
  if (!answer) return 1;
  const auto page = read_page(answer->body, {"/name", "/type", "/state", "/importance", "/meaning", "/found", "/paste"});
  if (!page) return refuse(page.error().context);
  const bool is_red = json_value(answer->body, "/light") == "red";
  if (i.line.is_json) {
    print(answer->body);
    return is_red ? 1 : 0;
  }
  std::vector<Row> rows;
  std::string paste;
  for (const Row& row : page->rows) {
    rows.emplace_back(row.begin(), row.begin() + 5);
    if (row[6] != "-" && row[2] != "ok" && row[3] != "optional") paste += row[6];
  }
  print(table({"NAME", "TYPE", "STATE", "IMPORTANCE", "MEANING"}, rows));
  if (!paste.empty()) print("\nTo be pasted:\n" + paste);
  return is_red ? 1 : 0;
}

int publish(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer =
      accepted((*client)->call("POST", dns_target(i.line) + "/publish" + (i.line.takes_optional ? "?optional=true" : "")));
  if (!answer) return 1;
  if (i.line.is_json) {
    print(answer->body);
    return 0;
  }
  const auto page = read_page(answer->body, {"/name", "/type", "/values"});
  if (!page) return refuse(page.error().context);
  std::vector<Row> rows = page->rows;
  for (Row& row : rows) row[2] = shortened(row[2]);
  print(rows.empty() ? "There was nothing to write.\n" : "Written:\n" + table({"NAME", "TYPE", "VALUE"}, rows));
  std::vector<Row> left;
  for (int n = 0; json_value(answer->body, "/left/" + std::to_string(n) + "/name") != "-"; ++n) {
    const std::string at = "/left/" + std::to_string(n);
    left.push_back({json_value(answer->body, at + "/name"), json_value(answer->body, at + "/type"),
                    json_value(answer->body, at + "/reason")});
  }
  if (!left.empty()) print("\nLeft to you:\n" + table({"NAME", "TYPE", "WHY"}, left));
  return 0;
}

int show(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("GET", dns_target(i.line)));
  if (!answer) return 1;
  if (i.line.is_json) {
    print(answer->body);
    return 0;
  }
  if (i.line.dns_action == CommandLine::DnsAction::kZone) {
    print(json_value(answer->body, "/zone"));
    return 0;
  }
  const auto page = read_page(answer->body, {"/name", "/type", "/value", "/importance", "/why"});
  if (!page) return refuse(page.error().context);
  std::vector<Row> rows = page->rows;
  for (Row& row : rows) row[2] = shortened(row[2]);
  print(table({"NAME", "TYPE", "VALUE", "IMPORTANCE", "WHY"}, rows) + "\nWith --zone they are whole, to be pasted.\n");
  return 0;
}

int dns(const Invocation& i) {
  switch (i.line.dns_action) {
    case CommandLine::DnsAction::kCheck: return check_records(i);
    case CommandLine::DnsAction::kPublish: return publish(i);
    default: return show(i);
  }
}

int check_delivery(const Invocation& i) {
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer =
      accepted((*client)->call("POST", i.line.probes ? "/api/v1/delivery-check?probe=well_known" : "/api/v1/delivery-check"));
  if (!answer) return 1;
  const auto page = read_page(answer->body, {"/check", "/subject", "/state", "/meaning", "/action"});
  if (!page) return refuse(page.error().context);
  print(i.line.is_json ? answer->body : table({"CHECK", "OF", "STATE", "MEANING", "WHAT TO DO"}, page->rows));
  return json_value(answer->body, "/light") == "red" ? 1 : 0;
}

constexpr NamedCommand kDnsCommands[] = {{"dns", dns}, {"check-delivery", check_delivery}};

}  // namespace

std::span<const NamedCommand> dns_commands() { return kDnsCommands; }

}  // namespace posthus::main
