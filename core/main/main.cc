// The posthus binary: server and command line in one.
#include "core/main/commands.h"

int main(int argc, char** argv) { return posthus::main::run_command_line(argc, argv); }
