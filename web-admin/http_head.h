// The head of an HTTP/1.1 request: request line and fields (RFC 9112 §3, §5; RFC 9110 §5). Strict where leniency lets two
// parsers disagree about where a request ends (request smuggling): bare LF, folded lines, space before the colon,
// repeated or odd Content-Length, Content-Length with Transfer-Encoding are all refused.
// Known limits: no Transfer-Encoding at all (411), no authority-form and asterisk-form.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::web_admin {

inline constexpr std::size_t kMaxHead = 16 * 1024;  // browsers stay below 8 KiB; bounds what an unknown client can make us keep
inline constexpr std::size_t kMaxTarget = 2048;     // longest of ours is below 500; also bounds percent-decoding
inline constexpr std::size_t kMaxFields = 100;      // bounds the fields looked at

/// Why a request is refused before any handler sees it: the status code and one sentence for the client.
struct Refusal {
  int status = 400;
  std::string_view detail;  // static text
};

struct HttpHead {
  std::string method, target;  // target in origin-form
  bool is_http_1_0 = false;
  bool keeps_alive = true;  // RFC 9112 §9.3
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;
  std::string host, authorization, content_type;
  // What only browsers send; hostile like all else.
  std::string cookie, origin, fetch_site, user_agent, accept_encoding, if_none_match;
  // What proxies say of the client (web-admin/forwarded.h); several fields of a name as one list.
  std::string forwarded, x_forwarded_for, x_forwarded_proto, x_forwarded_host;
  bool is_from_panel = false;  // the field X-Posthus-Panel is there: no other site can make a browser send it
};

/// Parses a complete head including the empty line at its end.
std::expected<HttpHead, Refusal> parse_head(std::string_view head);

/// Finds the end of the head while bytes arrive; looks at each byte once.
class HeadScanner {
 public:
  enum class State : std::uint8_t { kIncomplete, kComplete, kBareLineFeed };
  /// Looks at `bytes`, which follow what was shown before; `taken` becomes how many belong to the head.
  State scan(std::string_view bytes, std::size_t& taken);

 private:
  std::uint8_t matched_ = 0;  // how much of CR LF CR LF stands at the end of what was seen
};

}  // namespace posthus::web_admin
