// A delivery report as multipart/report: a text for people, the machine-readable part (RFC 3464 §2), what comes back of the
// message (RFC 6522 §3). Thread rule: pure functions; the same report gives the same bytes.
// WHY an 8-bit message comes back in another encoding: message/rfc822 itself may not be encoded (RFC 2046 §5.2.1), its parts may.
// Where none is right (8-bit octets in a header), the header goes back alone, in quoted-printable where it needs it.
#include "core/mail/dsn.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "core/mail/down_convert.h"
#include "core/mail/dsn_text.h"
#include "core/mail/dsn_words.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"
#include "core/mail/transfer_encoder.h"
#include "core/mail/transfer_encoding.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxRecipientsNamed = 100;  // in the human part; a person reads no more, the machine part has them all
constexpr std::size_t kMaxAddress = 900;          // of an address field: it may not be folded, and a line has 998
constexpr std::size_t kMaxMessageId = 250;
constexpr std::size_t kFoldAt = 76;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // end of year 9999: what a date of RFC 5322 can hold

Timestamp in_range(Timestamp time) { return Timestamp::from_seconds(std::clamp<std::int64_t>(time.seconds(), 0, kLastSecond)); }
std::string date_of(Timestamp time) { return format_rfc5322_date(in_range(time)); }

/// `text` with each "{name}" replaced.
std::string with(std::string_view text, std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return out.append(text);
    const std::string_view name = text.substr(1, close - 1);
    for (const auto& [known, value] : values) {
      if (known == name) out += value;
    }
    text.remove_prefix(close + 1);
  }
  return out;
}

std::string spoken_date(const ReportText& text, Timestamp time) {
  using namespace std::chrono;
  const sys_seconds at{seconds(in_range(time).seconds())};
  const year_month_day date(floor<days>(at));
  const hh_mm_ss clock(at - floor<days>(at));
  const auto two_digits = [](auto count) { return (count < 10 ? "0" : "") + std::to_string(count); };
  return with(text.date, {{"day", std::to_string(static_cast<unsigned>(date.day()))},
                          {"month", text.months[static_cast<unsigned>(date.month()) - 1]},
                          {"year", std::to_string(static_cast<int>(date.year()))},
                          {"hour", two_digits(clock.hours().count())},
                          {"minute", two_digits(clock.minutes().count())}});
}

/// "Name: words", folded at spaces. REQUIRES: clean words.
void append_field(std::string& out, std::string_view name, std::string_view words) {
  std::string line(name);
  line += ":";
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (line.size() + 1 + end > kFoldAt && line.size() > name.size() + 1) {
      out.append(line).append("\r\n");
      line.clear();
    }
    line.append(" ").append(words.substr(0, end));
    words.remove_prefix(std::min(words.size(), end + 1));
  }
  out.append(line).append("\r\n");
}

/// From and To. WHY the group: an address with letters beyond ASCII has no place in a 7-bit header, its text has (RFC 6857
/// §3.1.7).
void append_address_field(std::string& out, std::string_view name, std::string_view shown, std::string_view address,
                          bool is_utf8) {
  const Result<Address> parsed = parse_mailbox(address, Utf8::kAllow);
  out.append(name).append(": ");
  if (!parsed || (!is_utf8 && ascii::has_high_bit(address))) {
    const std::string words = clean_words(address);
    out += words.empty() ? "undisclosed-recipients" : encode_header_text(words + " ", name.size() + 2);
    out += ":;\r\n";
  } else if (shown.empty()) {
    out.append("<").append(to_string(*parsed)).append(">\r\n");
  } else {
    out.append(shown).append(" <").append(to_string(*parsed)).append(">\r\n");
  }
}

// msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]
std::string original_message_id(std::string_view header) {
  const std::optional<HeaderField> field = find_field(header, "Message-ID");
  if (!field) return "";
  std::string id = unfold(field->value);
  bool is_plain = id.size() > 2 && id.size() <= kMaxMessageId && id.starts_with('<') && id.ends_with('>');
  for (std::size_t i = 1; is_plain && i + 1 < id.size(); ++i)
    is_plain = id[i] > ' ' && id[i] <= '~' && id[i] != '<' && id[i] != '>';
  return is_plain ? id : "";
}

std::string id_left(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxMessageId / 2)) {
    if (ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_') out.push_back(c);
  }
  return out.empty() ? "report" : out;
}

std::size_t index_of(ReportAction action) { return static_cast<std::size_t>(action); }

/// The action the subject speaks of: the worst.
ReportAction worst_action(const Report& report) {
  ReportAction worst = ReportAction::kExpanded;
  for (const ReportedRecipient& recipient : report.recipients) worst = std::min(worst, recipient.action);
  return worst;
}

std::string_view action_name(ReportAction action) {
  constexpr std::string_view kNames[] = {"failed", "delayed", "delivered", "relayed", "expanded"};
  return kNames[index_of(action)];
}

// status-code = DIGIT "." 1*3DIGIT "." 1*3DIGIT
bool is_status(std::string_view text) {
  if (text.size() < 5 || text[1] != '.' || !std::string_view("245").contains(text[0])) return false;
  const std::size_t dot = text.find('.', 2);
  if (dot == std::string_view::npos) return false;
  const auto is_number = [](std::string_view part) {
    return part.size() <= 3 && ascii::parse_decimal<unsigned>(part).has_value();
  };
  return is_number(text.substr(2, dot - 2)) && is_number(text.substr(dot + 1));
}

std::string status_of(const ReportedRecipient& recipient) {
  if (is_status(recipient.status)) return recipient.status;
  if (recipient.action == ReportAction::kFailed) return "5.0.0";
  return recipient.action == ReportAction::kDelayed ? "4.0.0" : "2.0.0";
}

bool is_trouble(ReportAction action) { return action == ReportAction::kFailed || action == ReportAction::kDelayed; }

void append_trouble(std::string& out, const ReportText& text, const ReportedRecipient& recipient) {
  constexpr std::string_view kIndent = "    ";
  const std::string status = status_of(recipient);
  const bool is_failure = recipient.action == ReportAction::kFailed;
  const ReasonText& reason = text.reasons[static_cast<std::size_t>(reason_of_status(status))];
  const std::string explanation = clean_words(recipient.explanation), reply = clean_words(recipient.remote_reply);
  if (is_failure && status.starts_with('4')) append_wrapped(out, text.gave_up, kIndent);
  append_wrapped(out, reason.what, kIndent);
  if (!explanation.empty()) {
    append_wrapped(out, text.detail.empty() ? explanation : std::string(text.detail) + " " + explanation, kIndent);
  }
  if (!reply.empty()) {
    const std::string host = clean_host(recipient.remote_host);
    append_wrapped(out, host.empty() ? std::string(text.was_said) : with(text.host_said, {{"host", host}}), kIndent);
    append_wrapped(out, reply, "        ");
  }
  if (is_failure) append_wrapped(out, std::string(text.advice) + " " + std::string(reason.advice), kIndent);
  if (!is_failure && recipient.retry_until.microseconds > 0) {
    append_wrapped(out, with(text.tried_until, {{"time", spoken_date(text, recipient.retry_until)}}), kIndent);
  }
}

void append_facts(std::string& out, const ReportText& text, const Report& report) {
  const std::optional<HeaderField> field = find_field(report.original_header, "Subject");
  const std::string subject =
      field ? clean_words(decode_header_text(unfold(field->value.substr(0, kMaxReportedHeader)))) : std::string();
  const auto append = [&](std::string_view label, std::string_view value) {
    if (!value.empty()) append_wrapped(out, std::string(label) + ": " + std::string(value), "    ");
  };
  append(text.your_subject, subject);
  if (report.arrival.microseconds > 0) append(text.your_time, spoken_date(text, report.arrival));
  append(text.your_id, clean_words(report.queue_id));
}

enum class Returned : bool { kFull, kHeader };

std::string human_text(const ReportText& text, const Report& report, Returned returned) {
  std::string out;
  append_wrapped(out, with(text.greeting, {{"host", clean_host(report.reporting_host)}}), "");
  out += "\r\n";
  append_facts(out, text, report);
  std::size_t named = 0;
  for (std::size_t action = 0; action < kActions; ++action) {
    bool is_first = true;
    for (const ReportedRecipient& recipient : report.recipients) {
      if (index_of(recipient.action) != action || named == kMaxRecipientsNamed) continue;
      ++named;
      if (is_first) append_wrapped(out += "\r\n", text.opening[action], "");
      is_first = false;
      append_wrapped(out += "\r\n", clean_words(recipient.final_recipient), "");
      if (is_trouble(recipient.action)) append_trouble(out, text, recipient);
    }
  }
  if (named < report.recipients.size()) append_wrapped(out += "\r\n", text.more_recipients, "");
  append_wrapped(out += "\r\n", returned == Returned::kFull ? text.closing_full : text.closing_header, "");
  return out;
}

/// "rfc822; a@b", or the address type of RFC 6533 §3 where ASCII does not do. Nothing when it is too long for a line.
void append_recipient_field(std::string& out, std::string_view name, std::string_view type, std::string_view address,
                            bool is_utf8) {
  std::string words = clean_words(address);
  if (ascii::has_high_bit(words)) {
    type = "utf-8";
    if (!is_utf8) words = utf8_address_in_ascii(words);
  }
  if (words.size() <= kMaxAddress) out.append(name).append(": ").append(type).append("; ").append(words).append("\r\n");
}

// original-recipient-field = "Original-Recipient" ":" address-type ";" generic-address
void append_original_recipient(std::string& out, std::string_view original, bool is_utf8) {
  const std::size_t semicolon = original.find(';');
  if (semicolon == std::string_view::npos) return;
  std::string type;
  for (const char c : original.substr(0, std::min<std::size_t>(semicolon, 40))) {
    if (ascii::is_alpha(c) || ascii::is_digit(c) || c == '-') type.push_back(ascii::to_lower(c));
  }
  if (!type.empty())
    append_recipient_field(out, "Original-Recipient", type, ascii::trim(original.substr(semicolon + 1)), is_utf8);
}

// per-recipient-fields of RFC 3464 §2.3
void append_recipient(std::string& out, const ReportedRecipient& recipient, bool is_utf8) {
  const auto words = [&](std::string_view text) { return is_utf8 ? clean_words(text) : clean_ascii_words(text); };
  append_original_recipient(out, recipient.original_recipient, is_utf8);
  append_recipient_field(out, "Final-Recipient", "rfc822", recipient.final_recipient, is_utf8);
  append_field(out, "Action", action_name(recipient.action));
  append_field(out, "Status", status_of(recipient));
  if (!recipient.remote_host.empty()) append_field(out, "Remote-MTA", "dns; " + clean_host(recipient.remote_host));
  if (const std::string reply = words(recipient.remote_reply); !reply.empty()) {
    append_field(out, "Diagnostic-Code", "smtp; " + reply);
  } else if (const std::string explanation = words(recipient.explanation); !explanation.empty()) {
    append_field(out, "Diagnostic-Code", "X-Posthus; " + explanation);
  }
  if (recipient.last_attempt.microseconds > 0) append_field(out, "Last-Attempt-Date", date_of(recipient.last_attempt));
  const bool is_retried = recipient.action == ReportAction::kDelayed && recipient.retry_until.microseconds > 0;
  if (is_retried) append_field(out, "Will-Retry-Until", date_of(recipient.retry_until));
}

// delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
std::string delivery_status(const Report& report) {
  std::string out;
  if (const std::string id = clean_ascii_words(report.envelope_id); !id.empty()) append_field(out, "Original-Envelope-Id", id);
  append_field(out, "Reporting-MTA", "dns; " + clean_host(report.reporting_host));
  if (report.arrival.microseconds > 0) append_field(out, "Arrival-Date", date_of(report.arrival));
  if (const std::string id = clean_ascii_words(report.queue_id); !id.empty()) append_field(out, "X-Posthus-Queue-Id", id);
  for (const ReportedRecipient& recipient : report.recipients) append_recipient(out += "\r\n", recipient, report.is_utf8);
  return out;
}

/// A body part: its type, its transfer encoding, its bytes ending in a line end.
struct BodyPart {
  std::string_view type, encoding;
  std::string body;
};

BodyPart text_part(std::string_view type, std::string_view text) {
  if (is_7bit(text)) return {type, "7bit", std::string(text)};
  return {type, "quoted-printable", encode_quoted_printable(text)};
}

/// The header without the blank line, whole fields only, at most kMaxReportedHeader.
std::string_view returned_header(std::string_view header) {
  header = header.substr(0, header_end(header).value_or(header.size()));
  if (header.ends_with("\r\n\r\n") || header == "\r\n") header.remove_suffix(2);
  if (header.size() <= kMaxReportedHeader) return header;
  return header.substr(0, header.rfind('\n', kMaxReportedHeader) + 1);
}

/// The message with its 8-bit parts encoded; nothing when no encoding of it is right.
std::optional<std::string> in_seven_bits(const std::string& text) {
  auto conversion = DownConversion::plan(text.size(), [&text](std::uint64_t offset, std::uint64_t length, std::string& out) {
    out.append(text, offset, length);
    return Result<>();
  });
  std::string converted;
  while (conversion && !conversion->is_at_end()) {
    if (!conversion->read_on(converted)) return std::nullopt;
  }
  if (!conversion || !is_7bit(converted)) return std::nullopt;
  return converted;
}

// RFC 3461 §4.3: who asked for all of the message gets all of it. WHY in seven bits: a report must get through everywhere.
BodyPart returned_part(const Report& report) {
  const std::string_view text = report.original_text;
  if (!text.empty() && is_7bit(text)) return {"message/rfc822", "7bit", report.original_text};
  const std::string_view header = returned_header(report.original_header);
  const bool is_global = report.is_utf8 && is_valid_utf8(header);
  if (is_global && !text.empty() && is_8bit(text)) return {"message/global", "8bit", report.original_text};
  if (auto converted = text.empty() ? std::nullopt : in_seven_bits(report.original_text)) {
    return {"message/rfc822", "7bit", *std::move(converted)};
  }
  // RFC 6532 §3.7: this type, unlike message/rfc822, may be encoded; so a header in UTF-8 gets through everywhere as well.
  if (!text.empty() && ascii::has_high_bit(header) && is_valid_utf8(header)) {
    BodyPart part{"message/global", "base64", {}};
    Base64Encoder encoder;
    encoder.append(part.body, text);
    encoder.finish(part.body);
    part.body.append("\r\n");
    return part;
  }
  if (is_global && ascii::has_high_bit(header) && is_8bit(header)) return {"message/global-headers", "8bit", std::string(header)};
  return text_part("text/rfc822-headers", header);
}

BodyPart machine_part(const Report& report) {
  BodyPart part{"message/delivery-status", "7bit", delivery_status(report)};
  if (report.is_utf8) part.type = "message/global-delivery-status";
  if (ascii::has_high_bit(part.body)) part.encoding = "8bit";
  return part;
}

/// A boundary that none of the parts holds.
std::string make_boundary(const BodyPart (&parts)[3]) {
  Sha256 hash;
  for (const BodyPart& part : parts) hash.update(part.body);
  std::string digest(as_view(hash.finish()));
  for (;;) {
    std::string boundary = "report-" + to_hex(digest).substr(0, 32);
    if (std::ranges::none_of(parts, [&](const BodyPart& part) { return part.body.contains("--" + boundary); })) return boundary;
    digest = as_view(sha256(digest));
  }
}

void append_header(std::string& out, const ReportText& text, const Report& report, const BodyPart (&parts)[3],
                   std::string_view boundary) {
  const bool is_8bit_report = std::ranges::any_of(parts, [](const BodyPart& part) { return part.encoding == "8bit"; });
  append_address_field(out, "From", text.from_name, report.from, report.is_utf8);
  append_address_field(out, "To", "", report.to, report.is_utf8);
  out += "Subject: " + encode_header_text(text.subject[index_of(worst_action(report))], 9) + "\r\n";
  out += "Date: " + date_of(report.now) + "\r\n";
  out += "Message-ID: <" + id_left(report.message_id) + "@" + clean_host(report.reporting_host) + ">\r\n";
  if (const std::string id = original_message_id(report.original_header); !id.empty()) {
    out += "In-Reply-To: " + id + "\r\nReferences: " + id + "\r\n";
  }
  out += "Auto-Submitted: auto-replied\r\n";  // RFC 3834 §5
  if (report.ignores_tls_policy) out += "TLS-Required: No\r\n";
  out += "MIME-Version: 1.0\r\n";
  out += "Content-Type: multipart/report; report-type=";
  out += report.is_utf8 ? "global-delivery-status" : "delivery-status";
  out.append(";\r\n boundary=\"").append(boundary).append("\"\r\n");
  if (is_8bit_report) out += "Content-Transfer-Encoding: 8bit\r\n";
}

}  // namespace

std::string compose_report(const Report& report) {
  const ReportText& text = report_text(report.language);
  BodyPart returned = returned_part(report);
  const Returned kind =
      returned.type.starts_with("message/") && !returned.type.ends_with("-headers") ? Returned::kFull : Returned::kHeader;
  const BodyPart parts[3] = {text_part("text/plain; charset=utf-8", human_text(text, report, kind)), machine_part(report),
                             std::move(returned)};
  const std::string boundary = make_boundary(parts);
  std::string out;
  append_header(out, text, report, parts, boundary);
  for (const BodyPart& part : parts) {
    out.append("\r\n--").append(boundary).append("\r\nContent-Type: ").append(part.type);
    if (&part == parts) out.append("\r\nContent-Language: ").append(text.tag);
    out.append("\r\nContent-Transfer-Encoding: ").append(part.encoding).append("\r\n\r\n").append(part.body);
  }
  return out.append("\r\n--").append(boundary).append("--\r\n");
}

}  // namespace posthus::mail
