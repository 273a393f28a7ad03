// Log lines: formatted into one buffer, written by one write(2), so lines of several threads never mix (a pipe keeps
// writes of up to PIPE_BUF bytes whole; lines are cut to that). Values from the network are escaped: no control bytes, no
// broken UTF-8 reach a terminal or a JSON parser. Any thread.
#include "core/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <ctime>

#include "core/base/log_line.h"
#include "core/base/log_ring.h"

namespace posthus::log {
namespace {

std::atomic<Level> lowest_level{Level::kInfo};
std::atomic<Format> line_format{Format::kText};

constexpr std::size_t kLongestLine = PIPE_BUF;
constexpr std::size_t kLongestValue = 512;  // enough for any address, path or reply; keeps one field from filling the line
constexpr std::string_view kCutText = " cut=yes";
constexpr std::string_view kCutJson = ",\"cut\":true";

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "unknown";
}

/// The length of the well-formed UTF-8 sequence at `text[at]` (RFC 3629 §4), or 0; C1 controls count as malformed.
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first == 0xC2) return byte(1) >= 0xA0 && is_tail(1) ? 2 : 0;
  if (first >= 0xC3 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return is_tail(1) && is_tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return is_tail(1) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped_byte(std::string& out, unsigned char byte, Format format) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (format == Format::kJson && byte >= 0x80) {
    out += "\\ufffd";
    return;
  }
  out += format == Format::kJson ? "\\u00" : "\\x";
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

void append_quoted(std::string& out, std::string_view text, Format format) {
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t sequence = utf8_sequence(text, i);
    if (sequence > 0) {
      out.append(text.substr(i, sequence));
      i += sequence;
      continue;
    }
    ++i;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c >= 0x20 && c < 0x7F) {
          out.push_back(c);
        } else {
          append_escaped_byte(out, static_cast<unsigned char>(c), format);
        }
    }
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void append_field(std::string& out, const Field& field, Format format) {
  const std::string_view value = std::string_view(field.value).substr(0, kLongestValue);
  if (format == Format::kJson) {
    out.push_back(',');
    append_quoted(out, field.key, format);
    out.push_back(':');
    if (field.is_number) {
      out += value;
    } else {
      append_quoted(out, value, format);
    }
    return;
  }
  out.append(" ").append(field.key).append("=");
  if (is_plain(value)) {
    out += value;
  } else {
    append_quoted(out, value, format);
  }
}

/// RFC 3339 §5.6 in UTC with milliseconds.
void append_time(std::string& out, Timestamp time) {
  thread_local std::int64_t cached_second = -1;
  thread_local char cached[24] = {};
  if (time.seconds() != cached_second) {
    cached_second = time.seconds();
    const std::time_t seconds = cached_second;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::strftime(cached, sizeof cached, "%Y-%m-%dT%H:%M:%S", &parts);
  }
  const auto milliseconds = static_cast<int>(time.microseconds / 1000 % 1000);
  const auto digit = [&](int unit) { return static_cast<char>('0' + milliseconds / unit % 10); };
  out.append(cached).append({'.', digit(100), digit(10), digit(1), 'Z'});
}

}  // namespace

Field::Field(std::string_view k, std::int64_t v) : key(k), value(std::to_string(v)), is_number(true) {}
Field::Field(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)), is_number(true) {}

void configure(Level lowest, Format format) {
  lowest_level.store(lowest, std::memory_order_relaxed);
  line_format.store(format, std::memory_order_relaxed);
}

bool is_enabled(Level level) { return level >= lowest_level.load(std::memory_order_relaxed); }

void append_line(std::string& out, Timestamp time, Level level, std::string_view event, std::initializer_list<Field> fields,
                 Format format) {
  const bool is_json = format == Format::kJson;
  if (is_json) out += "{\"time\":\"";
  append_time(out, time);
  out.append(is_json ? "\",\"level\":\"" : " ").append(to_string(level));
  out.append(is_json ? "\",\"event\":\"" : " ").append(event);
  if (is_json) out.push_back('"');
  constexpr std::size_t kTail = 16;  // room for the mark of a cut line, the brace and the newline
  for (const Field& field : fields) {
    const std::size_t before = out.size();
    append_field(out, field, format);
    if (out.size() + kTail <= kLongestLine) continue;
    out.resize(before);
    out += is_json ? kCutJson : kCutText;
    break;
  }
  out += is_json ? "}\n" : "\n";
}

namespace {

/// `json`: the line, if it was formatted so already.
void keep(Level level, std::string_view event, std::initializer_list<Field> fields, Timestamp now, std::string_view json) {
  if (!are_lines_kept()) return;
  thread_local std::string line;
  if (json.empty()) {
    line.clear();
    append_line(line, now, level, event, fields, Format::kJson);
    json = line;
  }
  json.remove_suffix(1);  // the newline
  keep_line(level, json);
}

}  // namespace

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!is_enabled(level)) return;
  thread_local std::string line;
  line.clear();
  const Timestamp now = SystemClock().now();
  const Format format = line_format.load(std::memory_order_relaxed);
  append_line(line, now, level, event, fields, format);
  keep(level, event, fields, now, format == Format::kJson ? std::string_view(line) : std::string_view());
  ssize_t written;
  do {
    written = ::write(STDERR_FILENO, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
}

}  // namespace posthus::log
