// What a certificate says of itself, for people, for choosing one by name and for knowing when to renew.
// RFC 5280 §4, RFC 6125 §6.4 (names), RFC 9773 §4.1 (the name a CA knows it by). Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/certificate.h"

namespace posthus::net {

struct CertificateFacts {
  std::vector<std::string> names;              // of subjectAltName: lower case, addresses as text; at most kMaxNames
  std::string issuer;                          // for people: organisation and common name
  std::string serial;                          // hexadecimal, lower case
  std::string key;                             // "EC 256", "RSA 2048"
  std::int64_t not_before = 0, not_after = 0;  // seconds since 1970
  bool is_self_signed = false;
  std::size_t intermediates = 0;  // certificates behind the first
  std::string renewal_id;         // RFC 9773 §4.1; empty when it has no authority key identifier

  /// May a client that asked for `hostname` take it? One left-most label may be a wildcard.
  bool covers(std::string_view hostname) const;
};
inline constexpr std::size_t kMaxNames = 200;

/// Of the first certificate of `certificate_pem`. Errors: kInvalid, for people.
Result<CertificateFacts> certificate_facts(std::string_view certificate_pem);

/// Would TLS servers take this pair? Errors: kInvalid, for people: unreadable, encrypted, not belonging together, too weak, the
/// certificates behind the first in no order.
Result<> check_pair(const CertificateAndKey& pair);

}  // namespace posthus::net
