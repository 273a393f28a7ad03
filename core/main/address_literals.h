// The addresses of this machine as mail addresses name them: "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3).
// Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

namespace posthus::main {

/// Of the addresses in `listen`; where it has "*", of every interface as it is now.
std::vector<std::string> address_literals(const std::vector<std::string>& listen);

}  // namespace posthus::main
