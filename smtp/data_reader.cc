// Reading of DATA and BDAT. RFC 5321 §2.3.8, §4.1.1.4, §4.5.2. Thread rule: one thread at a time.
#include "smtp/data_reader.h"

#include <cstring>

namespace posthus::smtp {
namespace {

// The position of `c` in `bytes` from `from` on; `bytes.size()` when it is not there.
std::size_t find_byte(std::string_view bytes, char c, std::size_t from) {
  if (from >= bytes.size()) return bytes.size();
  const void* found = std::memchr(bytes.data() + from, c, bytes.size() - from);
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.size();
}

}  // namespace

// One byte through the table of states; who calls it decides whether the byte is text.
void DataReader::step(char c) {
  const bool after_cr = state_ == State::kCr || state_ == State::kDotCr;
  if (c == '\n') {
    if (!after_cr) has_bare_line_end_ = true;
    // WHY: a bare LF begins no line, so a dot after it is text and can end nothing.
    state_ = state_ == State::kCr ? State::kLineStart : state_ == State::kDotCr ? State::kDone : State::kText;
    return;
  }
  if (after_cr) has_bare_line_end_ = true;
  if (c == '\r') {
    state_ = state_ == State::kDot ? State::kDotCr : State::kCr;
  } else if (c == '.' && state_ == State::kLineStart) {
    state_ = State::kDot;
  } else {
    state_ = State::kText;
  }
}

// Reads whole lines from a line start as long as nothing is unusual; stops before a dot at the start of a line, at a
// line without its end, or at a bare CR or LF. Returns how many bytes were read.
std::size_t DataReader::read_lines(std::string_view bytes, TextSink sink) {
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] != '.') {
    const std::size_t lf = find_byte(bytes, '\n', at);
    if (lf == bytes.size()) break;
    const std::size_t cr = find_byte(bytes.substr(0, lf), '\r', at);
    if (cr + 1 != lf) break;
    at = lf + 1;
  }
  if (at > 0) sink(bytes.substr(0, at));
  return at;
}

std::size_t DataReader::read(std::string_view bytes, TextSink sink) {
  std::size_t at = 0;
  while (at < bytes.size() && !is_done()) {
    // WHY: a refused message is read byte by byte, so that a flood of lone CRs or LFs cannot make memchr look at the
    // same bytes again and again. Its text is not wanted any more.
    if (has_bare_line_end_) {
      step(bytes[at++]);
      continue;
    }
    if (state_ == State::kLineStart) at += read_lines(bytes.substr(at), sink);
    if (state_ == State::kText) at += read_text(bytes.substr(at), sink);
    if (at == bytes.size()) break;
    step(bytes[at]);
    // A dot that begins a line is stuffing or the end, and what follows a lone one is no text either.
    const bool is_text = state_ != State::kDot && state_ != State::kDotCr && state_ != State::kDone;
    if (is_text) sink(bytes.substr(at, 1));
    ++at;
  }
  return at;
}

// Within a line: up to the next CR or LF.
std::size_t DataReader::read_text(std::string_view bytes, TextSink sink) {
  const std::size_t lf = find_byte(bytes, '\n', 0);
  const std::size_t end = find_byte(bytes.substr(0, lf), '\r', 0);
  if (end > 0) sink(bytes.substr(0, end));
  return end;
}

void LineEndCheck::read(std::string_view text) {
  if (has_bare_line_end_ || text.empty()) return;
  std::size_t at = 0;
  if (ends_with_cr_) {
    ends_with_cr_ = false;
    if (text[0] != '\n') {
      has_bare_line_end_ = true;
      return;
    }
    at = 1;
  }
  while (at < text.size()) {
    const std::size_t lf = find_byte(text, '\n', at);
    const std::size_t cr = find_byte(text.substr(0, lf), '\r', at);
    if (cr == text.size()) return;
    if (lf == text.size() && cr + 1 == text.size()) {
      ends_with_cr_ = true;
      return;
    }
    if (cr + 1 != lf) {
      has_bare_line_end_ = true;
      return;
    }
    at = lf + 1;
  }
}

}  // namespace posthus::smtp
