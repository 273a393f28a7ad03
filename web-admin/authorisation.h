// Who may do what: scopes, bearer tokens (RFC 6750 §2.1) and HTTP Basic of server admins (RFC 7617).
// Tokens look like "posthus_<16 hex digits>_<secret>"; the store keeps SHA-256 of the secret only (256 random bits, so
// a plain hash cannot be searched). Thread rule: any thread; Basic blocks for a password hash.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "web-admin/request.h"

namespace posthus::web_admin {

struct ServerContext;

/// What a route asks for. "admin" includes "read", and "read" includes "metrics". kLocal: the Unix socket only.
enum class Scope : std::uint8_t { kOpen, kRead, kMetrics, kAdmin, kLocal };
std::string_view to_string(Scope scope);

/// Who was let in, for the log.
struct Principal {
  std::string name;  // "token 0123456789abcdef", "admin@example.test", "local", or empty on open routes
};

/// 401 without valid credentials, 403 when they do not suffice, 429 when the login throttle refuses, 503 when the directory
/// cannot be read.
std::expected<Principal, Response> authorise(const ServerContext& context, const Request& request, Scope needed);

inline constexpr std::size_t kTokenIdDigits = 16;
struct TokenParts {
  std::string_view id, secret;
};
/// The parts of a token as its owner sends it.
std::optional<TokenParts> split_token(std::string_view token);
std::string join_token(std::string_view id, std::string_view secret);

}  // namespace posthus::web_admin
