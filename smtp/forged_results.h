// ForgedResults: takes Authentication-Results fields out of a passing header when they claim to come from this server
// (RFC 8601 §5): only we may say what we have checked. In any cut, linear, holding back at most kMaxHeldResults bytes.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/function_ref.h"

namespace posthus::smtp {

/// A field whose identifier does not end within so many bytes is taken out: nobody honest writes that much before it.
inline constexpr std::size_t kMaxHeldResults = 1024;

/// Reads the authserv-id at the start of a field's value, byte by byte (RFC 8601 §2.2).
class ResultsIdentifier {
 public:
  /// True when the identifier is complete with this byte.
  bool read(char c);
  const std::string& text() const { return text_; }

 private:
  enum class Part : std::uint8_t { kBefore, kComment, kToken, kQuoted };
  std::string text_;
  std::uint32_t depth_ = 0;  // of comments
  Part part_ = Part::kBefore;
  bool is_escaped_ = false;
};

class ForgedResults {
 public:
  using Sink = FunctionRef<void(std::string_view)>;

  /// `hostname`: our authserv-id; empty: nothing is taken out.
  explicit ForgedResults(std::string hostname) : hostname_(std::move(hostname)), has_ended_(hostname_.empty()) {}

  /// Message text; what stays of it goes to `sink`, in order. Once has_ended() all of it stays.
  void read(std::string_view text, Sink sink);
  /// The text is over: what was held back and stays.
  void finish(Sink sink);
  bool has_ended() const { return has_ended_; }
  std::uint32_t removed() const { return removed_; }

 private:
  enum class Line : std::uint8_t {
    kStart,    // of a line
    kCr,       // behind a CR at the start of a line: perhaps the end of the header
    kName,     // the bytes held may become "Authentication-Results:"
    kValue,    // of it, in search of the identifier
    kPass,     // the rest of a line that stays
    kDrop,     // the rest of a line that goes
    kDropped,  // behind a line that went: a continuation goes too
  };
  void begin_line(char c);
  void hold(char c, Sink sink);
  void hold_name(char c, Sink sink);
  void pass_held(char last, Sink sink);
  void drop_held(char last);

  std::string hostname_;
  std::string held_;  // the beginning of a line or field that is not decided yet
  ResultsIdentifier identifier_;
  Line line_ = Line::kStart;
  bool has_ended_ = false;
  std::uint32_t removed_ = 0;
};

}  // namespace posthus::smtp
