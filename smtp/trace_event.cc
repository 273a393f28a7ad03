// JSON of the trace. RFC 8259 §7, RFC 3629. Thread rule: not shared between threads.
#include "smtp/trace_event.h"

#include <algorithm>

#include "core/mail/date_time.h"

namespace posthus::smtp {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the UTF-8 character at `at`, 0 when there is none (the surrogates and overlong forms of 3 and 4 bytes are not
// looked for: readers replace them).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 && first < 0xF5   ? 4
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xC2 && first < 0xE0 ? 2
                                                             : 0;
  if (length == 0 || at + length > text.size()) return 0;
  const std::string_view rest = text.substr(at + 1, length - 1);
  return std::all_of(rest.begin(), rest.end(), is_continuation) ? length : 0;
}

void append_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (std::size_t i = 0; i < text.size() && i < kMaxTraceValue;) {
    const std::size_t length = character_length(text, i);
    const char c = text[i];
    if (length == 0) {
      out.push_back('?');
    } else if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      out.append("\\u00").append({kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]});
    } else {
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  out.push_back('"');
}

}  // namespace

TraceEvent::TraceEvent(std::string_view event, Timestamp time) {
  out_.reserve(256);
  out_.append("{\"time\":\"").append(mail::format_rfc3339(time)).append("\",\"event\":");
  append_string(out_, event);
}

void TraceEvent::name(std::string_view name) { out_.append(",\"").append(name).append("\":"); }

void TraceEvent::text(std::string_view member, std::string_view value) {
  if (value.empty()) return;
  name(member);
  append_string(out_, value);
}

void TraceEvent::number(std::string_view member, std::uint64_t value) {
  name(member);
  out_.append(std::to_string(value));
}

void TraceEvent::texts(std::string_view member, const std::vector<std::string_view>& values) {
  name(member);
  out_.push_back('[');
  const std::size_t count = std::min(values.size(), kMaxTraceRecipients);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out_.push_back(',');
    append_string(out_, values[i]);
  }
  out_.push_back(']');
  if (values.size() > count) number("more", values.size() - count);
}

void TraceEvent::accepted_for(std::string_view recipient, std::string_view fate) {
  name("recipients");
  out_.append("[{\"recipient\":");
  append_string(out_, recipient);
  out_.append(",\"event\":");
  append_string(out_, fate);
  out_.append("}]");
}

std::string TraceEvent::take() {
  out_.push_back('}');
  return std::move(out_);
}

}  // namespace posthus::smtp
