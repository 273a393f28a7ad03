// HTTP/1.x responses: RFC 9112 §4 (status line), §5 (fields), §6.3 (length), §7.1 (chunked).
#include "core/main/http_response.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::main {
namespace {

constexpr std::uint16_t kNoContent = 204;

struct Head {
  HttpResponse response;
  std::optional<std::uint64_t> length;
  bool is_chunked = false;
  std::string_view body;  // what stands behind it
};

std::string_view take_line(std::string_view& bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  std::string_view line = bytes.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return line;
}

// status-line = HTTP-version SP status-code SP [ reason-phrase ]
std::optional<std::uint16_t> parse_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  return ascii::parse_decimal<std::uint16_t>(line.substr(9, 3));
}

bool add_field(std::string_view line, Head& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon), value = ascii::trim(line.substr(colon + 1));
  if (ascii::equal_ignoring_case(name, "content-length")) {
    const auto length = ascii::parse_decimal<std::uint64_t>(value);
    if (!length || (head.length && *head.length != *length)) return false;
    head.length = length;
  } else if (ascii::equal_ignoring_case(name, "transfer-encoding")) {
    if (!ascii::equal_ignoring_case(value, "chunked") || head.is_chunked) return false;
    head.is_chunked = true;
  } else if (ascii::equal_ignoring_case(name, "content-type")) {
    head.response.content_type = ascii::to_lower(ascii::trim(value.substr(0, value.find(';'))));
  } else if (ascii::equal_ignoring_case(name, "location")) {
    head.response.location = value;
  } else if (ascii::equal_ignoring_case(name, "retry-after")) {
    head.response.retry_after = value;
  } else if (ascii::equal_ignoring_case(name, "replay-nonce")) {
    head.response.replay_nonce = value;
  } else if (ascii::equal_ignoring_case(name, "date")) {
    head.response.date = value;
  }
  return true;
}

std::optional<Head> parse_head(std::string_view bytes) {
  Head head;
  const std::string_view all = bytes;
  const auto status = parse_status_line(take_line(bytes));
  if (!status) return std::nullopt;
  head.response.status = *status;
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    if (all.size() - bytes.size() > kMaxResponseHead) return std::nullopt;
    if (line.empty()) {
      head.body = bytes;
      // RFC 9112 §6.3: both is an attempt at smuggling.
      return head.is_chunked && head.length ? std::nullopt : std::optional(std::move(head));
    }
    if (!add_field(line, head)) return std::nullopt;
  }
  return std::nullopt;  // no end of the fields
}

// chunked-body = *chunk last-chunk trailer-section CRLF; the trailer is not read. Nothing: cut off or broken.
Result<std::string> decode_chunks(std::string_view bytes, std::size_t limit) {
  std::string body;
  for (;;) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return fail(ErrorKind::kInvalid, "the response is cut off");
    const std::string_view line = take_line(bytes);
    std::uint32_t size = 0;
    const char* const last = line.data() + std::min(line.find(';'), line.size());
    const auto [stop, error] = std::from_chars(line.data(), last, size, 16);
    if (error != std::errc{} || ascii::trim({stop, static_cast<std::size_t>(last - stop)}) != "") {
      return fail(ErrorKind::kInvalid, "a chunk without a size");
    }
    if (size == 0) {
      // The trailer section ends with an empty line.
      for (;;) {
        if (bytes.find('\n') == std::string_view::npos) return fail(ErrorKind::kInvalid, "the response is cut off");
        if (take_line(bytes).empty()) return body;
      }
    }
    if (size > limit - body.size()) return fail(ErrorKind::kTooLarge, "the response is too large");
    if (bytes.size() < size) return fail(ErrorKind::kInvalid, "the response is cut off");
    body += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (!take_line(bytes).empty()) return fail(ErrorKind::kInvalid, "a chunk is longer than it says");
  }
}

}  // namespace

bool is_complete_response(std::string_view bytes, BodyRule rule) {
  const auto head = parse_head(bytes);
  if (!head) return false;
  if (rule == BodyRule::kNone || head->response.status == kNoContent) return true;
  if (head->is_chunked) return decode_chunks(head->body, bytes.size()).has_value();
  return head->length && head->body.size() >= *head->length;
}

Result<HttpResponse> parse_response(std::string_view bytes, std::size_t limit, BodyRule rule) {
  auto head = parse_head(bytes);
  if (!head) return fail(ErrorKind::kInvalid, "no HTTP response");
  HttpResponse& response = head->response;
  if (rule == BodyRule::kNone || response.status == kNoContent) return std::move(response);
  if (head->is_chunked) {
    response.body = POSTHUS_TRY(decode_chunks(head->body, limit));
    return std::move(response);
  }
  if (head->length.value_or(head->body.size()) > limit) return fail(ErrorKind::kTooLarge, "the response is too large");
  if (head->length && head->body.size() < *head->length) return fail(ErrorKind::kInvalid, "the response is cut off");
  response.body = head->body.substr(0, head->length.value_or(head->body.size()));
  return std::move(response);
}

}  // namespace posthus::main
