// Certificates as PEM text, and the self-signed one a fresh installation starts with.
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace posthus::net {

struct CertificateAndKey {
  std::string certificate_pem;  // the server's certificate first, then intermediates
  Secret private_key_pem;       // unencrypted
};

/// An ECDSA P-256 certificate for `hostname`, localhost, 127.0.0.1 and ::1, valid from a day ago for `days`.
/// Errors: kInvalid for a hostname that is neither a domain name nor an address.
Result<CertificateAndKey> make_self_signed_certificate(std::string_view hostname, int days);

/// What answers a tls-alpn-01 challenge (RFC 8737 §3): `hostname` as its only name, `digest` (32 bytes) in a critical
/// acmeIdentifier extension, valid for a day.
Result<CertificateAndKey> make_challenge_certificate(std::string_view hostname, std::string_view digest);

/// A new ECDSA P-256 key, PEM.
Result<Secret> make_certificate_key();
/// A PKCS #10 request, DER, for a certificate of `hostname` and this key (RFC 2986, RFC 8555 §7.4). Errors: kInvalid.
Result<std::string> make_certificate_request(std::string_view hostname, std::string_view key_pem);

/// When the first certificate of `certificate_pem` begins and ends, in seconds since 1970. Errors: kInvalid for anything
/// but PEM.
Result<std::int64_t> certificate_not_before(std::string_view certificate_pem);
Result<std::int64_t> certificate_not_after(std::string_view certificate_pem);

}  // namespace posthus::net
