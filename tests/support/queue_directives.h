// Directives of dialogs about outgoing mail; the list is in dialog.h. Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/world.h"

namespace posthus::testing {

/// What is wrong ("" when all is as it should be); nothing when `name` is no directive of these.
std::optional<std::string> queue_directive(World& world, const std::string& name, const std::vector<std::string>& words);

}  // namespace posthus::testing
