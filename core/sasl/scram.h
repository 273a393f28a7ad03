// SCRAM-SHA-256 (RFC 5802, RFC 7677) as pure functions: the messages, the keys and the proof. No user directory, no
// state; the exchange around them is in authenticator_scram.cc. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sasl/authenticator.h"

namespace posthus::sasl {

inline constexpr std::size_t kScramSaltBytes = 16;
inline constexpr std::size_t kMaxScramMessage = 4096;  // 2 names of 320 bytes quoted threefold, nonce, binding: far below
inline constexpr std::size_t kMaxScramNonce = 512;     // clients use 16 to 64

/// RFC 5802 §3. `password` prepared. Blocks for milliseconds.
ScramKeys make_scram_keys(std::string_view password, std::string salt, std::uint32_t iterations);

enum class ChannelBindingFlag : std::uint8_t {
  kUnsupported,       // "n"
  kClientThinksNone,  // "y"
  kUsed,              // "p="
};

/// client-first-message. Views into the message.
struct ScramClientFirst {
  ChannelBindingFlag flag = ChannelBindingFlag::kUnsupported;
  std::string_view binding_name;  // with kUsed
  std::string authzid, username;  // unquoted, not prepared
  std::string_view nonce;
  std::string_view gs2_header;  // up to and including its second comma
  std::string_view bare;        // client-first-message-bare
};
std::optional<ScramClientFirst> parse_client_first(std::string_view message);

/// client-final-message. Views into the message but for what was base64.
struct ScramClientFinal {
  std::string channel_binding;  // gs2-header and cbind-data
  std::string_view nonce;
  std::string proof;  // 32 bytes
  std::string_view without_proof;
};
std::optional<ScramClientFinal> parse_client_final(std::string_view message);

std::string make_server_first(std::string_view nonce, const ScramKeys& keys);
/// client-first-message-bare "," server-first-message "," client-final-message-without-proof
std::string make_auth_message(std::string_view client_first_bare, std::string_view server_first,
                              std::string_view client_final_without_proof);
/// Does `proof` show that the client has the ClientKey? In constant time.
bool is_valid_proof(const ScramKeys& keys, std::string_view auth_message, std::string_view proof);
/// server-final-message, "v=..."
std::string make_server_final(const ScramKeys& keys, std::string_view auth_message);

}  // namespace posthus::sasl
