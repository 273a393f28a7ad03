// DKIM signing: RFC 6376, 8301 (RSA keys, SHA-256), 8463 (Ed25519). Relaxed/relaxed; From is signed once more than it is
// there (over-signed), so that no second one can be added. Bytes come as they arrive; one pass, bounded memory.
// Thread rule: a DkimSigner belongs to one thread at a time; a PrivateKey may be used by many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace posthus::mailauth {

enum class SigningAlgorithm : std::uint8_t { kRsaSha256, kEd25519Sha256 };

/// A private key, read once and used for many messages (reading costs more than an Ed25519 signature).
class PrivateKey {
 public:
  /// `pkcs8`: DER. Errors: kInvalid (not a key, of another algorithm, RSA below 1024 bits: RFC 8301 §3.2).
  static Result<std::shared_ptr<const PrivateKey>> read(SigningAlgorithm algorithm, std::string_view pkcs8);
  ~PrivateKey();
  SigningAlgorithm algorithm() const;
  /// The signature of a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 6376 §3.3.1) or PureEdDSA over the digest (RFC 8463 §3).
  Result<std::string> sign(std::string_view digest) const;

 private:
  struct State;
  explicit PrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct SigningKey {
  std::string domain, selector;  // d=, s=
  std::shared_ptr<const PrivateKey> key;
};
struct NewKey {
  Secret private_key;      // PKCS #8 DER
  std::string public_key;  // what p= holds, raw (RFC 6376 §3.6.1, RFC 8463 §4)
};
/// RSA: 2048 bits, which takes a tenth of a second and more: not on an io thread.
Result<NewKey> make_signing_key(SigningAlgorithm algorithm);
/// The TXT record of a key: "v=DKIM1; k=rsa; p=…".
std::string key_record(SigningAlgorithm algorithm, std::string_view public_key);

/// Takes the message (header and body, CRLF) and makes one DKIM-Signature field per key, each with its CRLF.
class DkimSigner {
 public:
  DkimSigner();
  ~DkimSigner();
  void append(std::string_view bytes);
  /// The fields for `keys`, to be put before the message. Errors: kInvalid (no From field), kTooLarge (a header above
  /// kMaxSignedHeader, or with more than kMaxSignedFields to sign). Takes about a millisecond for RSA: not on an io thread.
  Result<std::string> finish(const std::vector<SigningKey>& keys, Timestamp now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};
inline constexpr std::size_t kMaxSignedHeader = 256 * 1024;  // a header is held until the end; mail::kMaxHeaderKept is the same
inline constexpr std::size_t kMaxSignedFields = 100;         // names in h=: a field of 2 KiB at most

}  // namespace posthus::mailauth
