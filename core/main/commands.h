// The commands of the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage or settings.
#pragma once

namespace posthus::main {

int run_command_line(int argc, const char* const* argv);

}  // namespace posthus::main
