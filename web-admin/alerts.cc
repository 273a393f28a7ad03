// /api/v1/alerts: what needs an admin, now and before, and a test of who is told.
#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "store/alert_reader.h"
#include "store/directory_reader.h"
#include "web-admin/alert_words.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

using store::AlertRecord;
using store::AlertTold;

std::string_view told_text(AlertTold told) {
  switch (told) {
    case AlertTold::kBegin: return "opened";
    case AlertTold::kEnd: return "closed";
    case AlertTold::kNothing: break;
  }
  return "nothing";
}

void append_alert_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time == Timestamp()) {
    json.null();
  } else {
    json.text(mail::format_rfc3339(time));
  }
}

void append_alert(JsonWriter& json, const AlertRecord& alert, mail::ReportLanguage language, Timestamp now) {
  const AlertWords words = words_of(alert, language, now);
  json.begin_object().key("id").text(std::to_string(alert.id)).key("kind").text(to_string(alert.kind));
  json.key("subject").text(alert.subject).key("facts").texts(alert.facts).key("open").boolean(alert.is_open());
  append_alert_time(json, "opened", alert.opened);
  append_alert_time(json, "closed", alert.closed);
  json.key("title").text(words.title).key("what").text(words.what).key("action").text(words.action);
  json.key("over")
      .text(words.over)
      .key("mail_told")
      .text(told_text(alert.mail))
      .key("webhook_told")
      .text(told_text(alert.webhook));
  json.key("webhook_error");
  if (alert.webhook_error.empty()) {
    json.null();
  } else {
    json.text(alert.webhook_error);
  }
  json.end_object();
}

/// ?language=, else that of the first domain.
Result<mail::ReportLanguage> language_for(const Call& call, const store::Snapshot& snapshot) {
  using Language = mail::ReportLanguage;
  if (const std::string* const tag = call.target.parameter("language")) {
    for (const Language language : {Language::kEnglish, Language::kGerman, Language::kNorwegian}) {
      if (language_tag(language) == *tag) return language;
    }
    return fail(ErrorKind::kInvalid, "parameter 'language' must be en, de or nb");
  }
  const auto domains = POSTHUS_TRY(store::DirectoryReader(snapshot).domains("", 1));
  return domains.items.empty() ? Language::kEnglish : domains.items.front().language;
}

Result<Response> listed_alerts(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"state", "language", "limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto after = range.after.empty() ? std::optional(UINT64_MAX) : ascii::parse_decimal<std::uint64_t>(range.after);
  if (!after) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  const std::string* const state = call.target.parameter("state");
  if (state && *state != "open" && *state != "past") return fail(ErrorKind::kInvalid, "parameter 'state' must be open or past");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const mail::ReportLanguage language = POSTHUS_TRY(language_for(call, *snapshot));
  auto alerts = POSTHUS_TRY(store::read_alerts(*snapshot));
  const auto open = std::ranges::count_if(alerts, &AlertRecord::is_open);
  std::erase_if(alerts, [&](const AlertRecord& a) { return a.id >= *after || (state && a.is_open() != (*state == "open")); });
  std::ranges::reverse(alerts);
  const bool has_more = alerts.size() > range.limit;
  if (has_more) alerts.resize(range.limit);
  JsonWriter json;
  json.begin_object().key("open").number(static_cast<std::uint64_t>(open)).key("items").begin_array();
  for (const AlertRecord& alert : alerts) append_alert(json, alert, language, call.context.clock.now());
  json.end_array();
  append_next(json, has_more ? std::to_string(alerts.back().id) : std::string());
  return json_response(200, json.end_object().take());
}

Result<Response> test(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto deliveries = POSTHUS_TRY(call.context.test_alerts());
  JsonWriter json;
  json.begin_object().key("delivered");
  json.boolean(!deliveries.empty() && std::ranges::all_of(deliveries, &AlertDelivery::is_delivered)).key("items").begin_array();
  for (const AlertDelivery& delivery : deliveries) {
    json.begin_object().key("channel").text(delivery.channel).key("target").text(delivery.target);
    json.key("delivered").boolean(delivery.is_delivered).key("outcome").text(delivery.outcome).end_object();
  }
  json.end_array();
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

}  // namespace

Response list_alerts(const Call& call) { return answer(listed_alerts(call)); }
Response test_alerts(const Call& call) { return answer(test(call)); }

}  // namespace posthus::web_admin
