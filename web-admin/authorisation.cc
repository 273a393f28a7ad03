// Checks credentials of API requests. RFC 6265 (cookies), RFC 6750 §2.1, §3; RFC 7617 §2; RFC 9110 §11.
#include "web-admin/authorisation.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/ip_address.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/first_start.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kTokenPrefix = "posthus_";

std::unexpected<Response> refuse(int status, std::string_view detail) { return std::unexpected(problem(status, detail)); }

std::unexpected<Response> unauthorised(const Request& request) {
  Response response = problem(401, "Valid credentials are needed.");
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"posthus\"");
  // WHY: for Basic a browser would ask the person itself, in a window that nobody can style or close.
  if (request.origin.is_tls && !request.browser.is_from_panel)
    response.fields.emplace_back("WWW-Authenticate", "Basic realm=\"posthus\", charset=\"UTF-8\"");
  return std::unexpected(std::move(response));
}

bool is_loopback_origin(const Origin& origin) {
  const auto address = parse_ip_address(origin.remote_address);
  return address && is_loopback(*address);
}

bool token_allows(const store::TokenRecord& token, Scope needed) {
  const auto has = [&token](std::string_view scope) {
    return std::find(token.scopes.begin(), token.scopes.end(), scope) != token.scopes.end();
  };
  if (needed == Scope::kLocal || needed == Scope::kUser) return false;
  return has("admin") || has(to_string(needed)) || (needed == Scope::kMetrics && has("read"));
}

std::expected<Principal, Response> authorise_token(const ServerContext& context, const Request& request, std::string_view text,
                                                   Scope needed) {
  const auto parts = split_token(text);
  if (!parts) return unauthorised(request);
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return std::unexpected(problem(snapshot.error()));
  const auto token = store::DirectoryReader(**snapshot).token(parts->id);
  if (!token) return std::unexpected(problem(token.error()));
  const Sha256Digest digest = sha256(parts->secret);
  if (!*token || !equal_in_constant_time((*token)->secret_hash, as_view(digest))) return unauthorised(request);
  if ((*token)->expires && *(*token)->expires <= context.clock.now()) return unauthorised(request);
  if (!token_allows(**token, needed)) return refuse(403, "The token does not have the scope this needs.");
  return Principal{"token " + (*token)->id};
}

// user-pass = user-id ":" password (RFC 7617 §2)
std::expected<Principal, Response> authorise_basic(const ServerContext& context, const Request& request, std::string_view text) {
  if (!request.origin.is_tls) return refuse(403, "Passwords are accepted over TLS only.");
  auto decoded = base64_decode(text);
  if (!decoded || !context.authenticator) return unauthorised(request);
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return unauthorised(request);
  const std::string login = decoded->substr(0, colon);
  Secret password(decoded->substr(colon + 1));
  wipe(*decoded);
  auto checked = check_password(context, request, login, std::move(password));
  if (!checked) return std::unexpected(std::move(checked).error());
  if (checked->user.role != store::Role::kServerAdmin) return refuse(403, "Only server admins may use this.");
  return Principal{checked->user.address};
}

// cookie-pair = cookie-name "=" cookie-value (RFC 6265 §4.2.1). A name that is there twice is no session of ours.
std::string_view cookie_value(std::string_view cookies, std::string_view name) {
  std::string_view found;
  while (!cookies.empty()) {
    const std::size_t semicolon = std::min(cookies.find(';'), cookies.size());
    const std::string_view pair = ascii::trim(cookies.substr(0, semicolon));
    cookies.remove_prefix(std::min(semicolon + 1, cookies.size()));
    if (!pair.starts_with(name) || pair.size() <= name.size() || pair[name.size()] != '=') continue;
    if (!found.empty()) return {};
    found = pair.substr(name.size() + 1);
  }
  return found;
}

// origin = scheme "://" host [ ":" port ] (RFC 6454 §6.2): is its authority the host that was asked?
bool is_own_origin(const Request& request) {
  const std::string_view origin = request.browser.origin;
  const std::size_t colon = origin.find("://");
  return colon != std::string_view::npos && ascii::equal_ignoring_case(origin.substr(colon + 3), request.host);
}

bool is_read_only(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

std::expected<Principal, Response> authorise_session(const ServerContext& context, const Request& request, Scope needed,
                                                     BrowserSessions& sessions) {
  auto session = session_of(context, request, sessions);
  if (!session) return std::unexpected(problem(session.error()));
  if (!*session) return unauthorised(request);
  if (needed == Scope::kLocal) return refuse(403, "This is allowed on the Unix socket only.");
  if (!is_read_only(request)) {
    if (auto foreign = refuse_foreign_page(request)) return std::unexpected(*std::move(foreign));
  }
  if (needed != Scope::kUser) {
    const auto snapshot = context.store.snapshot();
    if (!snapshot) return std::unexpected(problem(snapshot.error()));
    const auto user = store::DirectoryReader(**snapshot).user((*session)->account);
    if (!user) return std::unexpected(problem(user.error()));
    if (!*user || (*user)->role != store::Role::kServerAdmin) return refuse(403, "Only server admins may use this.");
  }
  std::string name = (*session)->login;
  return Principal{std::move(name), *std::move(session)};
}

// credentials = "Bearer" 1*SP b64token (RFC 6750 §2.1). 100 bits of chance in the token: nobody guesses it, so nothing is
// counted.
std::expected<Principal, Response> authorise_set_up(const ServerContext& context, const Request& request) {
  if (!context.first_start || context.first_start->is_set_up())
    return refuse(403, "The server is set up already: sign in to change it.");
  if (!is_confidential(request.origin)) return refuse(403, "The token is accepted over TLS only.");
  const std::string_view text = request.authorization;
  const std::size_t space = std::min(text.find(' '), text.size());
  const bool is_bearer = ascii::equal_ignoring_case(text.substr(0, space), "Bearer");
  if (is_bearer && context.first_start->admits(ascii::trim(text.substr(space)))) return Principal{"set-up"};
  Response response =
      problem(401, "The token is not that of this start. The log shows the valid one; it is another one after each start.");
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"posthus\"");
  return std::unexpected(std::move(response));
}

}  // namespace

bool is_confidential(const Origin& origin) { return origin.is_tls || is_loopback_origin(origin); }

std::string credentials_fingerprint(const store::UserRecord& user) { return std::string(as_view(sha256(user.password_hash))); }

std::optional<Response> refuse_foreign_page(const Request& request) {
  const bool is_cross_site = !request.browser.fetch_site.empty() && request.browser.fetch_site != "same-origin";
  const bool has_other_origin = !request.browser.origin.empty() && !is_own_origin(request);
  if (request.browser.is_from_panel && !is_cross_site && !has_other_origin) return std::nullopt;
  return problem(403, "Changes with a browser's session are taken from the panel's own pages only.");
}

Result<std::optional<BrowserSession>> session_of(const ServerContext& context, const Request& request,
                                                 BrowserSessions& sessions) {
  if (!is_confidential(request.origin)) return std::nullopt;
  auto session = sessions.use(cookie_value(request.browser.cookie, kSessionCookie));
  if (!session) return std::nullopt;
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  const auto user = POSTHUS_TRY(directory.user(session->account));
  bool may_stay = user && !user->is_disabled && credentials_fingerprint(*user) == session->credentials;
  if (may_stay) {
    const auto domain = POSTHUS_TRY(directory.domain(std::string_view(user->address).substr(user->address.rfind('@') + 1)));
    may_stay = domain && !domain->is_disabled;
  }
  if (may_stay) return session;
  sessions.close(session->account, session->id);
  return std::nullopt;
}

std::expected<CheckedPassword, Response> check_password(const ServerContext& context, const Request& request,
                                                        std::string_view login, Secret password) {
  const sasl::LoginFacts facts{
      .protocol = "http", .remote_address = request.origin.remote_address, .is_tls = is_confidential(request.origin)};
  const auto exchange = context.authenticator->begin_password(login, std::move(password), facts);
  if (!exchange) return unauthorised(request);
  if (exchange->state() == sasl::LoginExchange::State::kVerify) exchange->verify();
  if (exchange->state() != sasl::LoginExchange::State::kDone) return unauthorised(request);
  if (exchange->verdict() == sasl::LoginVerdict::kThrottled) return refuse(429, "Too many failed logins; try again later.");
  if (exchange->verdict() == sasl::LoginVerdict::kUnavailable)
    return refuse(503, "Logins cannot be checked now; try again later.");
  if (exchange->verdict() != sasl::LoginVerdict::kAccepted) return unauthorised(request);
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return std::unexpected(problem(snapshot.error()));
  auto user = store::DirectoryReader(**snapshot).user(exchange->account());
  if (!user) return std::unexpected(problem(user.error()));
  if (!*user) return unauthorised(request);
  return CheckedPassword{**std::move(user)};
}

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::kOpen: return "open";
    case Scope::kRead: return "read";
    case Scope::kMetrics: return "metrics";
    case Scope::kAdmin: return "admin";
    case Scope::kUser: return "user";
    case Scope::kLocal: return "local";
    case Scope::kSetUp: return "setup";
  }
  return "local";
}

std::expected<Principal, Response> authorise(const ServerContext& context, const Request& request, Scope needed,
                                             BrowserSessions& sessions) {
  if (request.origin.is_unix_socket) return Principal{"local"};
  if (needed == Scope::kOpen) return Principal{};
  if (needed == Scope::kSetUp) return authorise_set_up(context, request);
  if (request.authorization.empty()) return authorise_session(context, request, needed, sessions);
  const std::string_view text = request.authorization;
  const std::size_t space = text.find(' ');
  const std::string_view scheme = text.substr(0, space);
  const std::string_view credentials = space == std::string_view::npos ? std::string_view{} : ascii::trim(text.substr(space));
  if (ascii::equal_ignoring_case(scheme, "Basic")) {
    if (needed == Scope::kLocal) return refuse(403, "This is allowed on the Unix socket only.");
    if (needed == Scope::kUser) return refuse(403, "This is for people who are signed in with a browser.");
    return authorise_basic(context, request, credentials);
  }
  if (!ascii::equal_ignoring_case(scheme, "Bearer")) return unauthorised(request);
  // WHY: a token read off the wire is as good as stolen; on loopback a reverse proxy has done TLS already (RFC 6750 §5.3).
  if (!is_confidential(request.origin)) return refuse(403, "Tokens are accepted over TLS only.");
  return authorise_token(context, request, credentials, needed);
}

std::optional<TokenParts> split_token(std::string_view token) {
  if (!token.starts_with(kTokenPrefix)) return std::nullopt;
  token.remove_prefix(kTokenPrefix.size());
  if (token.size() <= kTokenIdDigits + 1 || token.size() > 200 || token[kTokenIdDigits] != '_') return std::nullopt;
  return TokenParts{token.substr(0, kTokenIdDigits), token.substr(kTokenIdDigits + 1)};
}

std::string join_token(std::string_view id, std::string_view secret) {
  return std::string(kTokenPrefix).append(id).append("_").append(secret);
}

}  // namespace posthus::web_admin
