// Randomness through OpenSSL's generator, which the operating system seeds. A failing generator ends the program: nothing
// that follows could be trusted. Any thread.
#include "core/base/random.h"

#include <openssl/rand.h>

#include <cstring>
#include <string_view>

#include "core/base/check.h"

namespace posthus {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  CHECK(count <= INT32_MAX);
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1);
  return value;
}

std::string random_password(int groups) {
  constexpr std::string_view kPasswordAlphabet = "abcdefghjkmnpqrstuvwxyz23456789";  // without i l o 0 1
  constexpr int kGroupLength = 4;
  std::string password;
  int written = 0;
  while (written < groups * kGroupLength) {
    for (const char c : random_bytes(32)) {
      const auto value = static_cast<unsigned>(static_cast<unsigned char>(c)) & 31U;
      if (value >= kPasswordAlphabet.size()) continue;  // WHY: refused, not folded, so that every letter is equally likely
      if (written == groups * kGroupLength) break;
      if (written > 0 && written % kGroupLength == 0) password.push_back('-');
      password.push_back(kPasswordAlphabet[value]);
      ++written;
    }
  }
  return password;
}

}  // namespace posthus
