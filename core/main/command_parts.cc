// What the commands share; see command_parts.h.
#include "core/main/command_parts.h"

#include <cstdio>

#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {

using web_admin::percent_encode;

namespace {

// WHY for the whole process: it runs one command, and refusals come from everywhere in it.
bool refusals_are_json = false;

void complain(std::string_view text) { std::fprintf(stderr, "posthus: %.*s\n", static_cast<int>(text.size()), text.data()); }

}  // namespace

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void refuse_in_json() { refusals_are_json = true; }

int refuse(std::string_view text, int code) {
  if (refusals_are_json) {
    web_admin::JsonWriter json;
    json.begin_object().key("title").text(code == 2 ? "Wrong usage" : "Refused").key("detail").text(text).end_object();
    print(json.take() + "\n");
  }
  complain(text);
  return code;
}

std::optional<web_admin::Response> accepted(const Result<web_admin::Response>& answer) {
  if (answer && answer->status < 400) return *answer;
  if (!answer) {
    refuse(answer.error().context);
    return std::nullopt;
  }
  if (refusals_are_json) print(answer->body);  // a problem already
  complain(json_value(answer->body, "/detail"));
  return std::nullopt;
}

int call_and_print(const Invocation& invocation, std::string_view method, const std::string& target, std::string_view json,
                   const std::string& done, WithoutServer without) {
  const auto client = ApiClient::open(invocation.loaded.settings, without);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call(method, target, json));
  if (!answer) return 1;
  if (invocation.line.is_json) {
    print(answer->body.empty() ? "{}\n" : answer->body);
  } else {
    print(done);
  }
  return 0;
}

int print_list(const Invocation& invocation, const std::string& path, const Row& header, const std::vector<std::string>& pointers,
               const std::string& query) {
  const auto client = ApiClient::open(invocation.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  std::string target = path + "?limit=1000" + query;
  if (!invocation.line.domain.empty()) target += "&domain=" + percent_encode(invocation.line.domain);
  std::vector<Row> rows;
  std::string items, after;
  do {
    const auto answer = accepted((*client)->call("GET", after.empty() ? target : target + "&after=" + after));
    if (!answer) return 1;
    auto page = read_page(answer->body, pointers);
    if (!page) return refuse(page.error().context);
    for (Row& row : page->rows) rows.push_back(std::move(row));
    for (const std::string& item : page->items) items += (items.empty() ? "" : ",\n  ") + item;
    after = page->next;
  } while (!after.empty());
  print(invocation.line.is_json ? "{\"items\": [" + items + "], \"next\": null}\n" : table(header, rows));
  return 0;
}

std::string user_target(const CommandLine& line) { return "/api/v1/users/" + web_admin::percent_encode(line.name); }

}  // namespace posthus::main
