// SCRAM-SHA-256: RFC 5802 §3 (keys), §5.1 (attributes), §7 (formal syntax).
#include "core/sasl/scram.h"

#include <openssl/evp.h>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/secret.h"

namespace posthus::sasl {
namespace {

constexpr std::size_t kDigest = 32;

/// Cuts the next attribute off the front of `rest`, with its comma.
std::string_view next_attribute(std::string_view& rest) {
  const std::size_t comma = rest.find(',');
  const std::string_view attribute = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  return attribute;
}

/// The value of an attribute that must be named `name`.
std::optional<std::string_view> value_of(std::string_view attribute, char name) {
  if (attribute.size() < 3 || attribute[0] != name || attribute[1] != '=') return std::nullopt;
  return attribute.substr(2);
}

// saslname = 1*(value-safe-char / "=2C" / "=3D")
std::optional<std::string> saslname(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') return std::nullopt;
    if (text[i] != '=') {
      out.push_back(text[i]);
      continue;
    }
    const std::string_view quoted = text.substr(i, 3);
    if (quoted == "=2C")
      out.push_back(',');
    else if (quoted == "=3D")
      out.push_back('=');
    else
      return std::nullopt;
    i += 2;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

// printable = %x21-2B / %x2D-7E
bool is_nonce(std::string_view text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e || c == ',') return false;
  }
  return !text.empty() && text.size() <= kMaxScramNonce;
}

// attr-val = ALPHA "=" value ; value = 1*value-char, without NUL and ","
bool is_attr_val(std::string_view text) {
  return text.size() >= 3 && ascii::is_alpha(text[0]) && text[1] == '=' && text.find('\0') == std::string_view::npos;
}

// extensions = attr-val *("," attr-val)
bool are_extensions(std::string_view text) {
  if (text.ends_with(',')) return false;
  while (!text.empty()) {
    const std::string_view attribute = next_attribute(text);
    if (!is_attr_val(attribute) || attribute[0] == 'm') return false;  // RFC 5802 §5.1: 'm' must fail
  }
  return true;
}

// cb-name = 1*(ALPHA / DIGIT / "." / "-")
bool is_cb_name(std::string_view text) {
  for (const char c : text) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '.' && c != '-') return false;
  }
  return !text.empty();
}

// gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
bool gs2_cbind_flag(std::string_view text, ScramClientFirst& out) {
  if (text == "n") {
    out.flag = ChannelBindingFlag::kUnsupported;
  } else if (text == "y") {
    out.flag = ChannelBindingFlag::kClientThinksNone;
  } else if (text.starts_with("p=") && is_cb_name(text.substr(2))) {
    out.flag = ChannelBindingFlag::kUsed;
    out.binding_name = text.substr(2);
  } else {
    return false;
  }
  return true;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
  CHECK(a.size() == b.size());
  std::string out(a);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
  return out;
}

}  // namespace

ScramKeys make_scram_keys(std::string_view password, std::string salt, std::uint32_t iterations) {
  std::string salted(kDigest, '\0');
  const int made =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), reinterpret_cast<const unsigned char*>(salt.data()),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(), static_cast<int>(kDigest),
                        reinterpret_cast<unsigned char*>(salted.data()));
  CHECK(made == 1);
  ScramKeys keys;
  keys.iterations = iterations;
  keys.salt = std::move(salt);
  std::string client_key = hmac_sha256(salted, "Client Key");
  keys.stored_key = std::string(as_view(sha256(client_key)));
  keys.server_key = hmac_sha256(salted, "Server Key");
  wipe(salted);
  wipe(client_key);
  return keys;
}

// client-first-message = gs2-header client-first-message-bare
// gs2-header = gs2-cbind-flag "," [ authzid ] ","
// client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
std::optional<ScramClientFirst> parse_client_first(std::string_view message) {
  if (message.size() > kMaxScramMessage) return std::nullopt;
  ScramClientFirst out;
  std::string_view rest = message;
  if (!gs2_cbind_flag(next_attribute(rest), out)) return std::nullopt;
  const std::size_t second_comma = rest.find(',');
  if (second_comma == std::string_view::npos) return std::nullopt;
  const std::string_view authzid = next_attribute(rest);
  if (!authzid.empty()) {
    const auto value = value_of(authzid, 'a');
    auto name = value ? saslname(*value) : std::nullopt;
    if (!name) return std::nullopt;
    out.authzid = *std::move(name);
  }
  out.bare = rest;
  out.gs2_header = message.substr(0, message.size() - rest.size());
  const auto username = value_of(next_attribute(rest), 'n');
  const auto nonce = value_of(next_attribute(rest), 'r');
  auto name = username ? saslname(*username) : std::nullopt;
  if (!name || !nonce || !is_nonce(*nonce) || !are_extensions(rest) || message.ends_with(',')) return std::nullopt;
  out.username = *std::move(name);
  out.nonce = *nonce;
  return out;
}

// client-final-message = client-final-message-without-proof "," proof
// client-final-message-without-proof = channel-binding "," nonce ["," extensions]
std::optional<ScramClientFinal> parse_client_final(std::string_view message) {
  if (message.size() > kMaxScramMessage) return std::nullopt;
  const std::size_t last_comma = message.rfind(',');
  if (last_comma == std::string_view::npos) return std::nullopt;
  ScramClientFinal out;
  out.without_proof = message.substr(0, last_comma);
  std::string_view rest = out.without_proof;
  const auto proof = value_of(message.substr(last_comma + 1), 'p');
  const auto binding = value_of(next_attribute(rest), 'c');
  const auto nonce = value_of(next_attribute(rest), 'r');
  if (!proof || !binding || !nonce || !are_extensions(rest) || out.without_proof.ends_with(',')) return std::nullopt;
  auto raw_proof = base64_decode(*proof);
  auto raw_binding = base64_decode(*binding);
  if (!raw_proof || raw_proof->size() != kDigest || !raw_binding) return std::nullopt;
  out.proof = *std::move(raw_proof);
  out.channel_binding = *std::move(raw_binding);
  out.nonce = *nonce;
  return out;
}

std::string make_server_first(std::string_view nonce, const ScramKeys& keys) {
  return "r=" + std::string(nonce) + ",s=" + base64_encode(keys.salt) + ",i=" + std::to_string(keys.iterations);
}

std::string make_auth_message(std::string_view client_first_bare, std::string_view server_first,
                              std::string_view client_final_without_proof) {
  std::string out(client_first_bare);
  out.append(",").append(server_first).append(",").append(client_final_without_proof);
  return out;
}

bool is_valid_proof(const ScramKeys& keys, std::string_view auth_message, std::string_view proof) {
  if (proof.size() != kDigest || keys.stored_key.size() != kDigest) return false;
  const std::string client_key = exclusive_or(proof, hmac_sha256(keys.stored_key, auth_message));
  return equal_in_constant_time(as_view(sha256(client_key)), keys.stored_key);
}

std::string make_server_final(const ScramKeys& keys, std::string_view auth_message) {
  return "v=" + base64_encode(hmac_sha256(keys.server_key, auth_message));
}

}  // namespace posthus::sasl
