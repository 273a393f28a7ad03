// The version of this build.
#pragma once

#include <string_view>

namespace posthus::main {
std::string_view version();
}
