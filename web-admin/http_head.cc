// Parsing of request heads. RFC 9112 §2.2, §3, §5, §6; RFC 9110 §5.5, §5.6.2, §10.1.1.
#include "web-admin/http_head.h"

#include <array>

#include "core/base/ascii.h"

namespace posthus::web_admin {
namespace {

std::unexpected<Refusal> refuse(int status, std::string_view detail) { return std::unexpected(Refusal{status, detail}); }

// token = 1*tchar (RFC 9110 §5.6.2)
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && kMarks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

// field-value: VCHAR, obs-text, SP and HTAB (RFC 9110 §5.5).
bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x7f || (byte < 0x20 && c != '\t')) return false;
  }
  return true;
}

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  for (const std::string_view known : kMethods) {
    if (method == known) return true;
  }
  return false;
}

// absolute-form must be accepted from any client (RFC 9112 §3.2.2); the rest of it is the origin-form.
std::string_view to_origin_form(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (target.size() < scheme.size() || !ascii::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t path = target.find('/');
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return target;
}

// request-line = method SP request-target SP HTTP-version (RFC 9112 §3)
std::expected<void, Refusal> request_line(std::string_view line, HttpHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "The request line is malformed.");
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method)) return refuse(400, "The request line is malformed.");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !ascii::is_digit(version[5]) || version[6] != '.' ||
      !ascii::is_digit(version[7])) {
    return refuse(400, "The request line is malformed.");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505, "Only HTTP/1.1 is spoken here.");
  if (!is_known_method(method)) return refuse(501, "The method is not known.");
  if (target.size() > kMaxTarget) return refuse(414, "The request target is too long.");
  target = to_origin_form(target);
  if (!target.starts_with('/')) return refuse(400, "The request target must begin with '/'.");
  for (const char c : target) {
    if (c <= ' ' || c > '~') return refuse(400, "The request target holds a forbidden byte.");
  }
  head.method = method;
  head.target = target;
  head.is_http_1_0 = version == "HTTP/1.0";
  head.keeps_alive = !head.is_http_1_0;
  return {};
}

struct Seen {
  bool host = false, transfer_encoding = false, authorization = false, content_type = false;
};

// Connection = #connection-option (RFC 9110 §7.6.1)
void connection(std::string_view value, HttpHead& head) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = ascii::trim(value.substr(0, comma));
    if (ascii::equal_ignoring_case(option, "close")) head.keeps_alive = false;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

std::expected<void, Refusal> take_once(bool& seen, std::string_view value, std::string& into, std::string_view detail) {
  if (seen) return refuse(400, detail);
  seen = true;
  into = value;
  return {};
}

std::string* field_of_browser(std::string_view name, HttpHead& head) {
  const auto is = [name](std::string_view known) { return ascii::equal_ignoring_case(name, known); };
  if (is("Cookie")) return &head.cookie;
  if (is("Origin")) return &head.origin;
  if (is("Sec-Fetch-Site")) return &head.fetch_site;
  if (is("User-Agent")) return &head.user_agent;
  if (is("Accept-Encoding")) return &head.accept_encoding;
  if (is("If-None-Match")) return &head.if_none_match;
  return nullptr;
}

std::string* field_of_proxy(std::string_view name, HttpHead& head) {
  const auto is = [name](std::string_view known) { return ascii::equal_ignoring_case(name, known); };
  if (is("Forwarded")) return &head.forwarded;
  if (is("X-Forwarded-For")) return &head.x_forwarded_for;
  if (is("X-Forwarded-Proto")) return &head.x_forwarded_proto;
  if (is("X-Forwarded-Host")) return &head.x_forwarded_host;
  return nullptr;
}

std::expected<void, Refusal> field(std::string_view name, std::string_view value, HttpHead& head, Seen& seen) {
  const auto is = [name](std::string_view known) { return ascii::equal_ignoring_case(name, known); };
  if (is("Host")) return take_once(seen.host, value, head.host, "There is more than one Host field.");
  if (is("Authorization"))
    return take_once(seen.authorization, value, head.authorization, "There is more than one Authorization field.");
  if (is("Content-Type"))
    return take_once(seen.content_type, value, head.content_type, "There is more than one Content-Type field.");
  if (std::string* const browser_field = field_of_browser(name, head)) {
    // WHY: HTTP/2 clients behind a proxy may split Cookie (RFC 9113 §8.2.3); of the others the last one counts.
    if (browser_field == &head.cookie && !head.cookie.empty())
      browser_field->append("; ").append(value);
    else
      *browser_field = value;
  }
  if (std::string* const list = field_of_proxy(name, head)) list->append(list->empty() ? "" : ", ").append(value);
  if (is("X-Posthus-Panel")) head.is_from_panel = true;
  if (is("Transfer-Encoding")) seen.transfer_encoding = true;
  if (is("Connection")) connection(value, head);
  if (is("Content-Length")) {
    // WHY: a second Content-Length is refused even when it says the same; nobody honest sends it (RFC 9112 §6.3).
    if (head.content_length) return refuse(400, "There is more than one Content-Length field.");
    head.content_length = ascii::parse_decimal<std::uint64_t>(value);
    if (!head.content_length) return refuse(400, "Content-Length is not a number.");
  }
  if (is("Expect")) {
    if (!ascii::equal_ignoring_case(value, "100-continue")) return refuse(417, "Only 100-continue can be expected.");
    head.expects_continue = true;
  }
  return {};
}

// field-line = field-name ":" OWS field-value OWS (RFC 9112 §5)
std::expected<void, Refusal> field_line(std::string_view line, HttpHead& head, Seen& seen) {
  if (ascii::is_space_or_tab(line.front())) return refuse(400, "Folded header fields are not accepted.");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return refuse(400, "A header field is malformed.");
  const std::string_view value = ascii::trim(line.substr(colon + 1));
  if (!is_field_value(value)) return refuse(400, "A header field holds a forbidden byte.");
  return field(line.substr(0, colon), value, head, seen);
}

std::expected<void, Refusal> check_framing(const HttpHead& head, const Seen& seen) {
  if (seen.transfer_encoding && (head.content_length || head.is_http_1_0)) {
    return refuse(400, "Transfer-Encoding is not accepted with Content-Length or HTTP/1.0.");  // RFC 9112 §6.1
  }
  if (seen.transfer_encoding) return refuse(411, "Send Content-Length instead of Transfer-Encoding.");
  if (!head.is_http_1_0 && !seen.host) return refuse(400, "The Host field is missing.");
  return {};
}

}  // namespace

std::expected<HttpHead, Refusal> parse_head(std::string_view bytes) {
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // RFC 9112 §2.2
  HttpHead head;
  Seen seen;
  std::size_t fields = 0;
  bool is_first = true;
  while (true) {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return refuse(400, "The request head is incomplete.");
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (line.empty() && !is_first) break;
    if (!is_first && ++fields > kMaxFields) return refuse(431, "There are too many header fields.");
    const auto parsed = is_first ? request_line(line, head) : field_line(line, head, seen);
    if (!parsed) return std::unexpected(parsed.error());
    is_first = false;
  }
  if (const auto framed = check_framing(head, seen); !framed) return std::unexpected(framed.error());
  return head;
}

HeadScanner::State HeadScanner::scan(std::string_view bytes, std::size_t& taken) {
  for (taken = 0; taken < bytes.size();) {
    const char c = bytes[taken++];
    const bool follows_cr = matched_ == 1 || matched_ == 3;
    if (c == '\n' && !follows_cr) return State::kBareLineFeed;
    if (c == '\r') {
      matched_ = matched_ == 2 ? 3 : 1;
    } else if (c == '\n') {
      ++matched_;
    } else {
      matched_ = 0;
    }
    if (matched_ == 4) return State::kComplete;
  }
  return State::kIncomplete;
}

}  // namespace posthus::web_admin
