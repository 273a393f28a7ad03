// /api/v1/logs: the last lines of the log, filtered, with a cursor to follow them. Asking again when nothing is new costs next to
// nothing, so who follows asks every second or so; nothing waits here, because what waits would hold a worker.
#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/log_ring.h"
#include "core/base/queue_id.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

struct LogFilter {
  log::Level lowest = log::Level::kDebug;
  std::string text;      // lower case; anywhere in the line
  std::string protocol;  // `"event":"smtp.` or `"protocol":"smtp"`
  std::string id;        // `"id":"..."`
};

// Values of a line are escaped, so what stands in quotes like this is a field and cannot be a part of a value.
std::string log_field(std::string_view name, std::string_view value) {
  return std::string(",\"").append(name).append("\":\"").append(value);
}

bool contains_ignoring_case(std::string_view line, std::string_view lower) {
  const auto is_same = [](char a, char b) { return ascii::to_lower(a) == b; };
  return std::ranges::search(line, lower, is_same).begin() != line.end();
}

bool line_matches(const LogFilter& filter, log::Level level, std::string_view line) {
  if (level < filter.lowest) return false;
  if (!filter.id.empty() && line.find(log_field("id", filter.id) + "\"") == std::string_view::npos) return false;
  if (!filter.protocol.empty() && line.find(log_field("event", filter.protocol) + ".") == std::string_view::npos &&
      line.find(log_field("protocol", filter.protocol) + "\"") == std::string_view::npos) {
    return false;
  }
  return filter.text.empty() || contains_ignoring_case(line, filter.text);
}

/// Only letters, digits and '-', '_': nothing that JSON would write in another way.
bool is_word(std::string_view text) {
  return text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_'; });
}

Result<LogFilter> filter_of(const Target& target) {
  LogFilter filter;
  if (const std::string* const level = target.parameter("level")) {
    constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};
    const auto found = std::ranges::find(kLevels, *level);
    if (found == std::end(kLevels)) return fail(ErrorKind::kInvalid, "parameter 'level' must be debug, info, warning or error");
    filter.lowest = static_cast<log::Level>(found - kLevels);
  }
  for (auto [name, value] : {std::pair("protocol", &filter.protocol), std::pair("id", &filter.id)}) {
    const std::string* const given = target.parameter(name);
    if (!given) continue;
    if (!is_word(*given)) return fail(ErrorKind::kInvalid, std::string("parameter '") + name + "' must be a word");
    *value = *given;
  }
  if (const std::string* const text = target.parameter("text")) {
    if (text->size() > kMaxSearchText) return fail(ErrorKind::kInvalid, "parameter 'text' is too long");
    filter.text = ascii::to_lower(*text);
  }
  return filter;
}

/// A cursor names the process as well: another one counts its lines from the beginning.
struct Cursor {
  std::int64_t started = 0;
  std::uint64_t number = 0;
};
std::string cursor_text(const Cursor& cursor) { return std::to_string(cursor.started) + "-" + std::to_string(cursor.number); }
std::optional<Cursor> parse_cursor(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto started = ascii::parse_decimal<std::uint64_t>(text.substr(0, dash));
  const auto number = ascii::parse_decimal<std::uint64_t>(text.substr(dash + 1));
  if (!started || *started > INT64_MAX || !number) return std::nullopt;
  return Cursor{static_cast<std::int64_t>(*started), *number};
}

/// The queue id of the line, if it has one: what the trace knows it by.
std::string_view trace_id(std::string_view line) {
  const std::string start = log_field("id", "");
  const std::size_t at = line.find(start);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + start.size());
  const std::string_view id = rest.substr(0, rest.find('"'));
  return parse_queue_id(id) ? id : std::string_view{};
}

struct Line {
  std::uint64_t number;
  std::string json;
};

void append_line(JsonWriter& json, const Line& line) {
  json.begin_object().key("number").number(line.number).key("trace");
  if (const std::string_view id = trace_id(line.json); !id.empty()) {
    json.text(id);
  } else {
    json.null();
  }
  json.key("line").raw(line.json).end_object();
}

Result<Response> list_log_lines(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"level", "text", "protocol", "id", "limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const LogFilter filter = POSTHUS_TRY(filter_of(call.target));
  const std::int64_t started = call.context.started.seconds();
  const bool follows = !range.after.empty();
  const auto cursor = follows ? parse_cursor(range.after) : Cursor{started, 0};
  if (!cursor) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'follow'");
  const std::uint64_t after = cursor->started == started ? cursor->number : 0;
  std::vector<Line> lines;
  std::uint64_t seen = 0;
  const auto take = [&](std::uint64_t number, log::Level level, std::string_view line) {
    seen = number;
    if (line_matches(filter, level, line)) lines.push_back({number, std::string(line)});
    // Who follows gets the next ones and asks again; who begins gets the last ones.
    if (!follows && lines.size() > range.limit) lines.erase(lines.begin());
    return !follows || lines.size() < range.limit;
  };
  const std::uint64_t last = log::kept_lines(after, take);
  const bool is_whole = !follows || lines.size() < range.limit;
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const Line& line : lines) append_line(json, line);
  const Cursor follow{started, is_whole ? std::max(last, after) : seen};
  json.end_array().key("follow").text(base64url_encode(cursor_text(follow)));
  return json_response(200, json.end_object().take());
}

}  // namespace

Response list_logs(const Call& call) { return answer(list_log_lines(call)); }

}  // namespace posthus::web_admin
