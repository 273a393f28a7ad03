// POSTHUS_VERSION comes from the project's version in CMakeLists.txt.
#include "core/main/version.h"

namespace posthus::main {
std::string_view version() { return POSTHUS_VERSION; }
}  // namespace posthus::main
