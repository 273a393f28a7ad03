// `posthus serve`: starts the server, waits for signals, stops it.
#pragma once

#include "core/main/settings.h"

namespace posthus::main {

/// Runs until SIGTERM or SIGINT (exit code 0) or until the store cannot go on (1). SIGHUP reloads the certificate.
/// REQUIRES: no other thread runs yet.
int serve(const LoadedSettings& loaded);

}  // namespace posthus::main
