// Alerts as messages: mail (RFC 5322, RFC 3834 §5: auto-generated, with a null reverse-path, so that nothing answers them) and
// the body of a webhook. Thread rule: composing is pure; alert_recipients reads the store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mail/dsn.h"
#include "store/alert_records.h"
#include "store/engine.h"

namespace posthus::main {

/// kTest: of no alert.
enum class AlertEvent : std::uint8_t { kOpened, kClosed, kTest };

struct AlertMessage {
  AlertEvent event = AlertEvent::kTest;
  store::AlertRecord alert;  // not of kTest
  std::string hostname;      // ours
  Timestamp now;
};

/// The whole message, CRLF. `from`: postmaster of one of our domains.
std::string compose_alert_mail(const AlertMessage& message, const std::string& from, const std::string& to,
                               mail::ReportLanguage language);
/// JSON as openapi.yaml describes AlertNotice.
std::string compose_webhook(const AlertMessage& message, mail::ReportLanguage language);

/// Who is told by mail: alerts.mail, else the postmaster of the first domain, who is the first server admin when nobody has that
/// name.
struct AlertRecipients {
  std::vector<std::string> addresses;
  bool are_named = false;  // in alerts.mail
  std::string from;        // postmaster@ of our first domain; empty: there is none, and so no mail
  mail::ReportLanguage language = mail::ReportLanguage::kEnglish;  // of the server: its first domain's
};
Result<AlertRecipients> alert_recipients(const store::Snapshot& snapshot);

/// Beside them: of a limit that was met, who looks after that domain.
Result<std::vector<std::string>> domain_admins_told(const store::Snapshot& snapshot, const store::AlertRecord& alert);

/// A header value as encoded-words when it is not ASCII (RFC 2047 §2), folded.
std::string encode_header_text(std::string_view utf8);

}  // namespace posthus::main
