// POP3 commands as the client writes them: RFC 1939 §3, RFC 2449 §3 and §4. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::pop3 {

inline constexpr std::size_t kMaxCommandLine = 255;  // octets with CRLF, RFC 2449 §4

/// A command line without its line end. `keyword` in capitals, 3 or 4 characters; `arguments` is all behind the first
/// space as it stands (a password may hold spaces) and views the line.
struct Command {
  std::string keyword;
  std::string_view arguments;
};
/// Nothing for a bad keyword or a control character anywhere.
std::optional<Command> parse_command(std::string_view line);

/// Cuts the next parameter off the front of `arguments`; empty when there is none.
std::string_view next_parameter(std::string_view& arguments);
/// The whole of `text` as a message number, 1..2^32-1.
std::optional<std::uint32_t> message_number(std::string_view text);

/// What next_line() found.
enum class LineState : std::uint8_t { kComplete, kIncomplete, kTooLong };
struct Line {
  LineState state = LineState::kIncomplete;
  std::string_view text;   // without its line end
  std::size_t length = 0;  // octets with its line end
};
/// The first line of `bytes`, of at most `limit` octets with its end. kTooLong as soon as that is certain.
Line next_line(std::string_view bytes, std::size_t limit);

}  // namespace posthus::pop3
