// See reply_parser.h. Lenient where servers are sloppy and nothing depends on it: LF alone ends a line, the text may be
// missing, a line may be twice as long as allowed. Thread rule: an object belongs to one thread.
#include "smtp/reply_parser.h"

#include <optional>
#include <utility>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kCodeLength = 3;

// Reply-code = %x32-35 %x30-35 %x30-39
// QUIRK(servers): second digits above 5 are in use ("571").
std::optional<std::uint16_t> reply_code(std::string_view line) {
  if (line.size() < kCodeLength || line[0] < '2' || line[0] > '5') return std::nullopt;
  return ascii::parse_decimal<std::uint16_t>(line.substr(0, kCodeLength));
}

// Length of the UTF-8 sequence at the front of `text`; 0 when there is none (RFC 3629 §4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;  // longer than need be
  if (first == 0xED && second > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // U+0080 to U+009F
}

// status-code ::= class "." subject "." detail; class is "2", "4" or "5", the others 1*3digit (RFC 3463 §2).
// Its length; 0 when `text` does not begin with one of class `wanted`.
std::size_t status_code(std::string_view text, char wanted) {
  if (text.size() < 5 || text[0] != wanted || text[1] != '.') return 0;
  std::size_t at = 2;
  for (int number = 0; number < 2; ++number) {
    const std::size_t begin = at;
    while (at < text.size() && at - begin < 3 && ascii::is_digit(text[at])) ++at;
    if (at == begin) return 0;
    if (number == 0 && (at == text.size() || text[at++] != '.')) return 0;
  }
  return at == text.size() || text[at] == ' ' ? at : 0;
}

std::string cut_to(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
  return text;
}

}  // namespace

std::string washed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(sequence.size());
    if (length == 0 || is_control(sequence)) {
      out.push_back(sequence[0] == '\t' ? ' ' : '?');
    } else {
      out.append(sequence);
    }
  }
  return out;
}

RemoteReply to_remote_reply(const HostReply& reply) {
  RemoteReply out{.code = reply.code, .enhanced = {}, .text = {}};
  const char wanted = static_cast<char>('0' + reply.code / 100);
  std::string_view lines = reply.lines;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string_view line = ascii::trim(lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    // RFC 2034 §4: the enhanced code stands on every line.
    if (const std::size_t length = status_code(line, wanted); length > 0) {
      if (out.enhanced.empty()) out.enhanced.assign(line.substr(0, length));
      line = ascii::trim(line.substr(length));
    }
    if (!out.text.empty() && !line.empty()) out.text.push_back(' ');
    out.text.append(line);
  }
  out.text = cut_to(std::move(out.text), store::kMaxRemoteWords);
  return out;
}

ReplyParser::Progress ReplyParser::broken(std::string_view problem) {
  problem_ = problem;
  return Progress::kBroken;
}

ReplyParser::Progress ReplyParser::parse(std::string_view& bytes) {
  while (true) {
    const std::size_t end = bytes.substr(0, kMaxLine).find('\n');
    if (end == std::string_view::npos) {
      return bytes.size() >= kMaxLine ? broken("a reply line without end") : Progress::kMore;
    }
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const Progress progress = take_line(line);
    if (progress != Progress::kMore) return progress;
  }
}

// Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
ReplyParser::Progress ReplyParser::take_line(std::string_view line) {
  const auto code = reply_code(line);
  const char separator = line.size() > kCodeLength ? line[kCodeLength] : ' ';
  if (!code || (separator != ' ' && separator != '-')) return broken("what it said is not a reply");
  // RFC 5321 §4.2.1: every line of a reply has the same code.
  if (line_count_ > 0 && *code != reply_.code) return broken("the lines of a reply have different codes");
  if (++line_count_ > kMaxLines || reply_.lines.size() + line.size() > kMaxText) return broken("a reply without end");
  reply_.code = *code;
  if (line.size() > kCodeLength) reply_.lines += washed(line.substr(kCodeLength + 1));
  reply_.lines.push_back('\n');
  return separator == ' ' ? Progress::kReply : Progress::kMore;
}

HostReply ReplyParser::take() {
  line_count_ = 0;
  return std::exchange(reply_, {});
}

}  // namespace posthus::smtp
