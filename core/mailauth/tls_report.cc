// TLSRPT records, reports as JSON and as mail. RFC 8460 §3, §4.4, §5.
#include "core/mailauth/tls_report.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "core/mailauth/tag_list.h"

namespace posthus::mailauth {
namespace {

constexpr std::size_t kMaxUri = 1024;        // longer than any sane endpoint
constexpr std::size_t kBase64Line = 57;      // bytes in a line of 76, RFC 2045 §6.8
constexpr std::size_t kMaxReportText = 500;  // of one text that another server chose

std::optional<std::string> percent_decode(std::string_view text) {
  const auto digit = [](char c) { return ascii::is_digit(c) ? c - '0' : ascii::to_lower(c) - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const std::string_view hex = text.substr(i + 1, 2);
    if (hex.size() != 2 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<char>(digit(hex[0]) * 16 + digit(hex[1])));
    i += 2;
  }
  return out;
}

// mailto: RFC 6068 §2; of its parts only the first address counts, header fields and further addresses do not.
std::optional<ReportEndpoint> parse_endpoint(std::string_view uri) {
  constexpr std::string_view kMailto = "mailto:", kHttps = "https://";
  if (uri.size() > kMaxUri || uri.find_first_of(" \t\"<>!") != std::string_view::npos) return std::nullopt;
  if (ascii::equal_ignoring_case(uri.substr(0, kHttps.size()), kHttps) && uri.size() > kHttps.size()) {
    return ReportEndpoint{ReportEndpoint::Kind::kHttps, std::string(uri)};
  }
  if (!ascii::equal_ignoring_case(uri.substr(0, kMailto.size()), kMailto)) return std::nullopt;
  uri.remove_prefix(kMailto.size());
  const auto decoded = percent_decode(uri.substr(0, uri.find('?')));
  if (!decoded) return std::nullopt;
  const auto address = mail::parse_mailbox(*decoded, mail::Utf8::kRefuse);
  if (!address) return std::nullopt;
  return ReportEndpoint{ReportEndpoint::Kind::kMail, mail::to_string(*address)};
}

void append_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text.substr(0, kMaxReportText)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20) {
      out += "\\u00";
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    } else {
      out += octet < 0x7F ? c : '?';
    }
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (out.back() != '{') out += ',';
  append_string(out, name);
  out += ':';
  append_string(out, text);
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  if (out.back() != '{') out += ',';
  append_string(out, name);
  out += ':' + std::to_string(number);
}

void append_texts(std::string& out, std::string_view name, const std::vector<std::string>& texts) {
  if (out.back() != '{') out += ',';
  append_string(out, name);
  out += ":[";
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    append_string(out, text);
  }
  out += ']';
}

void append_present(std::string& out, std::string_view name, const std::string& text) {
  if (!text.empty()) append_member(out, name, text);
}

void append_failure(std::string& out, const TlsFailure& failure) {
  out += '{';
  append_member(out, "result-type", failure.result_type);
  append_present(out, "sending-mta-ip", failure.sending_address);
  append_present(out, "receiving-mx-hostname", failure.receiving_host);
  append_present(out, "receiving-mx-helo", failure.receiving_greeting);
  append_present(out, "receiving-ip", failure.receiving_address);
  append_member(out, "failed-session-count", failure.count);
  append_present(out, "failure-reason-code", failure.reason);
  out += '}';
}

void append_policy(std::string& out, const TlsReportPolicy& policy) {
  out += R"({"policy":{)";
  append_member(out, "policy-type", policy.type);
  if (!policy.text.empty()) append_texts(out, "policy-string", policy.text);
  append_member(out, "policy-domain", policy.domain);
  if (!policy.mx_patterns.empty()) append_texts(out, "mx-host", policy.mx_patterns);
  out += R"(},"summary":{)";
  append_member(out, "total-successful-session-count", policy.successes);
  append_member(out, "total-failure-session-count", policy.failures);
  out += '}';
  if (!policy.details.empty()) {
    out += R"(,"failure-details":[)";
    for (const TlsFailure& failure : policy.details) {
      if (out.back() != '[') out += ',';
      append_failure(out, failure);
    }
    out += ']';
  }
  out += '}';
}

std::string base64_lines(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += kBase64Line) out += base64_encode(bytes.substr(i, kBase64Line)) + "\r\n";
  return out;
}

}  // namespace

// tlsrpt-record = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]
// tlsrpt-rua    = %s"rua=" tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri)
std::vector<ReportEndpoint> find_report_endpoints(const std::vector<std::string>& texts) {
  std::vector<ReportEndpoint> endpoints;
  const auto fields = find_only_record(texts, "v=TLSRPTv1");
  if (!fields) return endpoints;
  const auto rua = std::find_if(fields->begin(), fields->end(), [](const auto& field) { return field.first == "rua"; });
  std::string_view rest = rua == fields->end() ? std::string_view{} : std::string_view(rua->second);
  while (!rest.empty() && endpoints.size() < kMaxReportUris) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (auto endpoint = parse_endpoint(ascii::trim(rest.substr(0, comma)))) endpoints.push_back(std::move(*endpoint));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return endpoints;
}

std::string to_json(const TlsReport& report) {
  std::string out = "{";
  append_member(out, "organization-name", report.organization);
  out += R"(,"date-range":{)";
  append_member(out, "start-datetime", mail::format_rfc3339(report.begin));
  append_member(out, "end-datetime", mail::format_rfc3339(report.end));
  out += '}';
  append_member(out, "contact-info", report.contact);
  append_member(out, "report-id", report.id);
  out += R"(,"policies":[)";
  for (const TlsReportPolicy& policy : report.policies) {
    if (out.back() != '[') out += ',';
    append_policy(out, policy);
  }
  return out + "]}";
}

std::string report_filename(const TlsReport& report, std::string_view submitter, std::string_view domain) {
  return std::string(submitter) + "!" + std::string(domain) + "!" + std::to_string(report.begin.seconds()) + "!" +
         std::to_string(report.end.seconds()) + ".json.gz";
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for RFC 1952
  CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  CHECK(end == Z_STREAM_END);
  return out;
}

std::string compose_report_message(const TlsReport& report, std::string_view submitter_view, std::string_view domain_view,
                                   std::string_view recipient, Timestamp now) {
  const std::string submitter(submitter_view), domain(domain_view);
  const std::string id = report.id + "@" + submitter;
  const std::string boundary = "=_tlsrpt_" + to_hex(as_view(sha256(report.id))).substr(0, 32);
  std::string out = "From: TLS reports of " + submitter + " <" + report.contact + ">\r\n";
  out += "To: " + std::string(recipient) + "\r\nDate: " + mail::format_rfc5322_date(now) + "\r\nMessage-ID: <" + id + ">\r\n";
  out += "Subject: Report Domain: " + domain + "\r\n Submitter: " + submitter + "\r\n Report-ID: <" + id + ">\r\n";
  out += "TLS-Report-Domain: " + domain + "\r\nTLS-Report-Submitter: " + submitter + "\r\nAuto-Submitted: auto-generated\r\n";
  out += "TLS-Required: No\r\n";  // RFC 8689 §3, for hosts on the way: RFC 8460 §3 wants it delivered despite TLS failures
  out += "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  out += "--" + boundary +
         "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is an aggregate TLS report (RFC 8460) from " + submitter +
         " about " + domain + ".\r\n\r\n";
  out += "--" + boundary + "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n";
  out += "Content-Disposition: attachment;\r\n filename=\"" + report_filename(report, submitter, domain) + "\"\r\n\r\n";
  out += base64_lines(gzip(to_json(report))) + "\r\n--" + boundary + "--\r\n";
  return out;
}

}  // namespace posthus::mailauth
