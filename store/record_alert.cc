// Alerts: names, encoding, reading. See alert_records.h.
#include "store/record_alert.h"

#include <array>

#include "core/base/bytes.h"
#include "store/alert_reader.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kAlertVersion = 1;
constexpr std::array<std::string_view, static_cast<std::size_t>(AlertKind::kCount)> kNames{
    "certificate", "disk", "queue", "destination", "hold", "blocklist", "logins", "clock", "shared_address", "limit"};

}  // namespace

std::string_view to_string(AlertKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

// version, id, kind u8, subject, facts u8 and texts, opened, closed, mail u8, webhook u8, failures u32, next, error
std::string encode_alert(const AlertRecord& alert) {
  std::string out;
  append_u8(out, kAlertVersion);
  append_u64(out, alert.id);
  append_u8(out, static_cast<std::uint8_t>(alert.kind));
  append_text(out, alert.subject);
  append_u8(out, static_cast<std::uint8_t>(alert.facts.size()));
  for (const std::string& fact : alert.facts) append_text(out, fact);
  append_u64(out, static_cast<std::uint64_t>(alert.opened.microseconds));
  append_u64(out, static_cast<std::uint64_t>(alert.closed.microseconds));
  append_u8(out, static_cast<std::uint8_t>(alert.mail));
  append_u8(out, static_cast<std::uint8_t>(alert.webhook));
  append_u32(out, alert.webhook_failures);
  append_u64(out, static_cast<std::uint64_t>(alert.webhook_next.microseconds));
  append_text(out, alert.webhook_error);
  return out;
}

Result<AlertRecord> decode_alert(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_version = reader.u8() == kAlertVersion;
  AlertRecord alert;
  alert.id = reader.u64();
  alert.kind = static_cast<AlertKind>(reader.u8());
  alert.subject = reader.text();
  const std::size_t facts = reader.u8();
  for (std::size_t i = 0; i < facts && reader.ok(); ++i) alert.facts.emplace_back(reader.text());
  alert.opened.microseconds = static_cast<std::int64_t>(reader.u64());
  alert.closed.microseconds = static_cast<std::int64_t>(reader.u64());
  alert.mail = static_cast<AlertTold>(reader.u8());
  alert.webhook = static_cast<AlertTold>(reader.u8());
  alert.webhook_failures = reader.u32();
  alert.webhook_next.microseconds = static_cast<std::int64_t>(reader.u64());
  alert.webhook_error = reader.text();
  const bool is_known = alert.kind < AlertKind::kCount && alert.mail <= AlertTold::kEnd && alert.webhook <= AlertTold::kEnd;
  if (!is_version || !is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "alert");
  return alert;
}

std::string alert_key(std::uint64_t id) {
  std::string key;
  append_u64(key, id);
  return key;
}

Result<std::vector<AlertRecord>> read_alerts(const Snapshot& snapshot) {
  std::vector<AlertRecord> alerts;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kAlerts, {}, {}, [&](std::string_view, std::string_view value) {
    if (auto alert = decode_alert(value)) alerts.push_back(*std::move(alert));
    return Visit::kContinue;
  }));
  return alerts;
}

}  // namespace posthus::store
