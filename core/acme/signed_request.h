// The bodies of ACME requests: flattened JWS. RFC 8555 §6.2, §7.3.4, RFC 7515 §7.2.2. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/acme/account_key.h"
#include "core/base/result.h"

namespace posthus::acme {

struct ProtectedHead {
  std::string nonce, url;
  std::string account_url;  // empty: the account is not known yet, the key itself goes along
};
/// `payload` is JSON, or "" (POST-as-GET, RFC 8555 §6.3).
Result<std::string> signed_request(const AccountKey& key, const ProtectedHead& head, std::string_view payload);

/// What a CA gave to bind an account to a customer.
struct ExternalAccount {
  std::string key_id, mac_key;  // mac_key: raw bytes
};
/// The JWS that goes into newAccount as externalAccountBinding (RFC 8555 §7.3.4).
std::string external_account_binding(const AccountKey& key, const ExternalAccount& account, std::string_view new_account_url);

/// WHY not dump() itself: a URL of the CA may hold anything; bytes that are no UTF-8 are replaced, not thrown about.
std::string json_text(const nlohmann::json& json);

/// What a challenge's answer holds (RFC 8555 §8.1): token "." thumbprint.
std::string key_authorization(const AccountKey& key, std::string_view token);

}  // namespace posthus::acme
