// Alert mails and webhook bodies. See alert_mail.h.
#include "core/main/alert_mail.h"

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/queue_id.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "web-admin/alert_words.h"
#include "web-admin/json.h"
#include "web-admin/setting_values.h"

namespace posthus::main {
namespace {

constexpr std::size_t kLine = 76;            // RFC 5322 §2.1.1: 78 at most is asked for
constexpr std::size_t kEncodedPart = 42;     // bytes: as base64 56, with the rest of an encoded-word below 75 (RFC 2047 §2)
constexpr std::size_t kMaxDomainsRead = 50;  // relay domains that may stand before the first one of ours

/// Text in lines that are not too long, broken at spaces.
void append_wrapped(std::string& out, std::string_view text) {
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > 0 && column + 1 + end > kLine) {
      out += "\r\n";
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    // What a remote server said may hold anything; a line end of its own would be a field or the end of the message.
    for (const char c : text.substr(0, end)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += "\r\n";
}

std::string_view event_text(AlertEvent event) {
  switch (event) {
    case AlertEvent::kOpened: return "opened";
    case AlertEvent::kClosed: return "closed";
    case AlertEvent::kTest: break;
  }
  return "test";
}

/// What is said of it, with a test as an alert without a record.
web_admin::AlertWords words_for(const AlertMessage& message, mail::ReportLanguage language) {
  const auto& words = web_admin::alert_mail_words(language);
  if (message.event == AlertEvent::kTest)
    return {std::string(words.test_title), std::string(words.test_text), "", std::string(words.test_title)};
  return web_admin::words_of(message.alert, language, message.now);
}

void append_body(std::string& out, const AlertMessage& message, mail::ReportLanguage language) {
  const auto& around = web_admin::alert_mail_words(language);
  const web_admin::AlertWords words = words_for(message, language);
  const bool is_closed = message.event == AlertEvent::kClosed;
  append_wrapped(out, is_closed ? words.over : words.title);
  out += "\r\n";
  if (!is_closed) append_wrapped(out, words.what);
  if (message.event == AlertEvent::kTest) return;
  out += "\r\n";
  append_wrapped(out, std::string(around.since) + " " + mail::format_rfc5322_date(message.alert.opened));
  if (is_closed) {
    append_wrapped(out, std::string(around.until) + " " + mail::format_rfc5322_date(message.alert.closed));
    return;
  }
  out.append("\r\n").append(around.to_do).append("\r\n");
  append_wrapped(out, words.action);
  out += "\r\n";
  append_wrapped(out, around.told_once);
}

}  // namespace

std::string encode_header_text(std::string_view utf8) {
  if (!ascii::has_high_bit(utf8)) return std::string(utf8);
  std::string out;
  while (!utf8.empty()) {
    std::size_t length = std::min(kEncodedPart, utf8.size());
    // RFC 2047 §5: a character is not split between encoded-words.
    while (length < utf8.size() && length > 1 && (static_cast<unsigned char>(utf8[length]) & 0xC0U) == 0x80U) --length;
    out.append(out.empty() ? "" : "\r\n ").append("=?utf-8?B?").append(base64_encode(utf8.substr(0, length))).append("?=");
    utf8.remove_prefix(length);
  }
  return out;
}

std::string compose_alert_mail(const AlertMessage& message, const std::string& from, const std::string& to,
                               mail::ReportLanguage language) {
  const auto& around = web_admin::alert_mail_words(language);
  const web_admin::AlertWords words = words_for(message, language);
  const bool is_closed = message.event == AlertEvent::kClosed;
  std::string title = std::string(is_closed ? around.over : around.alert) + ": " + (is_closed ? words.over : words.title);
  for (char& c : title) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  std::string out = "From: " + from + "\r\nTo: " + to + "\r\nSubject: " + encode_header_text(title) + "\r\n";
  out += "Date: " + mail::format_rfc5322_date(message.now) + "\r\n";
  out += "Message-ID: <" + posthus::to_text(next_queue_id(message.now)) + ".alert@" + message.hostname + ">\r\n";
  out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
  out.append("Content-Language: ").append(web_admin::language_tag(language)).append("\r\n\r\n");
  append_body(out, message, language);
  out.append("\r\n-- \r\n").append(message.hostname).append("\r\n");
  return out;
}

std::string compose_webhook(const AlertMessage& message, mail::ReportLanguage language) {
  const web_admin::AlertWords words = words_for(message, language);
  const bool is_test = message.event == AlertEvent::kTest;
  const store::AlertRecord& alert = message.alert;
  web_admin::JsonWriter json;
  const auto time = [&json](std::string_view name, Timestamp value) {
    json.key(name);
    if (value == Timestamp()) {
      json.null();
    } else {
      json.text(mail::format_rfc3339(value));
    }
  };
  json.begin_object().key("event").text(event_text(message.event)).key("server").text(message.hostname);
  json.key("id").number(alert.id).key("kind").text(is_test ? "test" : to_string(alert.kind)).key("subject").text(alert.subject);
  json.key("facts").texts(alert.facts);
  time("opened", is_test ? message.now : alert.opened);
  time("closed", message.event == AlertEvent::kClosed ? alert.closed : Timestamp());
  json.key("language").text(web_admin::language_tag(language));
  json.key("title").text(message.event == AlertEvent::kClosed ? words.over : words.title);
  json.key("what").text(words.what).key("action").text(words.action);
  return json.end_object().take();
}

Result<AlertRecipients> alert_recipients(const store::Snapshot& snapshot) {
  AlertRecipients recipients;
  recipients.addresses = POSTHUS_TRY(web_admin::setting_items(snapshot, "alerts.mail"));
  recipients.are_named = !recipients.addresses.empty();
  const auto domains = POSTHUS_TRY(store::DirectoryReader(snapshot).domains("", kMaxDomainsRead));
  for (const store::DomainRecord& domain : domains.items) {
    if (domain.is_disabled || domain.kind != store::DomainKind::kMailboxes) continue;
    recipients.from = "postmaster@" + domain.name;
    recipients.language = domain.language;
    break;
  }
  if (!recipients.are_named && !recipients.from.empty()) recipients.addresses = {recipients.from};
  return recipients;
}

Result<std::vector<std::string>> domain_admins_told(const store::Snapshot& snapshot, const store::AlertRecord& alert) {
  std::vector<std::string> addresses;
  if (alert.kind != store::AlertKind::kLimit) return addresses;
  const std::string_view domain = std::string_view(alert.subject).substr(alert.subject.rfind('@') + 1);
  const store::DirectoryReader directory(snapshot);
  for (const AccountId account : POSTHUS_TRY(store::IdentityReader(snapshot).admins_of(domain))) {
    const auto user = POSTHUS_TRY(directory.user(account));
    if (user && !user->is_disabled) addresses.push_back(user->address);
  }
  return addresses;
}

}  // namespace posthus::main
