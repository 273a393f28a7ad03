// A minute of history, and alerts. See history_records.h, alert_records.h.
#include "store/alert_reader.h"
#include "store/apply_kinds.h"
#include "store/record_alert.h"
#include "store/record_history.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const AddHistory& request) {
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(HistorySpan::kCount); ++i) {
    const auto span = static_cast<HistorySpan>(i);
    const std::string key = history_key(span, request.time);
    const auto before = POSTHUS_TRY(context.transaction.get(Table::kHistory, key));
    // WHY what cannot be read is replaced: a figure less is better than none from now on.
    const auto row = before ? decode_history_row(*before) : Result<HistoryRow>(HistoryRow{.start = Timestamp{INT64_MIN}});
    POSTHUS_TRY_VOID(context.transaction.put(
        Table::kHistory, key, encode_history_row(with_sample(row ? std::optional(*row) : std::nullopt, span, request))));
  }
  return WriteOutcome{};
}

namespace {

/// Room for one more: of the alerts that are over the oldest goes.
Result<> make_room(ApplyContext& context) {
  const auto alerts = POSTHUS_TRY(read_alerts(context.transaction));
  if (alerts.size() < kMaxAlerts) return {};
  for (const AlertRecord& alert : alerts) {
    if (alert.is_open()) continue;
    return context.transaction.erase(Table::kAlerts, alert_key(alert.id));
  }
  return fail(ErrorKind::kTooLarge, "there are " + std::to_string(kMaxAlerts) + " open alerts");
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAlert& request) {
  const AlertRecord& alert = request.alert;
  if (alert.id == 0 || alert.subject.size() > kMaxAlertSubject) return fail(ErrorKind::kInvalid, "alert");
  const std::string bytes = encode_alert(alert);
  if (bytes.size() > kMaxAlertRecord) return fail(ErrorKind::kTooLarge, "alert");
  const std::string key = alert_key(alert.id);
  const bool is_new = !POSTHUS_TRY(context.transaction.get(Table::kAlerts, key));
  if (is_new) POSTHUS_TRY_VOID(make_room(context));
  POSTHUS_TRY_VOID(context.transaction.put(Table::kAlerts, key, bytes));
  return WriteOutcome{};
}

}  // namespace posthus::store
