// See recorded_session.h.
#include "smtp/recorded_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/ascii.h"
#include "smtp/reply_parser.h"

namespace posthus::smtp {
namespace {

using session::Step;

constexpr std::array<std::string_view, 8> kShownVerbs{"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "RSET", "QUIT", "NOOP"};

// Whatever is no plain command belongs to a login.
std::string shown(std::string_view line) {
  const std::string_view verb = line.substr(0, line.find(' '));
  if (std::ranges::find(kShownVerbs, verb) != kShownVerbs.end()) return std::string(line);
  if (verb != "AUTH") return "(login)";
  const std::size_t end = line.find(' ', verb.size() + 1);
  return std::string(line.substr(0, end));
}

bool is_last_line(std::string_view line) { return line.size() < 4 || line[3] != '-'; }

}  // namespace

Step RecordedSession::opened(session::Output& output) { return session_->opened(output); }

Step RecordedSession::received(session::Input& input, session::Output& output) {
  const std::string_view before = input.bytes();
  const std::size_t written = output.size();
  const Step step = session_->received(input, output);
  hear(before.substr(0, before.size() - input.size()));
  note_commands(std::string_view(output).substr(std::min(written, output.size())));
  return step;
}

Step RecordedSession::tls_started(const session::TlsFacts& facts, session::Output& output) {
  listener_->tls_established(facts);
  const std::size_t written = output.size();
  const Step step = session_->tls_started(facts, output);
  note_commands(std::string_view(output).substr(written));
  return step;
}

// Only texts are written there, and a dry run has none.
void RecordedSession::run(session::Output& output) { session_->run(output); }

Step RecordedSession::resumed(session::Output& output) {
  const std::size_t written = output.size();
  const Step step = session_->resumed(output);
  note_commands(std::string_view(output).substr(written));
  return step;
}

std::chrono::seconds RecordedSession::deadline() const {
  const std::int64_t left = std::max<std::int64_t>((until_.microseconds - clock_.now().microseconds + 999'999) / 1'000'000, 1);
  return std::min(session_->deadline(), std::chrono::seconds(left));
}

void RecordedSession::note_commands(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    commands_.push_back(shown(text.substr(0, end)));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

void RecordedSession::hear(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes.substr(0, ReplyParser::kMaxLine));
      return;
    }
    partial_.append(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    hear_line(ascii::trim(std::exchange(partial_, {})));
  }
}

void RecordedSession::hear_line(std::string_view line) {
  const std::string text = washed(line.substr(0, ReplyParser::kMaxLine));
  if (lines_ < kMaxLines && bytes_ + text.size() <= kMaxBytes) {
    reply_.push_back(text);
    ++lines_;
    bytes_ += text.size();
  }
  if (!is_last_line(text)) return;
  if (commands_.empty()) return;  // an answer to nothing: the session says so itself
  Exchange exchange{std::move(commands_.front()), std::exchange(reply_, {})};
  commands_.pop_front();
  listener_->exchanged(std::move(exchange));
}

}  // namespace posthus::smtp
