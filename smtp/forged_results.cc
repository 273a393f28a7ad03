// Authentication-Results fields in our name. RFC 8601 §2.2, §5; RFC 5322 §3.2.2 (comments and folds before the identifier).
// Lines end at LF; the header ends at a line of CR LF alone, as in smtp/header_scan. Thread rule: one thread at a time.
#include "smtp/forged_results.h"

#include <utility>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

constexpr std::string_view kName = "authentication-results";

bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

// authserv-id = value ; value = token / quoted-string (RFC 2045 §5.1), after [CFWS]
bool ResultsIdentifier::read(char c) {
  const bool was_escaped = std::exchange(is_escaped_, false);
  switch (part_) {
    case Part::kBefore:
      if (is_white_space(c)) return false;
      part_ = c == '(' ? Part::kComment : c == '"' ? Part::kQuoted : Part::kToken;
      if (part_ == Part::kComment) depth_ = 1;
      if (part_ == Part::kToken) text_.push_back(c);
      return c == ';';
    case Part::kComment:
      if (was_escaped) return false;
      is_escaped_ = c == '\\';
      if (c == '(') ++depth_;
      if (c == ')' && --depth_ == 0) part_ = Part::kBefore;
      return false;
    case Part::kToken:
      if (is_white_space(c) || c == ';' || c == '(') return true;
      text_.push_back(c);
      return false;
    case Part::kQuoted:
      is_escaped_ = c == '\\' && !was_escaped;
      if (c == '"' && !was_escaped) return true;
      if (!is_escaped_ && c != '\r' && c != '\n') text_.push_back(c);
      return false;
  }
  return false;
}

/// The bytes held stay; `last` is the last of them.
void ForgedResults::pass_held(char last, Sink sink) {
  if (!held_.empty()) sink(held_);
  held_.clear();
  line_ = last == '\n' ? Line::kStart : Line::kPass;
}

void ForgedResults::drop_held(char last) {
  held_.clear();
  ++removed_;
  line_ = last == '\n' ? Line::kDropped : Line::kDrop;
}

void ForgedResults::hold_name(char c, Sink sink) {
  const std::size_t at = held_.size() - 1;
  if (at >= kName.size() && c == ':') {
    line_ = Line::kValue;
    identifier_ = {};
    return;
  }
  // RFC 5322 §4.5: white space before the colon is obsolete, but read.
  const bool is_name = at < kName.size() ? ascii::to_lower(c) == kName[at] : ascii::is_space_or_tab(c);
  if (!is_name || held_.size() >= kMaxHeldResults) pass_held(c, sink);
}

void ForgedResults::hold(char c, Sink sink) {
  held_.push_back(c);
  if (line_ == Line::kName) return hold_name(c, sink);
  const bool is_complete = identifier_.read(c);
  if (!is_complete && held_.size() < kMaxHeldResults) return;
  const bool is_forged = !is_complete || ascii::equal_ignoring_case(identifier_.text(), hostname_);
  if (is_forged) return drop_held(c);
  pass_held(c, sink);
}

/// What the line whose first byte is `c` may be.
void ForgedResults::begin_line(char c) {
  const bool is_continuation = ascii::is_space_or_tab(c);
  if (line_ == Line::kDropped && is_continuation) {
    line_ = Line::kDrop;
  } else if (c == '\r') {
    line_ = Line::kCr;
  } else {
    line_ = ascii::to_lower(c) == kName.front() ? Line::kName : Line::kPass;
  }
}

void ForgedResults::read(std::string_view text, Sink sink) {
  std::size_t at = 0, kept = 0;  // [kept, at) stays and has not been handed on
  const auto hand_on = [&] {
    if (at > kept) sink(text.substr(kept, at - kept));
  };
  while (at < text.size() && !has_ended_) {
    const char c = text[at];
    const bool is_field_over = line_ == Line::kValue && held_.ends_with('\n') && !ascii::is_space_or_tab(c);
    if (is_field_over) pass_held('\n', sink);  // it had no identifier
    if (line_ == Line::kCr) {
      has_ended_ = c == '\n';
      line_ = Line::kPass;
    } else if (line_ == Line::kStart || line_ == Line::kDropped) {
      begin_line(c);
      at += line_ == Line::kCr;
    } else if (line_ == Line::kName || line_ == Line::kValue) {
      hand_on();
      hold(c, sink);
      kept = ++at;
    } else {
      const std::size_t line_end = text.find('\n', at);
      const std::size_t end = line_end == std::string_view::npos ? text.size() : line_end + 1;
      const bool is_dropped = line_ == Line::kDrop;
      if (is_dropped) hand_on();
      at = end;
      if (is_dropped) kept = end;
      if (line_end != std::string_view::npos) line_ = is_dropped ? Line::kDropped : Line::kStart;
    }
  }
  at = text.size();
  hand_on();
}

void ForgedResults::finish(Sink sink) {
  if (line_ == Line::kValue && identifier_.read('\n') && ascii::equal_ignoring_case(identifier_.text(), hostname_)) {
    return drop_held('\n');
  }
  pass_held('\n', sink);
}

}  // namespace posthus::smtp
