// What others see of a certificate: its key as TLSA records name it (RFC 6698 §2.1.1), names, dates, whether the chain holds.
// OpenSSL. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace posthus::web_admin {

struct CertificateFacts {
  std::string key_digest;                      // hex SHA-256 of the SubjectPublicKeyInfo
  std::vector<std::string> names;              // DNS names it is for, lower case, at most 100
  std::int64_t not_before = 0, not_after = 0;  // seconds since 1970
  bool is_self_signed = false;
  std::size_t chain_length = 0;  // certificates that are sent
};
/// Of the first certificate in `pem`. Errors: kInvalid.
Result<CertificateFacts> certificate_facts(std::string_view pem);

/// Does a client that trusts `roots_file` (empty: the system's roots) take the chain for `host` now? Nothing wrong: empty; else
/// the reason, for people. Reads the roots: some milliseconds and a megabyte while it lasts.
std::string chain_error(std::string_view pem, const std::string& host, const std::string& roots_file);

}  // namespace posthus::web_admin
