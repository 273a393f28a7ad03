// Checker's walk over history, alerts, sign-ins, login blocks and checks of the DNS: every record decodes and stands under its
// key.
#include "store/check.h"
#include "store/record_alert.h"
#include "store/record_dns_check.h"
#include "store/record_history.h"
#include "store/record_login_block.h"
#include "store/record_sign_in.h"
#include "store/rows.h"

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
  scan(Table::kSignIns, "sign-ins", [&](std::string_view key, std::string_view value) {
    const auto record = decode_sign_in(value);
    if (!record || sign_in_key(*record) != key) find("a sign-in", record ? "key" : record.error().context);
  });
  scan(Table::kLoginBlocks, "login blocks", [&](std::string_view key, std::string_view value) {
    const auto record = decode_login_block(value);
    if (!record || !is_login_block_key(key)) find("a login block", record ? "key" : record.error().context);
  });
  scan_long(Table::kDnsChecks, "checks of the DNS", [&](std::string_view base, std::string_view value) {
    const auto record = decode_dns_check(value);
    if (!record || dns_check_key(record->domain) != base) return find("a DNS check", record ? "key" : record.error().context);
    if (const auto domain = get_domain(snapshot_, record->domain); !domain || !*domain) find("a DNS check", "domain is missing");
  });
}

}  // namespace posthus::store
