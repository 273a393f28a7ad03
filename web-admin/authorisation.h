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
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "store/records.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/request.h"

namespace posthus::store {
class Snapshot;
}

namespace posthus::web_admin {

struct ServerContext;
struct Route;

/// What a route asks for. "admin" includes "read", and "read" includes "metrics". kLocal: the Unix socket only.
/// kUser: whoever is signed in with a browser, for his own account; tokens and Basic are not.
/// kSetUp: whoever shows the token that the log of a server that is not set up yet has told, as bearer token.
enum class Scope : std::uint8_t { kOpen, kRead, kMetrics, kAdmin, kUser, kLocal, kSetUp };
std::string_view to_string(Scope scope);

/// Whom of those who are signed in with a browser a route is for, besides server admins. What a row of the table does not say is
/// for server admins only.
enum class Reach : std::uint8_t {
  kServer,    // nobody else
  kDomain,    // domain admins: the first name in the path is a domain, and must be theirs
  kAddress,   // domain admins: the first name in the path is an address, and must be at a domain of theirs
  kNarrowed,  // domain admins: the handler shows and takes only what Principal::may_reach lets pass
};
std::string_view to_string(Reach reach);

/// Who was let in, and what he may see and change.
struct Principal {
  std::string name;                            // "token 0123456789abcdef", "admin@example.test", "local", or empty on open routes
  std::optional<BrowserSession> session = {};  // of a browser
  bool reaches_all = false;                    // server admins, tokens with the scope, the Unix socket
  std::vector<std::string> domains = {};       // of a domain admin, normalised

  /// `domain`: normalised.
  bool may_reach(std::string_view domain) const;
  /// May he see and change what belongs to this address, in whatever spelling? Catch-alls ("@domain") are addresses too.
  bool may_reach_address(std::string_view address) const;
};

/// 401 without valid credentials, 403 when they do not suffice, 429 when the login throttle refuses, 503 when the directory
/// cannot be read.
/// `sessions`: those of browsers; a session that is used lives on. `path`: values of the names in the route's path. A domain
/// admin gets the same 403 for what is somebody else's and what does not exist.
std::expected<Principal, Response> authorise(const ServerContext& context, const Request& request, const Route& route,
                                             const std::vector<std::string>& path, BrowserSessions& sessions);

/// What is said to who asks for something of a domain that is not his.
inline constexpr std::string_view kOutOfReach = "This is of no domain that you look after.";

/// Is the connection one that secrets may cross: TLS, or from this machine (a proxy there has done TLS)?
bool is_confidential(const Origin& origin);
/// Does a browser's request to change something come from our own pages? Nothing, or why not.
std::optional<Response> refuse_foreign_page(const Request& request);
/// The live session of the request's cookie whose account may still sign in.
Result<std::optional<BrowserSession>> session_of(const ServerContext& context, const Request& request, BrowserSessions& sessions);
/// Of the account's password and second factor, for BrowserSession::credentials.
Result<std::string> credentials_fingerprint(const store::Snapshot& snapshot, const store::UserRecord& user);

/// The cookie's name says: Secure, Path=/, of this host alone (RFC 6265bis §4.1.3.2).
inline constexpr std::string_view kSessionCookie = "__Host-posthus";

/// Value of the cookie with this name; empty without, and when the name is there twice.
std::string_view cookie_value(std::string_view cookies, std::string_view name);

struct CheckedPassword {
  store::UserRecord user;
  bool needs_code = false;  // the account has a second factor: nobody is signed in before check_code()
};
/// 401 for a wrong one, 403 for a disabled account, 429 when the throttle refuses, 503 when nobody could look. Blocks.
std::expected<CheckedPassword, Response> check_password(const ServerContext& context, const Request& request,
                                                        std::string_view login, Secret password);

/// A code of the account's second factor, or a recovery code; it is used up by that. Nothing when it was right; else 401, 429
/// after too many wrong ones.
std::optional<Response> check_code(const ServerContext& context, const Request& request, const store::UserRecord& user,
                                   std::string_view code);
/// As it is stored, whatever spaces, hyphens and case it is typed with.
std::string recovery_hash(std::string_view code);

inline constexpr std::size_t kTokenIdDigits = 16;
struct TokenParts {
  std::string_view id, secret;
};
/// The parts of a token as its owner sends it.
std::optional<TokenParts> split_token(std::string_view token);
std::string join_token(std::string_view id, std::string_view secret);

}  // namespace posthus::web_admin
