// Wiping and constant-time comparison, through OpenSSL. Any thread.
#include "core/base/secret.h"

#include <openssl/crypto.h>

namespace posthus {

void wipe(std::string& text) {
  // WHY: up to the capacity, because bytes of an earlier, longer value may still stand behind the end.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void Secret::wipe() { posthus::wipe(value_); }

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace posthus
