// What the server says about itself: /, /healthz, /readyz, /metrics and /api/v1/status.
#include "core/base/metrics.h"
#include "core/base/shared_addresses.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/figures.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

Response plain_text(std::string body) { return {.content_type = "text/plain; charset=utf-8", .body = std::move(body)}; }

void append_disk(JsonWriter& json, const std::string& directory) {
  json.key("disk");
  const DiskRoom room = disk_room(directory);
  if (room.total == 0) {
    json.null();
    return;
  }
  json.begin_object().key("total_bytes").number(room.total).key("available_bytes").number(room.available).end_object();
}

void append_totals(JsonWriter& json) {
  json.key("totals").begin_object();
  json.key("accepted").number(messages("accepted")).key("put_off").number(messages("4xx"));
  json.key("refused").number(messages("5xx")).key("relayed").number(copies("relayed"));
  json.key("deferred").number(copies("deferred")).key("failed").number(copies("failed"));
  json.key("sign_ins").number(sign_ins("accepted"));
  json.key("failed_sign_ins").number(refused_sign_ins()).end_object();
}

template <class NextPage>
Result<std::uint64_t> count(NextPage next_page) {
  std::uint64_t total = 0;
  std::string after;
  do {
    const auto page = POSTHUS_TRY(next_page(after));
    total += page.items.size();
    after = page.next;
  } while (!after.empty());
  return total;
}

Result<> append_counts(JsonWriter& json, const store::DirectoryReader& directory) {
  const std::uint64_t domains = POSTHUS_TRY(count([&](const std::string& after) { return directory.domains(after, kMaxPage); }));
  const std::uint64_t users = POSTHUS_TRY(count([&](const std::string& after) { return directory.users("", after, kMaxPage); }));
  const std::uint64_t aliases =
      POSTHUS_TRY(count([&](const std::string& after) { return directory.aliases("", after, kMaxPage); }));
  json.key("counts").begin_object().key("domains").number(domains).key("users").number(users);
  json.key("aliases").number(aliases).end_object();
  return {};
}

void append_listeners(JsonWriter& json, const std::vector<ListenerStatus>& listeners) {
  json.key("listeners").begin_array();
  for (const ListenerStatus& listener : listeners) {
    json.begin_object().key("name").text(listener.name).key("address").text(listener.address);
    json.key("port").number(listener.port).key("implicit_tls").boolean(listener.is_tls);
    json.key("connections").number(open_connections(listener.name)).end_object();
  }
  json.end_array();
}

void append_store(JsonWriter& json, const store::StoreStatistics& statistics) {
  json.key("store").begin_object();
  json.key("index_used_bytes").number(statistics.engine.used_bytes);
  json.key("index_free_bytes").number(statistics.engine.free_bytes);
  json.key("oldest_snapshot_age_commits").number(statistics.engine.oldest_snapshot_age_commits);
  json.key("segments").number(statistics.segments).key("segment_bytes").number(statistics.segment_bytes);
  json.key("live_bytes").number(statistics.live_bytes).key("queued_requests").number(statistics.queued_requests);
  json.end_object();
}

// What an admin should put right, beside what the checks of DNS and delivery say.
void append_warnings(JsonWriter& json, const ServerContext& context) {
  json.key("warnings").begin_array();
  if (context.shared) {
    for (const SharedAddressWarning& warning : context.shared->warnings()) {
      json.begin_object().key("kind").text(to_string(warning.kind)).key("address").text(to_string(warning.address));
      json.key("detail").text(describe(warning)).end_object();
    }
  }
  json.end_array();
}

Result<Response> status(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const ServerContext& context = call.context;
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const std::int64_t uptime = context.clock.now().seconds() - context.started.seconds();
  JsonWriter json;
  json.begin_object().key("version").text(context.version).key("hostname").text(context.hostname);
  json.key("started").text(mail::format_rfc3339(context.started));
  json.key("uptime_seconds").number(uptime > 0 ? static_cast<std::uint64_t>(uptime) : 0);
  append_listeners(json, context.listeners);
  POSTHUS_TRY_VOID(append_counts(json, store::DirectoryReader(*snapshot)));
  append_store(json, context.store.statistics());
  json.key("memory").begin_object().key("resident_bytes").number(resident_bytes()).end_object();
  append_disk(json, context.data_directory);
  append_totals(json);
  append_warnings(json, context);
  return json_response(200, json.end_object().take());
}

// What is asked for rather than counted: read when somebody scrapes. The names of the last two are Prometheus's own.
void read_gauges(const ServerContext& context) {
  const store::StoreStatistics statistics = context.store.statistics();
  const auto set = [](std::string_view name, std::string_view help, std::uint64_t value) {
    metrics::gauge(name, help).set(static_cast<std::int64_t>(value));
  };
  set("posthus_store_index_used_bytes", "Bytes of the index in use", statistics.engine.used_bytes);
  set("posthus_store_index_free_bytes", "Bytes of the index's file that are free for reuse", statistics.engine.free_bytes);
  set("posthus_store_oldest_snapshot_age_commits", "Commits since the oldest open snapshot",
      statistics.engine.oldest_snapshot_age_commits);
  set("posthus_store_queued_requests", "Requests waiting for the writer", statistics.queued_requests);
  set("process_resident_memory_bytes", "Resident memory", resident_bytes());
  set("process_start_time_seconds", "Start of the process, seconds since 1970",
      static_cast<std::uint64_t>(context.started.seconds()));
}

}  // namespace

Response get_root(const Call&) { return plain_text("Posthus mail server. The admin API is at /api/v1.\n"); }
Response get_healthz(const Call&) { return plain_text("ok\n"); }

Response get_readyz(const Call& call) {
  if (!call.context.is_ready()) return problem(503, "The server is starting or stopping.");
  const auto snapshot = call.context.store.snapshot();
  return snapshot ? plain_text("ready\n") : problem(503, "The store cannot be read.");
}

Response get_metrics(const Call& call) {
  read_gauges(call.context);
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics::render()};
}

Response get_status(const Call& call) { return answer(status(call)); }

}  // namespace posthus::web_admin
