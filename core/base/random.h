// Randomness from the operating system (through OpenSSL). Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>

namespace posthus {
std::string random_bytes(std::size_t count);
std::uint64_t random_u64();
/// A password people can type: `groups` groups of four from an alphabet without look-alikes, joined with '-'.
std::string random_password(int groups = 4);
}  // namespace posthus
