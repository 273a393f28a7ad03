// Received and Return-Path fields (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3). Thread rule: pure functions.
// WHY: what the client says about itself is cleaned, so that a greeting can never write header lines or comments of its own.
#include "core/mail/trace.h"

#include "core/base/ascii.h"
#include "core/mail/date_time.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxClauseText = 255;  // a domain's length; keeps every line below RFC 5322's 998

/// `text` with everything that is not allowed in a domain or address literal replaced by '?'.
std::string clean_domain(std::string_view text) {
  std::string out(text.substr(0, kMaxClauseText));
  for (char& c : out) {
    const bool allowed =
        ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
    if (!allowed) c = '?';
  }
  return out.empty() ? "unknown" : out;
}

/// `text` as ccontent: printable ASCII without parentheses and backslash.
std::string clean_comment(std::string_view text) {
  std::string out(text.substr(0, kMaxClauseText));
  for (char& c : out) {
    if (c < ' ' || c > '~' || c == '(' || c == ')' || c == '\\') c = '?';
  }
  return out;
}

/// An address literal (RFC 5321 §4.1.3) of an address that is text already.
std::string bracketed(std::string_view address) {
  const std::string_view tag = address.find(':') != std::string_view::npos ? "IPv6:" : "";
  return "[" + std::string(tag) + clean_domain(address) + "]";
}

}  // namespace

// Time-stamp-line = "Received:" FWS Stamp <CRLF>
// Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
std::string received_field(const ReceivedFacts& facts) {
  std::string out = "Received: ";
  if (!facts.helo.empty() || !facts.remote_address.empty()) {
    out += "from " + clean_domain(facts.helo);
    if (!facts.remote_address.empty()) out += " (" + bracketed(facts.remote_address) + ")";
    out += "\r\n\t";
  }
  out += "by " + clean_domain(facts.hostname);
  if (!facts.with.empty()) out += " with " + clean_domain(facts.with);
  if (!facts.tls.empty()) out += "\r\n\t(" + clean_comment(facts.tls) + ")";
  if (!facts.id.empty()) out += "\r\n\tid " + clean_domain(facts.id);
  if (facts.recipient) out += "\r\n\tfor <" + to_string(*facts.recipient) + ">";
  out += ";\r\n\t" + format_rfc5322_date(facts.time) + "\r\n";
  return out;
}

// Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>
std::string return_path_field(const std::optional<Address>& reverse_path) {
  return "Return-Path: <" + (reverse_path ? to_string(*reverse_path) : std::string()) + ">\r\n";
}

}  // namespace posthus::mail
