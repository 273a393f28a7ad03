// See first_start.h.
#include "core/main/first_start.h"

#include <cstdio>

#include "core/base/ascii.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "web-admin/first_start.h"
#include "web-admin/json.h"

namespace posthus::main {
namespace {

using web_admin::JsonWriter;

constexpr std::uint64_t kMaxPasswordFile = 4096;
constexpr std::uint64_t kUsualHttps = 443;

/// The password of the setting NAME or of the file NAME_file; without its line end.
Result<Secret> password(const std::string& name, const std::string& text, const std::string& file) {
  if (!text.empty() && !file.empty()) return fail(ErrorKind::kInvalid, name + " and " + name + "_file: only one may be set");
  if (file.empty()) return Secret(text);
  auto read = read_file(file, kMaxPasswordFile);
  if (!read)
    return fail(ErrorKind::kInvalid,
                name + "_file: " + read.error().context + ": can this user (the container's is 10001) read it?");
  while (read->ends_with('\n') || read->ends_with('\r')) read->pop_back();
  if (read->empty()) return fail(ErrorKind::kInvalid, name + "_file: " + file + " is empty");
  return Secret(*std::move(read));
}

/// One step through the API, as a command on the Unix socket would do it.
Result<> step(web_admin::Api& api, std::string_view method, std::string_view target, std::string_view setting, std::string body) {
  web_admin::Request request{.method = std::string(method), .target = std::string(target), .content_type = "application/json"};
  request.body = body;
  request.origin.is_unix_socket = true;
  const web_admin::Response response = api.handle(request);
  wipe(body);
  if (response.status < 300) return {};
  return fail(ErrorKind::kInvalid, std::string(setting) + ": " + response.body);
}

Result<> name_addresses(const Settings& settings, web_admin::Api& api) {
  std::string addresses;
  for (const std::string& address : settings.setup_addresses) addresses += (addresses.empty() ? "" : ",") + address;
  if (addresses.empty()) return {};
  return step(api, "PUT", "/api/v1/settings/public.addresses", "setup.addresses",
              JsonWriter().begin_object().key("value").text(addresses).end_object().take());
}

Result<> choose_sending(const Settings& settings, web_admin::Api& api) {
  if (settings.setup_smarthost.empty()) return {};
  const Secret secret = POSTHUS_TRY(
      password("setup.smarthost_password", settings.setup_smarthost_password, settings.setup_smarthost_password_file));
  JsonWriter json;
  json.begin_object().key("mode").text("smarthost").key("server").text(settings.setup_smarthost);
  json.key("login").text(settings.setup_smarthost_login).key("password").text(secret.reveal());
  return step(api, "PUT", "/api/v1/setup/sending", "setup.smarthost", json.end_object().take());
}

}  // namespace

Result<> take_chosen_hostname(Settings& settings, store::Store& store) {
  if (settings.is_hostname_set) return {};
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  if (auto chosen = POSTHUS_TRY(web_admin::chosen_hostname(*snapshot))) settings.hostname = *std::move(chosen);
  return {};
}

Result<> set_up_by_settings(const Settings& settings, web_admin::Api& api) {
  if (!settings.setup_domain.empty()) {
    POSTHUS_TRY_VOID(step(api, "PUT", "/api/v1/setup/domain", "setup.domain",
                          JsonWriter().begin_object().key("name").text(settings.setup_domain).end_object().take()));
  }
  POSTHUS_TRY_VOID(name_addresses(settings, api));
  POSTHUS_TRY_VOID(choose_sending(settings, api));
  if (settings.setup_admin.empty()) return {};
  const Secret secret =
      POSTHUS_TRY(password("setup.admin_password", settings.setup_admin_password, settings.setup_admin_password_file));
  if (secret.empty()) return {};  // the rest is done with the browser
  JsonWriter json;
  json.begin_object().key("address").text(settings.setup_admin).key("password").text(secret.reveal());
  POSTHUS_TRY_VOID(step(api, "PUT", "/api/v1/setup/admin", "setup.admin", json.end_object().take()));
  return step(api, "POST", "/api/v1/setup/finish", "setup.admin", "");
}

void announce_set_up(const Settings& settings, const Secret& token) {
  // WHY behind '#': what follows it never leaves the browser, so it is in no log of a proxy and in no Referer field.
  const std::uint64_t port = settings.setup_port == 0 ? settings.https_port : settings.setup_port;
  const std::string colon = port == kUsualHttps ? "" : ":" + std::to_string(port);
  const std::string site = settings.https_port != 0 ? "https://" + settings.hostname + colon
                                                    : "http://localhost:" + std::to_string(settings.http_port);
  const std::string address = site + "/#setup=" + std::string(token.reveal());
  // WHY a secret in the log: whoever reads the log of a new server is who starts it. The token ends with the set-up or the
  // process.
  log::warning("first_start.not_set_up", {{"address", address}, {"token", token.reveal()}});
  if (settings.log_format == "json") return;
  std::printf(
      "\nThis mail server is not set up yet. Until it is, it takes no mail.\n"
      "Set it up with a browser:  %s\n"
      "or with this one-time token:  %s\n"
      "Where the port is published as another one, put that one behind the name. The token is another one after each start.\n"
      "Without a browser: POSTHUS_SETUP_ADMIN and POSTHUS_SETUP_ADMIN_PASSWORD_FILE, or the command `posthus domain add`.\n\n",
      address.c_str(), std::string(token.reveal()).c_str());
  std::fflush(stdout);
}

}  // namespace posthus::main
