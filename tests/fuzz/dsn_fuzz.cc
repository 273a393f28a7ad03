// Hostile replies, addresses and messages in a delivery report: always three parts that our own parser finds, always 7-bit when
// that was promised, never a field of the stranger's own. Fields of the input are apart by 0xFF; the first byte is the form.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/dsn.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"
#include "core/mail/summary.h"
#include "core/mail/transfer_encoding.h"

namespace {

using namespace posthus::mail;

std::string take_field(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\xFF'), rest.size());
  std::string field(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return field;
}

Report report_of(std::uint8_t form, std::string_view rest) {
  Report report;
  report.language = static_cast<ReportLanguage>(form % 3);
  report.is_utf8 = form & 4;
  report.reporting_host = take_field(rest);
  report.from = take_field(rest);
  report.to = take_field(rest);
  report.envelope_id = take_field(rest);
  report.message_id = take_field(rest);
  report.queue_id = take_field(rest);
  const std::size_t recipients = 1 + form / 8 % 4;
  for (std::size_t i = 0; i < recipients; ++i) {
    ReportedRecipient recipient;
    recipient.original_recipient = take_field(rest);
    recipient.final_recipient = take_field(rest);
    recipient.status = take_field(rest);
    recipient.remote_host = take_field(rest);
    recipient.remote_reply = take_field(rest);
    recipient.explanation = take_field(rest);
    recipient.action = static_cast<ReportAction>((form + i) % 5);
    recipient.last_attempt.microseconds = recipient.retry_until.microseconds = static_cast<std::int64_t>(form) << (i * 20);
    report.recipients.push_back(recipient);
  }
  const bool is_full = form & 64;
  report.original_header = std::string(rest.substr(0, header_end(rest).value_or(rest.size())));
  if (is_full) report.original_text = rest;
  return report;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Report report = report_of(data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  const std::string composed = compose_report(report);
  CHECK(report.is_utf8 ? is_8bit(composed) : is_7bit(composed));
  const Summary summary = summarise(composed);
  CHECK(summary.parts[0].subtype == "report");
  std::size_t children = 0, last = 0;
  for (std::size_t at = 1; at < summary.parts.size(); at += summary.parts[at].subtree) {
    ++children;
    last = at;
  }
  CHECK(children == 3 && summary.parts[1].type == "text" && summary.parts[2].type == "message");
  const Part& returned = summary.parts[last];
  const std::string_view body = std::string_view(composed).substr(returned.body_begin, returned.body_end - returned.body_begin);
  // Without a blank line the line end before the boundary is taken for the end of a header line.
  const bool is_full = returned.subtype == "rfc822" || returned.subtype == "global";
  if (is_full && header_end(report.original_text)) CHECK(body == report.original_text);
  const std::string_view header = std::string_view(composed).substr(0, summary.header_size);
  for (const std::string_view once : {"From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Auto-Submitted"}) {
    CHECK(count_fields(header, once) == 1);
  }
  std::size_t fields = 0;
  for_each_field(header, [&](const HeaderField&) { return ++fields, true; });
  CHECK(fields <= 11);
  return 0;
}
