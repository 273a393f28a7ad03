// TLSRPT: where a domain wants reports about TLS to it, and the report itself. RFC 8460 §3, §4.4, §4.5, §5.1, §5.3.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::mailauth {

/// The endpoints of the one valid record among the TXT records of _smtp._tls.DOMAIN, in its order, at most kMaxReportUris:
/// "mailto:" ones as the address, "https:" ones as the whole URI. Others are left out.
struct ReportEndpoint {
  enum class Kind : std::uint8_t { kMail, kHttps };
  Kind kind = Kind::kMail;
  std::string target;
};
std::vector<ReportEndpoint> find_report_endpoints(const std::vector<std::string>& texts);
inline constexpr std::size_t kMaxReportUris = 4;

/// RFC 8460 §4.4; texts are cleaned, whatever another server said: I-JSON has no broken UTF-8.
struct TlsFailure {
  std::string result_type;                                                             // "certificate-expired"
  std::string sending_address, receiving_host, receiving_greeting, receiving_address;  // empty: left out
  std::uint64_t count = 0;
  std::string reason;
};
struct TlsReportPolicy {
  std::string type;               // "tlsa", "sts", "no-policy-found"
  std::vector<std::string> text;  // §4.5; empty: left out
  std::string domain;
  std::vector<std::string> mx_patterns;  // of "sts"
  std::uint64_t successes = 0, failures = 0;
  std::vector<TlsFailure> details;
};
struct TlsReport {
  std::string organization, contact, id;
  Timestamp begin, end;  // a day of UTC, the end included
  std::vector<TlsReportPolicy> policies;
};
std::string to_json(const TlsReport& report);

/// §5.1: "mail.sender.example!example.net!1470013207!1470186007!001.json.gz"
std::string report_filename(const TlsReport& report, std::string_view submitter, std::string_view domain);
/// §5.2; a gzip stream (RFC 1952).
std::string gzip(std::string_view bytes);
/// The message of §5.3 with CRLF. `submitter`: the domain of `report.contact`; `now`: the Date.
std::string compose_report_message(const TlsReport& report, std::string_view submitter, std::string_view domain,
                                   std::string_view recipient, Timestamp now);

}  // namespace posthus::mailauth
