// The server's side of WebAuthn Level 3: is what a browser sent the making of a passkey (§7.1), or a proof of one (§7.2)? User
// verification is required, so that a passkey is possession and PIN or finger in one. Attestation is asked for of nobody and not
// looked at. Algorithms: ES256, EdDSA (Ed25519), RS256. Known limit: no related origins, no extensions.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace posthus::web_admin {

// Limits of what a browser sends, in bytes, far above what is real.
inline constexpr std::size_t kMaxClientData = 4096;
inline constexpr std::size_t kMaxAuthenticatorData = 8192;
inline constexpr std::size_t kMaxAttestationObject = 32 * 1024;  // with the certificates of an attestation nobody asked for
inline constexpr std::size_t kMaxSignature = 1024;

/// COSE algorithm numbers (RFC 9053 §2, RFC 8812 §2), as they are asked for, the best first.
namespace cose {
inline constexpr std::int32_t kEdDsa = -8, kEs256 = -7, kRs256 = -257;
}

/// Who asks: WebAuthn §4 "Relying Party Identifier", and the origin of the pages that may ask in its name.
struct RelyingParty {
  std::string id;      // "mail.example.org"
  std::string origin;  // "https://mail.example.org:8443"
};

/// Of CollectedClientData (§5.8.1).
enum class Ceremony : bool { kCreate, kGet };
/// The challenge in it, raw. Errors: kDenied with a reason for the log.
Result<std::string> challenge_of(const RelyingParty& party, Ceremony ceremony, std::string_view client_data);

struct AuthenticatorData {  // §6.1
  std::string_view relying_party_hash;
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;
  std::string_view credential_id, public_key;  // of the attested credential; empty without. The key: COSE
};
/// Errors: kDenied.
Result<AuthenticatorData> parse_authenticator_data(std::string_view bytes);
/// authData of an attestation object (§6.5.4). Errors: kDenied.
Result<std::string_view> authenticator_data_of(std::string_view attestation_object);

struct CredentialKey {
  std::int32_t algorithm = 0;
  std::string public_key;  // SubjectPublicKeyInfo, DER
};
/// COSE_Key (RFC 9052 §7). Errors: kDenied: another algorithm, a member that is lacking, a point that is not on the curve.
Result<CredentialKey> parse_cose_key(std::string_view bytes);

struct NewCredential {
  std::string credential_id;
  CredentialKey key;
  std::uint32_t sign_count = 0;
  bool is_backup_eligible = false;
};
/// Of the checks of §7.1 all but those of the client data (challenge_of). Errors: kDenied with a reason.
Result<NewCredential> check_new_credential(const RelyingParty& party, std::string_view attestation_object);

struct Assertion {
  std::string client_data, authenticator_data, signature;
};
struct KnownCredential {
  CredentialKey key;
  bool is_backup_eligible = false;
};
/// Of the checks of §7.2 all but those of the client data and of the counter, which is given back. Errors: kDenied with a reason.
Result<std::uint32_t> check_assertion(const RelyingParty& party, const KnownCredential& known, const Assertion& assertion);

/// Bits of AuthenticatorTransport (§5.8.4): unknown ones are passed over.
std::uint8_t transport_bits(const std::vector<std::string>& names);
std::vector<std::string> transport_names(std::uint8_t bits);

}  // namespace posthus::web_admin
