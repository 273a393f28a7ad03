// AccountKey: the key an account at a CA is known by, and what it signs. RFC 8555 §6.2, RFC 7515 (JWS), RFC 7638 (thumbprint).
// ECDSA P-256 with SHA-256 (ES256) only: every CA takes it. Thread rule: const functions from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/secret.h"

struct evp_pkey_st;

namespace posthus::acme {

class AccountKey {
 public:
  static Result<AccountKey> make();
  /// Errors: kInvalid for anything but an unencrypted P-256 key.
  static Result<AccountKey> from_pem(std::string_view pem);

  Result<Secret> pem() const;
  /// The public key as JSON, members in the order a thumbprint wants them (RFC 7638 §3.2).
  const std::string& jwk() const { return jwk_; }
  /// base64url of the SHA-256 of jwk().
  std::string thumbprint() const;
  /// 64 bytes, R and S (RFC 7518 §3.4).
  Result<std::string> sign(std::string_view bytes) const;

 private:
  static Result<AccountKey> of(std::shared_ptr<evp_pkey_st> key);
  std::shared_ptr<evp_pkey_st> key_;
  std::string jwk_;
};

}  // namespace posthus::acme
