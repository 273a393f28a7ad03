// What proves who somebody is besides the password, whose domains he looks after, and what admins did. The second factor is TOTP
// (RFC 6238). Its key must be readable to be of use, and so stands in the store as it is; everything else is hashed.
// Thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::store {

struct SecondFactorRecord {
  AccountId account;
  std::string secret;                        // key of TOTP, raw; empty: passkeys and recovery codes only
  std::uint64_t last_step = 0;               // of the last code that was taken: none is taken twice (RFC 6238 §5.2)
  std::vector<std::string> recovery_hashes;  // SHA-256 of codes that are left, raw
  Timestamp created;                         // set by the store
};
inline constexpr std::size_t kMaxFactorSecret = 64;
inline constexpr std::size_t kMaxRecoveryCodes = 16;

/// Bits of AppPasswordRecord::protocols.
namespace mail_protocol {
inline constexpr std::uint8_t kImap = 1, kPop3 = 2, kSmtp = 4, kAll = 7;
}

/// A further password of an account, made by the server, for one mail program. 100 random bits, so that a plain hash cannot be
/// searched and a check costs nothing.
struct AppPasswordRecord {
  AccountId account;
  std::string id;    // public, random
  std::string name;  // what its owner calls it
  std::uint8_t protocols = mail_protocol::kAll;
  std::string secret_hash;             // SHA-256, raw
  std::uint32_t scram_iterations = 0;  // 0: no SCRAM
  std::string scram_salt, scram_stored_key, scram_server_key;
  std::optional<Timestamp> expires;
  Timestamp created;    // set by the store
  Timestamp last_used;  // 0: never; written once an hour at most
  std::string last_address;
};
inline constexpr std::size_t kMaxAppPasswords = 25;  // of one account: nobody has more devices, and each is looked at in a login
inline constexpr std::size_t kMaxAppPasswordName = 100;

inline constexpr std::size_t kMaxAdministeredDomains = 1000;  // of one account: read with each request of his
inline constexpr std::size_t kMaxAuditEvent = 8 * 1024;       // bytes of JSON

/// The former one of the account is replaced. kNotFound when there is no such account, kInvalid without a key when the account
/// has no passkey.
struct PutSecondFactor {
  SecondFactorRecord factor;
};
/// A code is used up: kDenied when it was before. With `recovery_hash` that one, else the code of time step `step`.
struct UseSecondFactor {
  AccountId account;
  std::uint64_t step = 0;
  std::string recovery_hash;
};
struct RemoveSecondFactor {
  AccountId account;
};
/// A new one. kNotFound when there is no such account, kTooLarge when it has kMaxAppPasswords.
struct PutAppPassword {
  AppPasswordRecord password;
};
/// It was used now.
struct UseAppPassword {
  AccountId account;
  std::string id, remote_address;
};
struct RemoveAppPassword {
  AccountId account;
  std::string id;
};
/// What an admin did, a JSON object. The oldest go when there are more than the setting audit.entries says.
struct AddAudit {
  std::string json;
};

}  // namespace posthus::store
