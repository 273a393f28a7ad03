// Delivery reports against tests/golden/dsn (RFC 3464, RFC 6522, RFC 6533), and what strangers may not do to them.
// POSTHUS_WRITE_GOLDEN=1 writes the files anew; tests/interop/reports_test.py reads the same files with Python's email package.
#include "core/mail/dsn.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/mail/dsn_text.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"
#include "core/mail/summary.h"
#include "core/mail/transfer_encoding.h"

namespace posthus::mail {
namespace {

ReportedRecipient refused() {
  return {.original_recipient = "rfc822;Ben@Example.org",
          .final_recipient = "ben@example.org",
          .status = "5.1.1",
          .remote_host = "mx1.example.org",
          .remote_reply = "550 5.1.1 <ben@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
          .last_attempt = Timestamp::from_seconds(1'795'302'400)};
}

Report plain_report() {
  Report report;
  report.reporting_host = "mx.example.test";
  report.from = "postmaster@example.test";
  report.to = "anna@example.test";
  report.envelope_id = "QQ314159";
  report.arrival = Timestamp::from_seconds(1'795'302'346);
  report.now = Timestamp::from_seconds(1'795'302'401);
  report.message_id = "17abc-1";
  report.queue_id = "17abc";
  report.original_header =
      "From: Anna <anna@example.test>\r\nTo: ben@example.org\r\nSubject: Lunch on Friday\r\n"
      "Message-ID: <lunch.1@example.test>\r\nDate: Sat, 21 Nov 2026 23:05:40 +0000\r\n\r\n";
  report.original_text = report.original_header + "Twelve o'clock?\r\n";
  report.recipients = {refused()};
  return report;
}

std::string read_golden(const std::string& name) {
  std::ifstream file(POSTHUS_SOURCE_DIR "/tests/golden/dsn/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_golden(const std::string& name, const Report& report) {
  const std::string composed = compose_report(report);
  if (std::getenv("POSTHUS_WRITE_GOLDEN"))
    std::ofstream(POSTHUS_SOURCE_DIR "/tests/golden/dsn/" + name, std::ios::binary) << composed;
  EXPECT_EQ(composed, read_golden(name)) << name;
  EXPECT_TRUE(is_8bit(composed)) << name;
  if (!report.is_utf8) EXPECT_TRUE(is_7bit(composed)) << name;
}

TEST(Report, FailureInEachLanguage) {
  Report report = plain_report();
  expect_golden("failed-en.eml", report);
  report.language = ReportLanguage::kGerman;
  expect_golden("failed-de.eml", report);
  report.language = ReportLanguage::kNorwegian;
  expect_golden("failed-nb.eml", report);
}

TEST(Report, DelayTellsUntilWhenItIsTried) {
  Report report = plain_report();
  report.original_text.clear();
  report.recipients = {{.final_recipient = "ben@example.org",
                        .action = ReportAction::kDelayed,
                        .status = "4.4.1",
                        .explanation = "No connection to mx1.example.org [192.0.2.1] within 30 seconds.",
                        .last_attempt = Timestamp::from_seconds(1'795'302'400),
                        .retry_until = Timestamp::from_seconds(1'795'734'346)}};
  expect_golden("delayed-en.eml", report);
  report.language = ReportLanguage::kGerman;
  expect_golden("delayed-de.eml", report);
  report.language = ReportLanguage::kNorwegian;
  expect_golden("delayed-nb.eml", report);
}

TEST(Report, SuccessAndRelayShareOneReport) {
  Report report = plain_report();
  report.original_text.clear();
  report.recipients = {{.final_recipient = "ben@example.org",
                        .action = ReportAction::kRelayed,
                        .status = "2.0.0",
                        .remote_host = "mx1.example.org"},
                       {.original_recipient = "rfc822;carl@example.test",
                        .final_recipient = "carl@example.test",
                        .action = ReportAction::kDelivered,
                        .status = "2.1.5"}};
  expect_golden("success-en.eml", report);
}

TEST(Report, ExpiredMessageKeepsTheLastWords) {
  Report report = plain_report();
  report.recipients[0].status = "4.2.2";
  report.recipients[0].remote_reply = "452-4.2.2 The mailbox is full.\r\n452 4.2.2 Come back later";
  expect_golden("expired-en.eml", report);
  report.language = ReportLanguage::kGerman;
  expect_golden("expired-de.eml", report);
}

TEST(Report, EightBitMessageComesBackWholeInSevenBits) {
  Report report = plain_report();
  report.original_header.insert(
      report.original_header.size() - 2,
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
  report.original_text = report.original_header + "Smørbrød, hälsar Åse.\r\n";
  expect_golden("eight-bit-full-en.eml", report);
}

TEST(Report, EightBitHeaderComesBackAlone) {
  Report report = plain_report();
  report.original_header =
      "From: Anna <anna@example.test>\r\nSubject: Gr\xFC\xDF"
      "e\r\nMessage-ID: <lunch.1@example.test>\r\n\r\n";
  report.original_text = report.original_header +
                         "Sm\xF8rbr\xF8"
                         "d\r\n";
  expect_golden("eight-bit-en.eml", report);
}

TEST(Report, InternationalizedHeaderComesBackWholeToWhoReadsAsciiOnly) {
  Report report = plain_report();
  report.original_header = "From: Anna <anna@example.test>\r\nSubject: Grüße\r\nMessage-ID: <lunch.1@example.test>\r\n\r\n";
  report.original_text = report.original_header + "Smørbrød\r\n";
  const std::string text = compose_report(report);
  EXPECT_EQ(text.find_first_of("\xC3"), std::string::npos);
  EXPECT_NE(text.find("Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("RnJvbTogQW5uYSA8"), std::string::npos) << text;
}

TEST(Report, InternationalizedForm) {
  Report report = plain_report();
  report.is_utf8 = true;
  report.language = ReportLanguage::kNorwegian;
  report.to = "åse@example.test";
  report.original_header =
      "From: Åse <åse@example.test>\r\nSubject: Middag på fredag\r\nMessage-ID: <middag.1@example.test>\r\n\r\n";
  report.original_text = report.original_header + "Klokka tolv? Jeg spanderer smørbrød.\r\n";
  report.recipients[0].original_recipient = "utf-8;Jørgen@example.org";
  report.recipients[0].final_recipient = "jørgen@example.org";
  report.recipients[0].remote_reply = "550 5.1.1 jørgen finnes ikke";
  expect_golden("utf8-full-nb.eml", report);
  report.original_text.clear();
  expect_golden("utf8-header-nb.eml", report);
}

TEST(Report, InternationalizedAddressesInSevenBits) {
  Report report = plain_report();
  report.to = "åse@example.test";
  report.recipients[0].original_recipient = "utf-8;Jørgen+mat@example.org";
  report.recipients[0].final_recipient = "jørgen+mat@example.org";
  report.recipients[0].remote_reply = "550 5.1.1 jørgen finnes ikke";
  expect_golden("utf8-addresses-en.eml", report);
}

TEST(Report, RepliesCannotWriteFields) {
  Report report = plain_report();
  report.recipients[0].remote_reply = "550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y\r\n\x1b[2J\xE2\x80\xAEnon";
  report.recipients[0].remote_host = "mx\r\nStatus: 2.0.0";
  report.recipients[0].status = "5.1.1\r\nX: y";
  report.recipients[0].final_recipient = "ben@example.org\r\nAction: delivered";
  report.recipients[0].original_recipient = "rfc822\r\nX: z;ben@example.org\r\nX: z";
  report.envelope_id = "a\r\nX: y";
  report.queue_id = "17\r\nX: y";
  report.reporting_host = "mx\r\nX: y";
  report.message_id = "17>\r\nX: y";
  report.to = "anna@example.test>\r\nX: y";
  report.original_header = "Message-ID: <a@b>\r\n X: <y>\r\nSubject: =?utf-8?q?a=0D=0AX:_y?=\r\n\r\n";
  const std::string composed = compose_report(report);
  const Summary summary = summarise(composed);
  ASSERT_EQ(summary.parts[0].subtype, "report");
  EXPECT_FALSE(composed.contains("\nX:"));
  EXPECT_FALSE(composed.contains("\nAction: delivered"));
  EXPECT_FALSE(composed.contains("\nStatus: 2"));
  EXPECT_FALSE(composed.contains("In-Reply-To"));
  EXPECT_FALSE(composed.contains('\x1b'));
  EXPECT_TRUE(composed.contains("\nStatus: 5.0.0\r\n"));
  EXPECT_TRUE(is_7bit(composed));
}

TEST(Report, LongRepliesAreCutAndFolded) {
  Report report = plain_report();
  report.recipients[0].remote_reply = "550 " + std::string(100'000, 'x');
  report.recipients[0].explanation = std::string(100'000, ' ');
  report.original_text.clear();
  const std::string composed = compose_report(report);
  EXPECT_TRUE(is_7bit(composed));
  EXPECT_LT(composed.size(), 5000U);
}

TEST(Report, ManyRecipientsAreAllInTheMachinePart) {
  Report report = plain_report();
  report.original_text.clear();
  report.recipients.resize(3000, refused());
  const std::string composed = compose_report(report);
  std::size_t count = 0;
  for (std::size_t at = composed.find("\nFinal-Recipient:"); at != std::string::npos;
       at = composed.find("\nFinal-Recipient:", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 3000U);
  EXPECT_TRUE(composed.contains("There are more recipients than this page names"));
}

TEST(Report, BoundaryIsNotInTheReturnedMessage) {
  Report report = plain_report();
  const std::string first = compose_report(report);
  const std::size_t at = first.find("boundary=\"") + 10;
  const std::string boundary = first.substr(at, first.find('"', at) - at);
  // The digest is over the parts, so text that quotes an earlier boundary gets another one.
  report.original_text += "--" + boundary + "--\r\n--" + boundary + "\r\n";
  const Summary summary = summarise(compose_report(report));
  ASSERT_GE(summary.parts.size(), 5U);
  EXPECT_EQ(summary.parts[3].type + "/" + summary.parts[3].subtype, "message/rfc822");
  EXPECT_EQ(summary.parts[3].body_end - summary.parts[3].body_begin, report.original_text.size());
}

TEST(Report, HeaderAboveTheLimitIsCutBetweenLines) {
  Report report = plain_report();
  report.original_text.clear();
  report.original_header = "Subject: x\r\n";
  while (report.original_header.size() < 2 * kMaxReportedHeader) report.original_header += "X-Filler: some words of a field\r\n";
  const std::string composed = compose_report(report);
  EXPECT_LT(composed.size(), kMaxReportedHeader + 5000);
  EXPECT_TRUE(composed.contains("some words of a field\r\n\r\n--report-"));
}

TEST(Reason, FollowsTheStatusCode) {
  EXPECT_EQ(reason_of_status("5.1.1"), Reason::kNoSuchMailbox);
  EXPECT_EQ(reason_of_status("5.1.10"), Reason::kDomainTakesNoMail);
  EXPECT_EQ(reason_of_status("4.2.2"), Reason::kMailboxFull);
  EXPECT_EQ(reason_of_status("5.7.1"), Reason::kPolicy);
  EXPECT_EQ(reason_of_status("5.7.26"), Reason::kNotAuthentic);
  EXPECT_EQ(reason_of_status("5.7.30"), Reason::kTlsNeeded);
  EXPECT_EQ(reason_of_status("5.4.99"), Reason::kUnreachable);
  EXPECT_EQ(reason_of_status("5.0.0"), Reason::kUnknown);
  EXPECT_EQ(reason_of_status(""), Reason::kUnknown);
}

// RFC 3463 §3.3: X.2.0 says that it is of the mailbox, X.2.1 that it is closed.
TEST(Reason, ClaimsNothingOfAMailboxThatTheStatusDoesNotSay) {
  for (const char* status : {"4.2.0", "5.2.0", "5.2.4"}) {
    EXPECT_NE(reason_of_status(status), reason_of_status("5.2.1")) << status;
    EXPECT_EQ(reason_of_status(status), reason_of_status("5.2.0")) << status;
  }
  EXPECT_EQ(reason_of_status("4.2.1"), Reason::kMailboxDisabled);
  EXPECT_NE(reason_of_status("5.2.0"), Reason::kUnknown);
}

TEST(Reason, HasWordsInEveryLanguage) {
  for (const ReportLanguage language : {ReportLanguage::kEnglish, ReportLanguage::kGerman, ReportLanguage::kNorwegian}) {
    const ReportText& text = report_text(language);
    for (const ReasonText& reason : text.reasons) {
      EXPECT_TRUE(reason.what.ends_with('.') && is_valid_utf8(reason.what)) << reason.what;
      EXPECT_TRUE(reason.advice.ends_with('.') && is_valid_utf8(reason.advice)) << reason.advice;
    }
    for (const std::string_view subject : text.subject) EXPECT_FALSE(subject.empty());
    for (const std::string_view opening : text.opening) EXPECT_FALSE(opening.empty());
  }
}

}  // namespace
}  // namespace posthus::mail
