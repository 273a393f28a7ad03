// Framing of commands. See command_frame.h.
#include "imap/command_frame.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "imap/limits.h"

namespace posthus::imap {
namespace {

struct Announcement {
  std::uint64_t size;
  Synchronizing kind;
};

// literal = "{" number64 ["+"] "}" CRLF *CHAR8 ; the announcement at the end of a line
std::optional<Announcement> announcement(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  line.remove_suffix(1);
  const bool is_plus = !line.empty() && line.back() == '+';
  if (is_plus) line.remove_suffix(1);
  std::size_t digits = 0;
  while (digits < line.size() && ascii::is_digit(line[line.size() - 1 - digits])) ++digits;
  if (digits == 0 || digits == line.size() || line[line.size() - 1 - digits] != '{') return std::nullopt;
  const auto size = ascii::parse_decimal<std::uint64_t>(line.substr(line.size() - digits));
  // WHY: a number that does not fit is an enormous literal, to be refused as such.
  return Announcement{size.value_or(UINT64_MAX), is_plus ? Synchronizing::kNo : Synchronizing::kYes};
}

}  // namespace

Frame CommandFrame::scan(std::string_view bytes) {
  while (true) {
    if (literal_left_ > 0) {
      const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, bytes.size() - scanned_));
      scanned_ += passed;
      literal_left_ -= passed;
      if (literal_left_ > 0) return Frame::kIncomplete;
      line_begin_ = scanned_;
    }
    const auto newline = bytes.find('\n', scanned_);
    if (newline == std::string_view::npos) {
      scanned_ = bytes.size();
      return line_bytes_ + (scanned_ - line_begin_) > kMaxCommandLine ? Frame::kTooLong : Frame::kIncomplete;
    }
    scanned_ = newline + 1;
    line_bytes_ += scanned_ - line_begin_;
    if (line_bytes_ > kMaxCommandLine) return Frame::kTooLong;
    std::string_view line = bytes.substr(line_begin_, newline - line_begin_);
    // QUIRK(telnet): a bare LF ends a line as well.
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    line_begin_ = scanned_;
    const auto literal = announcement(line);
    if (!literal) return Frame::kComplete;
    literal_size_ = literal->size;
    literal_kind_ = literal->kind;
    return Frame::kLiteral;
  }
}

void CommandFrame::literal_accepted() {
  literal_left_ = literal_size_;
  ++literals_;
}

}  // namespace posthus::imap
