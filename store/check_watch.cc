// Checker's walk over history and alerts: every record decodes and stands under its key.
#include "store/check.h"
#include "store/record_alert.h"
#include "store/record_history.h"

namespace posthus::store {

void Checker::check_watch() {
  scan(Table::kHistory, "history", [&](std::string_view key, std::string_view value) {
    const auto row = decode_history_row(value);
    if (!row || !is_history_key(key, *row)) find("history", row ? "key" : row.error().context);
  });
  scan(Table::kAlerts, "alerts", [&](std::string_view key, std::string_view value) {
    const auto alert = decode_alert(value);
    if (!alert || alert_key(alert->id) != key) find("an alert", alert ? "key" : alert.error().context);
  });
}

}  // namespace posthus::store
