// The checks of WebAuthn Level 3 §7.1 and §7.2; signatures by OpenSSL. See webauthn.h.
#include "web-admin/webauthn.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/secret.h"
#include "store/passkey_records.h"
#include "web-admin/cbor.h"

namespace posthus::web_admin {
namespace {

// Flags (§6.1).
constexpr std::uint8_t kUserPresent = 0x01, kUserVerified = 0x04, kBackupEligible = 0x08, kBackedUp = 0x10, kHasCredential = 0x40,
                       kHasExtensions = 0x80;
constexpr std::array<std::string_view, 6> kTransports{"usb", "nfc", "ble", "hybrid", "internal", "smart-card"};

std::unexpected<Error> refuse_passkey(std::string_view reason) { return fail(ErrorKind::kDenied, std::string(reason)); }

/// What holds for both ceremonies: whose it is, and that somebody was there and showed who he is.
Result<> check_common(const RelyingParty& party, const AuthenticatorData& data) {
  if (data.relying_party_hash != as_view(sha256(party.id))) return refuse_passkey("it was made for another name");
  if ((data.flags & kUserPresent) == 0) return refuse_passkey("nobody was present");
  if ((data.flags & kUserVerified) == 0) return refuse_passkey("the person was not verified");
  if ((data.flags & kBackedUp) != 0 && (data.flags & kBackupEligible) == 0) return refuse_passkey("flags of backup");
  return {};
}

bool is_signed(const CredentialKey& key, std::string_view text, std::string_view signature) {
  const auto* der = reinterpret_cast<const unsigned char*>(key.public_key.data());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> known(
      d2i_PUBKEY(nullptr, &der, static_cast<long>(key.public_key.size())), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const EVP_MD* const digest = key.algorithm == cose::kEdDsa ? nullptr : EVP_sha256();
  const auto bytes = [](std::string_view view) { return reinterpret_cast<const unsigned char*>(view.data()); };
  return known && context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, known.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

}  // namespace

// {"type": "webauthn.create" / "webauthn.get", "challenge": base64url, "origin": ..., "crossOrigin": false}
Result<std::string> challenge_of(const RelyingParty& party, Ceremony ceremony, std::string_view client_data) {
  if (client_data.size() > kMaxClientData) return refuse_passkey("client data too long");
  const auto json = nlohmann::json::parse(client_data, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return refuse_passkey("client data is no JSON object");
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("type") != (ceremony == Ceremony::kCreate ? "webauthn.create" : "webauthn.get"))
    return refuse_passkey("another ceremony");
  if (text("origin") != party.origin) return refuse_passkey("another origin");
  const auto cross = json.find("crossOrigin");
  if (cross != json.end() && *cross != false) return refuse_passkey("from within another page");
  if (json.contains("topOrigin")) return refuse_passkey("from within another page");
  auto challenge = base64url_decode(text("challenge"));
  if (!challenge) return refuse_passkey("challenge");
  return *std::move(challenge);
}

// rpIdHash (32), flags (1), signCount (4), [attestedCredentialData: aaguid (16), length (2), credentialId, COSE key],
// [extensions: CBOR map]
Result<AuthenticatorData> parse_authenticator_data(std::string_view bytes) {
  constexpr std::size_t kHash = 32, kAaguid = 16;
  if (bytes.size() > kMaxAuthenticatorData) return refuse_passkey("authenticator data too long");
  ByteReader reader(bytes);
  AuthenticatorData data;
  data.relying_party_hash = reader.take(kHash);
  data.flags = reader.u8();
  data.sign_count = reader.u32();
  std::string_view rest = reader.rest();
  if ((data.flags & kHasCredential) != 0) {
    reader.take(kAaguid);
    data.credential_id = reader.take(reader.u16());
    rest = reader.rest();
    CborReader key(rest);
    if (!reader.ok() || data.credential_id.empty() || data.credential_id.size() > store::kMaxCredentialId || !key.skip())
      return refuse_passkey("credential data");
    data.public_key = rest.substr(0, rest.size() - key.rest().size());
    rest = key.rest();
  }
  if ((data.flags & kHasExtensions) != 0) {
    CborReader extensions(rest);
    if (!CborReader(rest).map() || !extensions.skip()) return refuse_passkey("extensions");
    rest = extensions.rest();
  }
  if (!reader.ok() || !rest.empty()) return refuse_passkey("authenticator data");
  return data;
}

// attestation object = map of "fmt", "attStmt" and "authData", in any order
Result<std::string_view> authenticator_data_of(std::string_view attestation_object) {
  if (attestation_object.size() > kMaxAttestationObject) return refuse_passkey("attestation object too long");
  CborReader reader(attestation_object);
  if (reader.map() != std::uint64_t{3}) return refuse_passkey("attestation object");
  bool has_format = false, has_statement = false;
  std::optional<std::string_view> data;
  for (int i = 0; i < 3; ++i) {
    const auto name = reader.text_string();
    if (name == "fmt") {
      has_format = reader.text_string().has_value();
    } else if (name == "attStmt") {
      // WHY it is not looked at: it says who made the authenticator, and every maker is welcome.
      has_statement = CborReader(reader.rest()).map() && reader.skip();
    } else if (name == "authData") {
      data = reader.byte_string();
    }
  }
  if (!has_format || !has_statement || !data || !reader.rest().empty()) return refuse_passkey("attestation object");
  return *data;
}

Result<NewCredential> check_new_credential(const RelyingParty& party, std::string_view attestation_object) {
  const std::string_view bytes = POSTHUS_TRY(authenticator_data_of(attestation_object));
  const AuthenticatorData data = POSTHUS_TRY(parse_authenticator_data(bytes));
  POSTHUS_TRY_VOID(check_common(party, data));
  if (data.credential_id.empty()) return refuse_passkey("there is no credential in it");
  return NewCredential{.credential_id = std::string(data.credential_id),
                       .key = POSTHUS_TRY(parse_cose_key(data.public_key)),
                       .sign_count = data.sign_count,
                       .is_backup_eligible = (data.flags & kBackupEligible) != 0};
}

Result<std::uint32_t> check_assertion(const RelyingParty& party, const KnownCredential& known, const Assertion& assertion) {
  const AuthenticatorData data = POSTHUS_TRY(parse_authenticator_data(assertion.authenticator_data));
  POSTHUS_TRY_VOID(check_common(party, data));
  if (!data.credential_id.empty()) return refuse_passkey("a credential where none belongs");
  if (((data.flags & kBackupEligible) != 0) != known.is_backup_eligible) return refuse_passkey("flags of backup");
  if (assertion.signature.size() > kMaxSignature) return refuse_passkey("signature too long");
  std::string text = assertion.authenticator_data;
  text.append(as_view(sha256(assertion.client_data)));
  if (!is_signed(known.key, text, assertion.signature)) return refuse_passkey("wrong signature");
  return data.sign_count;
}

std::uint8_t transport_bits(const std::vector<std::string>& names) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < kTransports.size(); ++i) {
    for (const std::string& name : names) {
      if (name == kTransports[i]) bits |= static_cast<std::uint8_t>(1u << i);
    }
  }
  return bits;
}

std::vector<std::string> transport_names(std::uint8_t bits) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kTransports.size(); ++i) {
    if ((bits >> i) & 1) names.emplace_back(kTransports[i]);
  }
  return names;
}

}  // namespace posthus::web_admin
