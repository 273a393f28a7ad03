// DKIM signing: RFC 6376, 8301 (RSA keys, SHA-256), 8463 (Ed25519). Relaxed/relaxed; From is signed once more than it is
// there (over-signed), so that no second one can be added. Bytes come as they arrive; one pass, bounded memory.
// Thread rule: one thread at a time.
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

struct SigningKey {
  std::string domain, selector;  // d=, s=
  SigningAlgorithm algorithm = SigningAlgorithm::kRsaSha256;
  std::string private_key;  // PKCS #8 DER
};
struct NewKey {
  std::string private_key, public_key;  // PKCS #8 DER; what p= holds, raw (RFC 6376 §3.6.1, RFC 8463 §4)
};
Result<NewKey> make_signing_key(SigningAlgorithm algorithm);  // RSA: 2048 bits
/// The TXT record of a key: "v=DKIM1; k=rsa; p=…".
std::string key_record(SigningAlgorithm algorithm, std::string_view public_key);

/// Takes the message (header and body, CRLF) and makes one DKIM-Signature field per key, each with its CRLF.
class DkimSigner {
 public:
  DkimSigner();
  ~DkimSigner();
  void append(std::string_view bytes);
  /// The fields for `keys`, to be put before the message. Errors: kInvalid (a key that cannot be read, no From field,
  /// a header above the limit). Takes about a millisecond for RSA: not on an io thread.
  Result<std::string> finish(const std::vector<SigningKey>& keys, Timestamp now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::mailauth
