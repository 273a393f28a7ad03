// Words of the notice; see hold_notice.h. RFC 3834 §5 (Auto-Submitted).
#include "smtp/hold_notice.h"

#include <string_view>

#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "core/mail/transfer_encoding.h"
#include "smtp/own_message.h"
#include "smtp/trace_event.h"
#include "store/directory_reader.h"
#include "store/hold_reason.h"

namespace posthus::smtp {
namespace {

struct Words {
  std::string_view subject, what;
  std::string_view why;
  std::string_view owner, admin;
};

constexpr Words kEnglish{
    "Outgoing mail of your account is on hold",
    "Mail from this account to other servers is waiting and is not being sent:",
    "What happened:",
    "Mail between people on this server still arrives. If it was not you who sent these messages, change your password now.\r\n"
    "The administrator of this server has been told and can release the mail.",
    "If this is right, release it:\r\n\r\n    posthus account release ",
};
constexpr Words kGerman{
    "Ausgehende E-Mail Ihres Kontos wird zurückgehalten",
    "E-Mail dieses Kontos an andere Server wartet und wird nicht gesendet:",
    "Was geschehen ist:",
    "E-Mail zwischen Menschen auf diesem Server kommt weiter an. Wenn nicht Sie diese Nachrichten gesendet haben, ändern Sie\r\n"
    "jetzt Ihr Passwort. Der Administrator dieses Servers weiß Bescheid und kann die E-Mail freigeben.",
    "Wenn das seine Richtigkeit hat, geben Sie sie frei:\r\n\r\n    posthus account release ",
};
constexpr Words kNorwegian{
    "Utgående e-post fra kontoen din holdes tilbake",
    "E-post fra denne kontoen til andre tjenere venter og sendes ikke:",
    "Hva som skjedde:",
    "E-post mellom folk på denne tjeneren kommer fortsatt fram. Hvis det ikke var du som sendte meldingene, må du bytte "
    "passord\r\n"
    "nå. Administratoren av tjeneren har fått beskjed og kan frigi e-posten.",
    "Hvis dette er i orden, frigi den:\r\n\r\n    posthus account release ",
};

const Words& words_of(mail::ReportLanguage language) {
  switch (language) {
    case mail::ReportLanguage::kGerman: return kGerman;
    case mail::ReportLanguage::kNorwegian: return kNorwegian;
    case mail::ReportLanguage::kEnglish: break;
  }
  return kEnglish;
}

void send_to(store::Store& store, const HoldNotice& notice) {
  auto to = mail::parse_mailbox(notice.to, mail::Utf8::kAllow);
  if (!to) return;
  OwnMessage message{.to = *std::move(to), .text = {}, .event = "notice", .signing = notice.signing, .from_domain = {}};
  message.from_domain = std::string(domain_after_at(notice.account));
  message.text = compose_hold_notice(notice, report_language(store, domain_after_at(notice.to)));
  send_own_message(store, message, notice.now);
}

/// The address of the first server admin; "" when there is none.
std::string admin_address(store::Store& store) {
  const auto snapshot = store.snapshot();
  if (!snapshot) return {};
  const auto admin = store::DirectoryReader(**snapshot).first_server_admin();
  return admin && *admin ? (*admin)->address : std::string();
}

}  // namespace

std::string compose_hold_notice(const HoldNotice& notice, mail::ReportLanguage language) {
  const Words& words = words_of(language);
  const std::string from = "postmaster@" + std::string(domain_after_at(notice.account));
  std::string out = "From: " + from + "\r\nTo: " + notice.to + "\r\n";
  out += "Subject: " + mail::encode_header_text(words.subject, 9) + "\r\n";
  out += "Date: " + mail::format_rfc5322_date(notice.now) + "\r\n";
  out += "Message-ID: <" + to_text(next_queue_id(notice.now)) + ".hold@" + notice.hostname + ">\r\n";
  out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
  out.append(words.what).append("\r\n\r\n    ").append(notice.account).append("\r\n\r\n");
  const std::string reason = store::hold_reason_words(store::decode_hold_reason(notice.reason), language);
  out.append(words.why).append("\r\n\r\n    ").append(reason).append(" (").append(notice.queue_id).append(")\r\n\r\n");
  if (notice.is_for_admin) {
    out.append(words.admin).append(notice.account).append("\r\n");
  } else {
    out.append(words.owner).append("\r\n");
  }
  return out;
}

void send_hold_notices(store::Store& store, HoldNotice notice) {
  const std::string admin = admin_address(store);
  notice.to = notice.account;
  notice.is_for_admin = notice.to == admin;
  send_to(store, notice);
  if (admin.empty() || admin == notice.account) return;
  notice.to = admin;
  notice.is_for_admin = true;
  send_to(store, notice);
}

void hold_waiting_mail(store::Store& store, AccountId account, const std::string& reason, Timestamp now) {
  TraceEvent event("held", now);  // the trace is in English
  event.text("detail", store::hold_reason_words(store::decode_hold_reason(reason), mail::ReportLanguage::kEnglish));
  store.submit(
      store::ChangeQueue{
          .filter = {.account = account}, .action = store::QueueAction::kHold, .text = reason, .trace = event.take()},
      [account](const Result<store::WriteOutcome>& outcome) {
        if (outcome) return;
        log::warning(
            "smtp.waiting_mail_not_held",
            {{"account", account.value}, {"error", to_string(outcome.error().kind)}, {"context", outcome.error().context}});
      });
}

}  // namespace posthus::smtp
