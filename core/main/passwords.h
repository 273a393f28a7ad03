// Where a password of the command line comes from. Never from an argument: those can be read by every user of the machine.
#pragma once

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/main/command_line.h"

namespace posthus::main {

/// Errors: kInvalid when there is nothing to read, or the two typed passwords differ.
Result<Secret> obtain_password(PasswordSource source);

}  // namespace posthus::main
