// /api/v1/support-bundle: what somebody who helps needs to see, in one archive, without secrets and without mail: no message, no
// subject, no password, no key; mail addresses are masked (masking.h).
#include "core/base/log_ring.h"
#include "core/base/metrics.h"
#include "core/mail/date_time.h"
#include "store/queue_reader.h"
#include "store/run_time_settings.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/masking.h"
#include "web-admin/resources.h"
#include "web-admin/tar.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kReadMe =
    "Support bundle of a Posthus server.\n\n"
    "It holds no mail, no subjects, no passwords and no keys. Local parts of mail addresses and logins are masked: the same\n"
    "mask is the same address within this bundle, and nobody can find out whose it is. Of clients' IP addresses the network\n"
    "stays. Names of domains and hosts are there as they are. Look through it before you pass it on.\n\n"
    "status.json        version, listeners, store, memory, disk, totals since the start\n"
    "settings.json      settings that change without a restart; secret ones are not shown\n"
    "configuration.txt  settings of posthus.toml and the environment, and where each comes from\n"
    "metrics.txt        all counters, in the format of Prometheus\n"
    "alerts.json        alerts, open and past\n"
    "delivery.json      the last delivery check\n"
    "certificates.json  certificates and how long they hold\n"
    "destinations.json  destinations with mail waiting and what they said\n"
    "log.jsonl          the last lines of the log\n";

// Of a URL that may hold a secret only the host stays.
std::string shown_value(const store::RunTimeSetting& setting, const std::string& value) {
  if (setting.kind == store::RunTimeSetting::Kind::kSecret) return "(set)";
  if (setting.kind != store::RunTimeSetting::Kind::kWebhook) return value;
  const std::size_t host = value.find("//");
  return host == std::string::npos ? "(set)" : value.substr(0, value.find_first_of("/?", host + 2)) + "/...";
}

Result<std::string> settings_json(const store::Snapshot& snapshot) {
  const store::QueueReader reader(snapshot);
  JsonWriter json;
  json.begin_object();
  for (const store::RunTimeSetting& setting : store::run_time_settings()) {
    const auto value = POSTHUS_TRY(reader.setting(setting.name));
    if (value) json.key(setting.name).text(shown_value(setting, *value));
  }
  return json.end_object().take();
}

std::string log_lines(const Masking& masking) {
  std::string out;
  log::kept_lines(0, [&](std::uint64_t, log::Level, std::string_view line) {
    out.append(masking.log_line(line)).append("\n");
    return true;
  });
  return out;
}

Result<Response> make(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const Timestamp now = call.context.clock.now();
  const Masking masking;
  Tar tar(now);
  tar.add("README.txt", kReadMe);
  // Handlers of lists answer with their first page here, because the target of this call has no parameters.
  const auto add = [&](std::string_view name, const Response& response) {
    if (response.status == 200) tar.add(name, masking.addresses(response.body));
  };
  add("status.json", get_status(call));
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    tar.add("settings.json", masking.addresses(POSTHUS_TRY(settings_json(*snapshot))));
  }
  tar.add("configuration.txt", masking.addresses(call.context.configuration));
  tar.add("metrics.txt", masking.addresses(metrics::render()));
  add("alerts.json", list_alerts(call));
  add("delivery.json", get_delivery_check(call));
  add("certificates.json", list_certificates(call));
  add("destinations.json", list_destinations(call));
  tar.add("log.jsonl", log_lines(masking));
  Response response{.content_type = "application/x-tar", .body = tar.take()};
  const std::string name = "posthus-support-" + mail::format_rfc3339(now).substr(0, 10) + ".tar";
  response.fields.emplace_back("Content-Disposition", "attachment; filename=\"" + name + "\"");
  return response;
}

}  // namespace

Response get_support_bundle(const Call& call) { return answer(make(call)); }

}  // namespace posthus::web_admin
