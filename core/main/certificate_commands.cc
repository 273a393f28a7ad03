// posthus certificate: ordered, uploaded, listed, removed on the command line.
#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "core/base/file.h"
#include "core/base/secret.h"
#include "core/main/command_parts.h"
#include "web-admin/json.h"
#include "web-admin/target.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;
using web_admin::percent_encode;

constexpr std::uint64_t kMaxUploadedPem = 256 * 1024;
constexpr std::chrono::milliseconds kPollInterval{500};
constexpr int kMostLooks = 600;  // five minutes: CAs take seconds

std::string certificate_target(const CommandLine& line) { return "/api/v1/certificates/" + percent_encode(line.name); }

int list_certificates(const Invocation& i) {
  const int code =
      print_list(i, "/api/v1/certificates", {"HOSTNAME", "SOURCE", "STATE", "DAYS LEFT", "ISSUER", "NEXT ATTEMPT", "LAST ERROR"},
                 {"/hostname", "/source", "/state", "/days_left", "/issuer", "/next_attempt", "/last_error"});
  if (code != 0 || i.line.is_json) return code;
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  const auto answer = accepted((*client)->call("GET", "/api/v1/certificates?limit=1"));
  if (!answer) return 1;
  if (const std::string source = json_value(answer->body, "/default/source"); source != "-") {
    print("All other names: " + source + ", days left: " + json_value(answer->body, "/default/days_left") + ".\n");
  }
  for (int n = 0; json_value(answer->body, "/passed_over/" + std::to_string(n) + "/hostname") != "-"; ++n) {
    const std::string at = "/passed_over/" + std::to_string(n);
    print("Not ordered: " + json_value(answer->body, at + "/hostname") + ": " + json_value(answer->body, at + "/reason") + "\n");
  }
  return 0;
}

/// Looks until the order has come to an end: another certificate, or another failure.
int wait_for_order(const Invocation& i, const std::string& before) {
  for (int look = 0; look < kMostLooks; ++look) {
    std::this_thread::sleep_for(kPollInterval);
    const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse);
    if (!client) return refuse(client.error().context);
    const auto answer = accepted((*client)->call("GET", certificate_target(i.line)));
    if (!answer) return 1;
    if (json_value(answer->body, "/last_attempt") == before) continue;
    const bool has_failed = json_value(answer->body, "/failures") != "0";
    if (i.line.is_json) {
      print(answer->body);
      return has_failed ? 1 : 0;
    }
    if (has_failed) {
      return refuse(json_value(answer->body, "/last_error") + "\nIt is tried again at " +
                    json_value(answer->body, "/next_attempt") + ".");
    }
    print("Obtained the certificate of " + i.line.name + " from " + json_value(answer->body, "/issuer") + ", valid until " +
          json_value(answer->body, "/not_after") + ".\n");
    return 0;
  }
  return refuse("the CA takes long; look again with: posthus certificate list");
}

int order_certificate(const Invocation& i) {
  const bool is_running = ApiClient::open(i.loaded.settings, WithoutServer::kRefuse).has_value();
  const auto client = ApiClient::open(i.loaded.settings, WithoutServer::kOpenStore);
  if (!client) return refuse(client.error().context);
  JsonWriter json;
  json.begin_object().key("hostname").text(i.line.name);
  const auto answer = accepted((*client)->call("POST", "/api/v1/certificates", json.end_object().take()));
  if (!answer) return 1;
  if (is_running && !i.line.returns_at_once) return wait_for_order(i, json_value(answer->body, "/last_attempt"));
  print(i.line.is_json
            ? answer->body
            : "Ordered a certificate of " + i.line.name + (is_running ? ".\n" : "; it is obtained when the server runs.\n"));
  return 0;
}

int upload_certificate(const Invocation& i) {
  const auto chain = read_file(i.line.chain_file, kMaxUploadedPem);
  if (!chain) return refuse(chain.error().context, 2);
  auto text = read_file(i.line.key_file, kMaxUploadedPem);
  if (!text) return refuse(text.error().context, 2);
  const Secret key(std::move(*text));
  JsonWriter json;
  json.begin_object().key("chain").text(*chain).key("key").text(key.reveal());
  return call_and_print(i, "PUT", certificate_target(i.line), json.end_object().take(),
                        "The certificate of " + i.line.name + " is in use.\n");
}

int remove_certificate(const Invocation& i) {
  return call_and_print(i, "DELETE", certificate_target(i.line), "", "Removed the certificate of " + i.line.name + ".\n");
}

constexpr std::array kCertificateCommands{
    NamedCommand{"certificate list", list_certificates},
    NamedCommand{"certificate order", order_certificate},
    NamedCommand{"certificate upload", upload_certificate},
    NamedCommand{"certificate remove", remove_certificate},
};

}  // namespace

std::span<const NamedCommand> certificate_commands() { return kCertificateCommands; }

}  // namespace posthus::main
