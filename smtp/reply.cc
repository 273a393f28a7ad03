// Writing of SMTP replies. RFC 5321 §4.2, RFC 2034 §4. Thread rule: pure functions.
#include "smtp/reply.h"

#include <charconv>

namespace posthus::smtp {
namespace {

// REQUIRES: 100 <= code <= 999.
void append_code(std::string& out, std::uint16_t code, char separator) {
  const char text[4] = {static_cast<char>('0' + code / 100), static_cast<char>('0' + code / 10 % 10),
                        static_cast<char>('0' + code % 10), separator};
  out.append(text, sizeof text);
}

}  // namespace

void append_reply(std::string& out, const Reply& reply) { append_reply(out, reply, reply.text); }

void append_reply(std::string& out, const Reply& reply, std::string_view text) {
  append_code(out, reply.code, ' ');
  if (!reply.enhanced.empty()) {
    out.append(reply.enhanced);
    out.push_back(' ');
  }
  out.append(text);
  out.append("\r\n");
}

void MultiLineReply::begin_line() {
  last_ = out_.size();
  append_code(out_, code_, '-');
}

void MultiLineReply::line(std::string_view text) {
  begin_line();
  out_.append(text);
  out_.append("\r\n");
}

void MultiLineReply::line(std::string_view keyword, std::uint64_t value) {
  begin_line();
  out_.append(keyword);
  out_.push_back(' ');
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  static_cast<void>(error);
  out_.append(digits, end);
  out_.append("\r\n");
}

}  // namespace posthus::smtp
