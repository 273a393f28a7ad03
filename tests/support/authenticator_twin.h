// A twin of an authenticator (WebAuthn Level 3 §6) and of the browser before it: makes passkeys with OpenSSL and proves them,
// rightly or in whatever way a test wants wrong. Thread rule: one test.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace posthus::testing {

// CBOR (RFC 8949 §3), as much as authenticators write.
std::string cbor_head(std::uint8_t major, std::uint64_t argument);
std::string cbor_integer(std::int64_t value);
std::string cbor_bytes(std::string_view bytes);
std::string cbor_text(std::string_view text);

class AuthenticatorTwin {
 public:
  enum class Kind { kEs256, kEdDsa, kRs256, kRs256Short };
  explicit AuthenticatorTwin(Kind kind = Kind::kEs256);

  // What it says; tests change it.
  std::string relying_party = "mx.example.test", origin = "https://mx.example.test";
  std::string credential_id = "credential-0001";
  std::string client_data_more = R"(,"crossOrigin":false)";  // further members
  std::uint8_t flags = 0x05;                                 // user present and verified
  std::uint32_t sign_count = 0;
  std::string user_handle;  // told at registration
  std::string extensions;   // CBOR, with flag 0x80
  std::string format = "none", statement = cbor_head(5, 0);

  std::string cose_key() const;
  std::string client_data(std::string_view type, std::string_view challenge) const;  // challenge: raw
  std::string authenticator_data(bool has_credential) const;
  std::string attestation_object() const;
  /// Of authenticator data and hash of the client data.
  std::string sign(std::string_view authenticator_data, std::string_view client_data) const;

  // Bodies for the API. `challenge` as the API gave it.
  std::string registration(std::string_view name, const std::string& challenge) const;
  std::string proof(const std::string& challenge) const;

 private:
  Kind kind_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace posthus::testing
