// LINK: posthus_pop3
// The grammar of POP3 commands, and surrogate headers. Lines are consumed exactly once whatever the limit; a surrogate
// header is ASCII.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pop3/command.h"
#include "pop3/response.h"
#include "pop3/surrogate.h"

using namespace posthus::pop3;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view rest = input;
  while (!rest.empty()) {
    const Line line = next_line(rest, kMaxCommandLine);
    if (line.state != LineState::kComplete) break;
    if (line.length == 0 || line.length > kMaxCommandLine || line.text.size() >= line.length) std::abort();
    if (const auto command = parse_command(line.text)) {
      if (command->keyword.size() < 3 || command->keyword.size() > 4) std::abort();
      std::string_view arguments = command->arguments;
      for (int i = 0; !arguments.empty() && i < 300; ++i) {
        const std::string_view parameter = next_parameter(arguments);
        message_number(parameter);
        match_language(parameter);
      }
      if (!arguments.empty()) std::abort();
    }
    rest.remove_prefix(line.length);
  }
  const std::string surrogate = make_surrogate_header(input);
  if (has_8bit(surrogate)) std::abort();
  return 0;
}
