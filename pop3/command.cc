// The grammar of POP3 commands.
#include "pop3/command.h"

#include <algorithm>

#include "core/base/ascii.h"

namespace posthus::pop3 {
namespace {
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
}  // namespace

// command = keyword *(SP param) CRLF
// keyword = 3*4VCHAR
std::optional<Command> parse_command(std::string_view line) {
  if (std::ranges::any_of(line, is_control)) return std::nullopt;
  const std::size_t space = line.find(' ');
  const std::string_view keyword = line.substr(0, space);
  if (keyword.size() < 3 || keyword.size() > 4) return std::nullopt;
  Command command;
  command.keyword = ascii::to_upper(keyword);
  if (space != std::string_view::npos) command.arguments = line.substr(space + 1);
  return command;
}

// param = 1*VCHAR
// QUIRK(several): a space at the end of the line, or two between parameters, means nothing.
std::string_view next_parameter(std::string_view& arguments) {
  while (arguments.starts_with(' ')) arguments.remove_prefix(1);
  const std::size_t space = arguments.find(' ');
  const std::string_view parameter = arguments.substr(0, space);
  arguments.remove_prefix(parameter.size());
  while (arguments.starts_with(' ')) arguments.remove_prefix(1);
  return parameter;
}

std::optional<std::uint32_t> message_number(std::string_view text) {
  const auto number = ascii::parse_decimal<std::uint32_t>(text);
  if (!number || *number == 0) return std::nullopt;
  return number;
}

// QUIRK(several): a bare LF ends a line as well.
Line next_line(std::string_view bytes, std::size_t limit) {
  Line line;
  const std::size_t end = bytes.substr(0, limit).find('\n');
  if (end == std::string_view::npos) {
    line.state = bytes.size() >= limit ? LineState::kTooLong : LineState::kIncomplete;
    return line;
  }
  line.state = LineState::kComplete;
  line.length = end + 1;
  line.text = bytes.substr(0, end);
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return line;
}

}  // namespace posthus::pop3
