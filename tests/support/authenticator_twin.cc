// See authenticator_twin.h.
#include "tests/support/authenticator_twin.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace posthus::testing {
namespace {

std::string number_of(const EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string out(size == 0 ? static_cast<std::size_t>(BN_num_bytes(number)) : size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  BN_free(number);
  return out;
}

EVP_PKEY* make_key(AuthenticatorTwin::Kind kind) {
  switch (kind) {
    case AuthenticatorTwin::Kind::kEs256: return EVP_EC_gen("P-256");
    case AuthenticatorTwin::Kind::kEdDsa: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case AuthenticatorTwin::Kind::kRs256: return EVP_RSA_gen(2048);
    case AuthenticatorTwin::Kind::kRs256Short: return EVP_RSA_gen(1024);
  }
  return nullptr;
}

}  // namespace

std::string cbor_head(std::uint8_t major, std::uint64_t argument) {
  std::string out;
  const int width = argument < 24 ? 0 : argument < 256 ? 1 : argument < 65536 ? 2 : 4;
  const int info = width == 0 ? static_cast<int>(argument) : width == 1 ? 24 : width == 2 ? 25 : 26;
  append_u8(out, static_cast<std::uint8_t>(major << 5 | info));
  append_big_endian(out, argument, width);
  return out;
}
std::string cbor_integer(std::int64_t value) {
  return value >= 0 ? cbor_head(0, static_cast<std::uint64_t>(value)) : cbor_head(1, static_cast<std::uint64_t>(-1 - value));
}
std::string cbor_bytes(std::string_view bytes) { return cbor_head(2, bytes.size()).append(bytes); }
std::string cbor_text(std::string_view text) { return cbor_head(3, text.size()).append(text); }

AuthenticatorTwin::AuthenticatorTwin(Kind kind) : kind_(kind), key_(make_key(kind), EVP_PKEY_free) { CHECK(key_); }

std::string AuthenticatorTwin::cose_key() const {
  const auto member = [](std::int64_t label, std::string value) { return cbor_integer(label) + std::move(value); };
  if (kind_ == Kind::kEs256) {
    return cbor_head(5, 5) + member(1, cbor_integer(2)) + member(3, cbor_integer(-7)) + member(-1, cbor_integer(1)) +
           member(-2, cbor_bytes(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32))) +
           member(-3, cbor_bytes(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)));
  }
  if (kind_ == Kind::kEdDsa) {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    CHECK(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    return cbor_head(5, 4) + member(1, cbor_integer(1)) + member(3, cbor_integer(-8)) + member(-1, cbor_integer(6)) +
           member(-2, cbor_bytes(raw));
  }
  return cbor_head(5, 4) + member(1, cbor_integer(3)) + member(3, cbor_integer(-257)) +
         member(-1, cbor_bytes(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0))) +
         member(-2, cbor_bytes(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0)));
}

std::string AuthenticatorTwin::client_data(std::string_view type, std::string_view challenge) const {
  return "{\"type\":\"" + std::string(type) + "\",\"challenge\":\"" + base64url_encode(challenge) + "\",\"origin\":\"" + origin +
         "\"" + client_data_more + "}";
}

std::string AuthenticatorTwin::authenticator_data(bool has_credential) const {
  std::string data(as_view(sha256(relying_party)));
  append_u8(data, static_cast<std::uint8_t>(flags | (has_credential ? 0x40 : 0)));
  append_u32(data, sign_count);
  if (has_credential) {
    data.append(16, '\0');
    append_u16(data, static_cast<std::uint16_t>(credential_id.size()));
    data += credential_id + cose_key();
  }
  return data + extensions;
}

std::string AuthenticatorTwin::attestation_object() const {
  return cbor_head(5, 3) + cbor_text("fmt") + cbor_text(format) + cbor_text("attStmt") + statement + cbor_text("authData") +
         cbor_bytes(authenticator_data(true));
}

std::string AuthenticatorTwin::sign(std::string_view authenticator_data, std::string_view client_data) const {
  std::string text(authenticator_data);
  text.append(as_view(sha256(client_data)));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const EVP_MD* const digest = kind_ == Kind::kEdDsa ? nullptr : EVP_sha256();
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  signature.resize(size);
  return signature;
}

std::string AuthenticatorTwin::registration(std::string_view name, const std::string& challenge) const {
  const std::string data = client_data("webauthn.create", base64url_decode(challenge).value_or("?"));
  return "{\"name\":\"" + std::string(name) + "\",\"client_data\":\"" + base64url_encode(data) + "\",\"attestation_object\":\"" +
         base64url_encode(attestation_object()) + "\",\"transports\":[\"internal\",\"unheard-of\"]}";
}

std::string AuthenticatorTwin::proof(const std::string& challenge) const {
  const std::string data = client_data("webauthn.get", base64url_decode(challenge).value_or("?"));
  const std::string authenticator = authenticator_data(false);
  return "{\"id\":\"" + base64url_encode(credential_id) + "\",\"client_data\":\"" + base64url_encode(data) +
         "\",\"authenticator_data\":\"" + base64url_encode(authenticator) + "\",\"signature\":\"" +
         base64url_encode(sign(authenticator, data)) + "\",\"user_handle\":\"" + base64url_encode(user_handle) + "\"}";
}

}  // namespace posthus::testing
