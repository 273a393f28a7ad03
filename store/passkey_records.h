// Passkeys: public keys with which a browser proves who signs in (WebAuthn Level 3). Nothing here is secret.
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::store {

struct PasskeyRecord {
  AccountId account;
  std::string id;             // public name in the API, 16 hex digits of the SHA-256 of the credential's
  std::string name;           // what its owner calls it
  std::string relying_party;  // host name of the panel it was made under: browsers use it there only (WebAuthn §4, RP ID)
  std::string user_handle;    // begins with the account (u32), then chance; the same for all passkeys of an account
  std::string credential_id;  // raw
  std::string public_key;     // SubjectPublicKeyInfo, DER
  std::int32_t algorithm = 0;
  std::uint32_t sign_count = 0;
  std::uint8_t transports = 0;  // bits, see web-admin/webauthn.h
  bool is_backup_eligible = false;
  Timestamp created;    // set by the store
  Timestamp last_used;  // 0: never
  std::string last_address;
};
inline constexpr std::size_t kMaxPasskeys = 25;         // of one account, as app passwords
inline constexpr std::size_t kMaxPasskeyName = 100;     // bytes
inline constexpr std::size_t kMaxCredentialId = 1023;   // WebAuthn §5.8.3
inline constexpr std::size_t kMaxPasskeyRecord = 4096;  // a key of RSA 4096 takes 550 bytes
inline constexpr std::size_t kUserHandle = 16;          // bytes

/// A new one. kNotFound when there is no such account, kTooLarge when it has kMaxPasskeys, kExists when it has this one.
struct PutPasskey {
  PasskeyRecord passkey;
};
/// It signed somebody in. kDenied when the counter did not go up although it is in use: there are two of it (WebAuthn §6.1.1).
struct UsePasskey {
  AccountId account;
  std::string id;
  std::uint32_t sign_count = 0;
  std::string remote_address;
};
struct RemovePasskey {
  AccountId account;
  std::string id;
};

}  // namespace posthus::store
