// TLSRPT: records, the report of RFC 8460 Appendix B, its mail. RFC 8460 §3, §4.4, §5.
#include "core/mailauth/tls_report.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "core/base/base64.h"

namespace posthus::mailauth {
namespace {

using Texts = std::vector<std::string>;

Texts targets(const Texts& texts) {
  Texts out;
  for (const auto& endpoint : find_report_endpoints(texts)) {
    out.push_back((endpoint.kind == ReportEndpoint::Kind::kMail ? "mail " : "https ") + endpoint.target);
  }
  return out;
}

TEST(ReportRecordTest, TheExamplesOfTheRfcAreRead) {
  EXPECT_EQ(targets({"v=TLSRPTv1;rua=mailto:reports@example.com"}), Texts{"mail reports@example.com"});
  EXPECT_EQ(targets({"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"}),
            Texts{"https https://reporting.example.com/v1/tlsrpt"});
}

TEST(ReportRecordTest, SeveralEndpointsAreTakenAsFarAsTheyAreUnderstood) {
  EXPECT_EQ(targets({"v=TLSRPTv1; rua=mailto:a@example.com , "
                     "https://b.example/,ftp://c.example/,mailto:nobody,MAILTO:d%2be@example.com?subject=x; x=y"}),
            (Texts{"mail a@example.com", "https https://b.example/", "mail d+e@example.com"}));
  EXPECT_EQ(
      targets({"v=TLSRPTv1; rua=mailto:a@b.example,mailto:b@b.example,mailto:c@b.example,mailto:d@b.example,mailto:e@b.example"})
          .size(),
      kMaxReportUris);
}

TEST(ReportRecordTest, NoneOrTwoOrBrokenRecordsGiveNoEndpoint) {
  for (const Texts& texts : {Texts{}, Texts{"v=TLSRPTv1"}, Texts{"v=TLSRPTv1; rua="}, Texts{"v=TLSRPTv2; rua=mailto:a@b.example"},
                             Texts{"v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example"},
                             Texts{"v=TLSRPTv1; rua=mailto:a%0d%0ab@b.example"}, Texts{"v=TLSRPTv1; rua=mailto:a%4"},
                             Texts{"v=TLSRPTv1; rua=https://a b.example/"}, Texts{"v=TLSRPTv1; rua=https://"}}) {
    EXPECT_TRUE(targets(texts).empty()) << ::testing::PrintToString(texts);
  }
}

TlsReport example() {
  TlsReport report{.organization = "Company-X",
                   .contact = "sts-reporting@company-x.example",
                   .id = "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
                   .begin = Timestamp::from_seconds(1'459'468'800),
                   .end = Timestamp::from_seconds(1'459'555'199),
                   .policies = {}};
  TlsReportPolicy policy{.type = "sts",
                         .text = {"version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"},
                         .domain = "company-y.example",
                         .mx_patterns = {"*.mail.company-y.example"},
                         .successes = 5326,
                         .failures = 303,
                         .details = {}};
  policy.details.push_back({.result_type = "certificate-expired",
                            .sending_address = "2001:db8:abcd:12::1",
                            .receiving_host = "mx1.mail.company-y.example",
                            .count = 100});
  policy.details.push_back({.result_type = "validation-failure",
                            .receiving_address = "203.0.113.58",
                            .count = 3,
                            .reason = "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"});
  report.policies.push_back(policy);
  return report;
}

TEST(TlsReportTest, TheExampleOfTheRfcIsMade) {
  EXPECT_EQ(
      to_json(example()),
      R"({"organization-name":"Company-X","date-range":{"start-datetime":"2016-04-01T00:00:00Z","end-datetime":"2016-04-01T23:59:59Z"},)"
      R"("contact-info":"sts-reporting@company-x.example","report-id":"5065427c-23d3-47ca-b6e0-946ea0e8c4be","policies":[{"policy":{)"
      R"("policy-type":"sts","policy-string":["version: STSv1","mode: testing","mx: *.mail.company-y.example","max_age: 86400"],)"
      R"("policy-domain":"company-y.example","mx-host":["*.mail.company-y.example"]},"summary":{"total-successful-session-count":5326,)"
      R"("total-failure-session-count":303},"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"2001:db8:abcd:12::1",)"
      R"("receiving-mx-hostname":"mx1.mail.company-y.example","failed-session-count":100},{"result-type":"validation-failure",)"
      R"("receiving-ip":"203.0.113.58","failed-session-count":3,"failure-reason-code":"X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]}]})");
}

TEST(TlsReportTest, WhatOthersSaidCannotBreakTheReport) {
  TlsReport report = example();
  report.policies[0].details[0].receiving_greeting = "a\"b\\c\r\n\x01\xff";
  EXPECT_NE(to_json(report).find(R"("receiving-mx-helo":"a\"b\\c\u000d\u000a\u0001?")"), std::string::npos) << to_json(report);
  report.policies[0].details[0].receiving_greeting = std::string(100'000, 'x');
  EXPECT_LT(to_json(report).size(), 3000u);
}

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(100'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(TlsReportTest, TheMailCarriesTheReportCompressed) {
  const TlsReport report = example();
  const std::string mail = compose_report_message(report, "company-x.example", "company-y.example", "tlsrpt@company-y.example",
                                                  Timestamp::from_seconds(1'459'560'000));
  EXPECT_NE(mail.find("Subject: Report Domain: company-y.example\r\n Submitter: company-x.example\r\n Report-ID: "
                      "<5065427c-23d3-47ca-b6e0-946ea0e8c4be@company-x.example>\r\n"),
            std::string::npos);
  EXPECT_NE(mail.find("TLS-Report-Domain: company-y.example\r\nTLS-Report-Submitter: company-x.example\r\n"), std::string::npos);
  EXPECT_NE(mail.find("filename=\"company-x.example!company-y.example!1459468800!1459555199.json.gz\""), std::string::npos);
  const std::size_t begin = mail.find("\r\n\r\n", mail.find("application/tlsrpt+gzip")) + 4;
  std::string encoded = mail.substr(begin, mail.find("\r\n--", begin) - begin);
  std::erase(encoded, '\r');
  std::erase(encoded, '\n');
  const auto decoded = base64_decode(encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(gunzip(*decoded), to_json(report));
  for (std::size_t i = 0; i < mail.size(); ++i) {
    if (mail[i] == '\n') EXPECT_EQ(mail[i - 1], '\r');
  }
}

}  // namespace
}  // namespace posthus::mailauth
