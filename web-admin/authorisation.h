// Who may do what: scopes, bearer tokens (RFC 6750 §2.1) and HTTP Basic of server admins (RFC 7617).
// Browsers bring the cookie of a session (browser_sessions.h); what they change they must ask for with the field
// X-Posthus-Panel and, if they send one, an Origin that is ours (CSRF).
// Tokens look like "posthus_<16 hex digits>_<secret>"; the store keeps SHA-256 of the secret only (256 random bits, so
// a plain hash cannot be searched). Thread rule: any thread; Basic blocks for a password hash.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "store/records.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/request.h"

namespace posthus::web_admin {

struct ServerContext;

/// What a route asks for. "admin" includes "read", and "read" includes "metrics". kLocal: the Unix socket only.
/// kUser: whoever is signed in with a browser, for his own account; tokens and Basic are not.
/// kSetUp: whoever shows the token that the log of a server that is not set up yet has told, as bearer token.
enum class Scope : std::uint8_t { kOpen, kRead, kMetrics, kAdmin, kUser, kLocal, kSetUp };
std::string_view to_string(Scope scope);

/// Who was let in, for the log.
struct Principal {
  std::string name;                            // "token 0123456789abcdef", "admin@example.test", "local", or empty on open routes
  std::optional<BrowserSession> session = {};  // of a browser
};

/// 401 without valid credentials, 403 when they do not suffice, 429 when the login throttle refuses, 503 when the directory
/// cannot be read.
/// `sessions`: those of browsers; a session that is used lives on.
std::expected<Principal, Response> authorise(const ServerContext& context, const Request& request, Scope needed,
                                             BrowserSessions& sessions);

/// Is the connection one that secrets may cross: TLS, or from this machine (a proxy there has done TLS)?
bool is_confidential(const Origin& origin);
/// Does a browser's request to change something come from our own pages? Nothing, or why not.
std::optional<Response> refuse_foreign_page(const Request& request);
/// The live session of the request's cookie whose account may still sign in.
Result<std::optional<BrowserSession>> session_of(const ServerContext& context, const Request& request, BrowserSessions& sessions);
/// Of the account's password, for BrowserSession::credentials.
std::string credentials_fingerprint(const store::UserRecord& user);

/// The cookie's name says: Secure, Path=/, of this host alone (RFC 6265bis §4.1.3.2).
inline constexpr std::string_view kSessionCookie = "__Host-posthus";

struct CheckedPassword {
  store::UserRecord user;
};
/// 401 for a wrong one, 403 for a disabled account, 429 when the throttle refuses, 503 when nobody could look. Blocks.
std::expected<CheckedPassword, Response> check_password(const ServerContext& context, const Request& request,
                                                        std::string_view login, Secret password);

inline constexpr std::size_t kTokenIdDigits = 16;
struct TokenParts {
  std::string_view id, secret;
};
/// The parts of a token as its owner sends it.
std::optional<TokenParts> split_token(std::string_view token);
std::string join_token(std::string_view id, std::string_view secret);

}  // namespace posthus::web_admin
