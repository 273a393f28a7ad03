// Flattened JWS, JSON by nlohmann/json. RFC 7515 §7.2.2.
#include "core/acme/signed_request.h"

#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/hash.h"

namespace posthus::acme {
namespace {

using Json = nlohmann::json;

std::string flattened(const std::string& head, const std::string& payload, std::string_view signature) {
  return R"({"protected":")" + head + R"(","payload":")" + payload + R"(","signature":")" + base64url_encode(signature) + "\"}";
}

}  // namespace

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::string> signed_request(const AccountKey& key, const ProtectedHead& head, std::string_view payload) {
  Json json{{"alg", "ES256"}, {"nonce", head.nonce}, {"url", head.url}};
  if (head.account_url.empty()) {
    json["jwk"] = Json::parse(key.jwk());
  } else {
    json["kid"] = head.account_url;
  }
  const std::string encoded_head = base64url_encode(json_text(json)), encoded_payload = base64url_encode(payload);
  const std::string signature = POSTHUS_TRY(key.sign(encoded_head + "." + encoded_payload));
  return flattened(encoded_head, encoded_payload, signature);
}

std::string external_account_binding(const AccountKey& key, const ExternalAccount& account, std::string_view new_account_url) {
  const Json json{{"alg", "HS256"}, {"kid", account.key_id}, {"url", new_account_url}};
  const std::string head = base64url_encode(json_text(json)), payload = base64url_encode(key.jwk());
  return flattened(head, payload, hmac_sha256(account.mac_key, head + "." + payload));
}

std::string key_authorization(const AccountKey& key, std::string_view token) {
  return std::string(token) + "." + key.thumbprint();
}

}  // namespace posthus::acme
