// Checks credentials of API requests. RFC 6265 (cookies), RFC 6750 §2.1, §3; RFC 7617 §2; RFC 9110 §11.
#include "web-admin/authorisation.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/ip_address.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/sasl/totp.h"
#include "store/canonical_address.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "web-admin/api.h"
#include "web-admin/audit.h"
#include "web-admin/first_start.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kTokenPrefix = "posthus_";

std::unexpected<Response> refuse_call(int status, std::string_view detail) { return std::unexpected(problem(status, detail)); }

constexpr std::string_view kCredentialsNeeded =
    "Valid credentials are needed: sign in with a browser, or send a token (posthus token create) or a server admin's password.";

std::unexpected<Response> unauthorised(const Request& request, std::string_view detail = kCredentialsNeeded) {
  Response response = problem(401, detail);
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"posthus\"");
  // WHY: for Basic a browser would ask the person itself, in a window that nobody can style or close.
  if (request.origin.is_tls && !request.browser.is_from_panel)
    response.fields.emplace_back("WWW-Authenticate", "Basic realm=\"posthus\", charset=\"UTF-8\"");
  return std::unexpected(std::move(response));
}

bool is_loopback_origin(const Origin& origin) {
  const auto address = parse_ip_address(origin.remote_address);
  return address && is_loopback(*address) && !origin.is_proxy;
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
  // Who shows the secret may know that it was right.
  if ((*token)->expires && *(*token)->expires <= context.clock.now())
    return unauthorised(request, "The token has expired: make another one (posthus token create).");
  if (!token_allows(**token, needed)) return refuse_call(403, "The token does not have the scope this needs.");
  return Principal{.name = "token " + (*token)->id, .reaches_all = true};
}

// user-pass = user-id ":" password (RFC 7617 §2)
std::expected<Principal, Response> authorise_basic(const ServerContext& context, const Request& request, std::string_view text) {
  if (!request.origin.is_tls) return refuse_call(403, "Passwords are accepted over TLS only.");
  auto decoded = base64_decode(text);
  if (!decoded || !context.authenticator) return unauthorised(request);
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return unauthorised(request);
  const std::string login = decoded->substr(0, colon);
  Secret password(decoded->substr(colon + 1));
  wipe(*decoded);
  auto checked = check_password(context, request, login, std::move(password));
  if (!checked) return std::unexpected(std::move(checked).error());
  if (checked->user.role != store::Role::kServerAdmin) return refuse_call(403, "Only server admins may use this.");
  if (checked->needs_code) return refuse_call(403, "The account has a second factor: use a token, or sign in with a browser.");
  return Principal{.name = checked->user.address, .reaches_all = true};
}

// origin = scheme "://" host [ ":" port ] (RFC 6454 §6.2): is its authority the host that was asked?
bool is_own_origin(const Request& request) {
  const std::string_view origin = request.browser.origin;
  const std::size_t colon = origin.find("://");
  return colon != std::string_view::npos && ascii::equal_ignoring_case(origin.substr(colon + 3), request.host);
}

bool is_read_only(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// Who may do more than a domain admin is not changed by him: else he would take over the other's rights with a new password.
Result<bool> may_change(const store::Snapshot& snapshot, const Principal& principal, std::string_view address) {
  const auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(address));
  if (!user || user->role == store::Role::kUser) return true;
  if (user->role == store::Role::kServerAdmin) return false;
  const auto domains = POSTHUS_TRY(store::IdentityReader(snapshot).administered(user->account));
  return std::ranges::all_of(domains, [&principal](const std::string& domain) { return principal.may_reach(domain); });
}

/// Nothing when a domain admin may use the route for this path.
Result<std::optional<Response>> refuse_reach(const store::Snapshot& snapshot, const Principal& principal, const Request& request,
                                             const Route& route, const std::vector<std::string>& path) {
  switch (route.reach) {
    case Reach::kServer: return problem(403, "Only server admins may use this.");
    case Reach::kNarrowed: return std::nullopt;
    case Reach::kDomain: {
      const auto domain = mail::normalise_domain(path.at(0));
      if (domain && principal.may_reach(*domain)) return std::nullopt;
      return problem(403, kOutOfReach);
    }
    case Reach::kAddress:
      if (!principal.may_reach_address(path.at(0))) return problem(403, kOutOfReach);
      if (is_read_only(request) || POSTHUS_TRY(may_change(snapshot, principal, path.at(0)))) return std::nullopt;
      return problem(403, "Only server admins may change this account: it may do more than you.");
  }
  return problem(403, kOutOfReach);
}

/// Fills in what the account may reach, and refuses what it may not.
Result<std::optional<Response>> admit_account(const store::Snapshot& snapshot, Principal& principal, const Request& request,
                                              const Route& route, const std::vector<std::string>& path) {
  const auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(principal.session->account));
  const store::Role role = user ? user->role : store::Role::kUser;
  principal.reaches_all = role == store::Role::kServerAdmin;
  if (role == store::Role::kDomainAdmin) {
    principal.domains = POSTHUS_TRY(store::IdentityReader(snapshot).administered(user->account));
  }
  if (route.scope == Scope::kUser || principal.reaches_all) return std::nullopt;
  if (role != store::Role::kDomainAdmin) return problem(403, "Only server admins may use this.");
  return refuse_reach(snapshot, principal, request, route, path);
}

std::expected<Principal, Response> authorise_session(const ServerContext& context, const Request& request, const Route& route,
                                                     const std::vector<std::string>& path, BrowserSessions& sessions) {
  auto session = session_of(context, request, sessions);
  if (!session) return std::unexpected(problem(session.error()));
  if (!*session) return unauthorised(request);
  if (route.scope == Scope::kLocal) return refuse_call(403, "This is allowed on the Unix socket only.");
  if (!is_read_only(request)) {
    if (auto foreign = refuse_foreign_page(request)) return std::unexpected(*std::move(foreign));
  }
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return std::unexpected(problem(snapshot.error()));
  Principal principal{.name = (*session)->login, .session = **session};
  auto refusal = admit_account(**snapshot, principal, request, route, path);
  if (!refusal) return std::unexpected(problem(refusal.error()));
  if (*refusal) {
    note_refusal(context, request, principal, sessions, (*refusal)->status);
    return std::unexpected(**std::move(refusal));
  }
  return principal;
}

// credentials = "Bearer" 1*SP b64token (RFC 6750 §2.1). 100 bits of chance in the token: nobody guesses it, so nothing is
// counted.
std::expected<Principal, Response> authorise_set_up(const ServerContext& context, const Request& request) {
  if (!context.first_start || context.first_start->is_set_up())
    return refuse_call(403, "The server is set up already: sign in to change it.");
  if (!is_confidential(request.origin)) return refuse_call(403, "The token is accepted over TLS only.");
  const std::string_view text = request.authorization;
  const std::size_t space = std::min(text.find(' '), text.size());
  const bool is_bearer = ascii::equal_ignoring_case(text.substr(0, space), "Bearer");
  if (is_bearer && context.first_start->admits(ascii::trim(text.substr(space))))
    return Principal{.name = "set-up", .reaches_all = true};
  Response response =
      problem(401, "The token is not that of this start. The log shows the valid one; it is another one after each start.");
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"posthus\"");
  return std::unexpected(std::move(response));
}

}  // namespace

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

bool is_confidential(const Origin& origin) { return origin.is_tls || is_loopback_origin(origin); }

Result<std::string> credentials_fingerprint(const store::Snapshot& snapshot, const store::UserRecord& user) {
  const auto factor = POSTHUS_TRY(store::IdentityReader(snapshot).second_factor(user.account));
  std::string text;
  append_text(text, user.password_hash);
  // WHY a sign before it: a factor of passkeys has no secret, and is one all the same.
  append_text(text, factor ? "+" + factor->secret : std::string());
  return std::string(as_view(sha256(text)));
}

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
  bool may_stay = user && !user->is_disabled && POSTHUS_TRY(credentials_fingerprint(*snapshot, *user)) == session->credentials;
  if (may_stay) {
    const auto domain = POSTHUS_TRY(directory.domain(std::string_view(user->address).substr(user->address.rfind('@') + 1)));
    may_stay = domain && !domain->is_disabled;
  }
  if (may_stay && !session->passkey.empty()) {
    may_stay = POSTHUS_TRY(store::IdentityReader(*snapshot).passkey(session->account, session->passkey)).has_value();
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
  if (exchange->verdict() == sasl::LoginVerdict::kThrottled) return refuse_call(429, "Too many failed logins; try again later.");
  if (exchange->verdict() == sasl::LoginVerdict::kUnavailable)
    return refuse_call(503, "Logins cannot be checked now; try again later.");
  if (exchange->verdict() != sasl::LoginVerdict::kAccepted) return unauthorised(request);
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return std::unexpected(problem(snapshot.error()));
  auto user = store::DirectoryReader(**snapshot).user(exchange->account());
  if (!user) return std::unexpected(problem(user.error()));
  if (!*user) return unauthorised(request);
  const auto needs_code = store::IdentityReader(**snapshot).has_second_factor((*user)->account);
  if (!needs_code) return std::unexpected(problem(needs_code.error()));
  return CheckedPassword{**std::move(user), *needs_code};
}

std::string recovery_hash(std::string_view code) { return std::string(as_view(sha256(sasl::app_password_text(code)))); }

std::optional<Response> check_code(const ServerContext& context, const Request& request, const store::UserRecord& user,
                                   std::string_view code) {
  constexpr std::size_t kMaxCode = 100;
  using Verdict = sasl::Authenticator::CodeVerdict;
  if (!context.authenticator->admits_code(user.address)) return problem(429, "Too many wrong codes; try again later.");
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return problem(snapshot.error());
  const auto factor = store::IdentityReader(**snapshot).second_factor(user.account);
  if (!factor) return problem(factor.error());
  std::optional<store::UseSecondFactor> use;
  const std::string text = sasl::app_password_text(code.substr(0, kMaxCode));
  if (*factor && text.size() == sasl::kTotpDigits) {
    // WHY not without a secret: of an empty key everybody can make codes.
    const auto step = (*factor)->secret.empty()
                          ? std::optional<std::uint64_t>()
                          : sasl::find_totp_step((*factor)->secret, text, context.clock.now(), (*factor)->last_step);
    if (step) use = {.account = user.account, .step = *step, .recovery_hash = {}};
  } else if (*factor) {
    use = {.account = user.account, .recovery_hash = recovery_hash(text)};
  }
  // WHY the Writer decides: of two browsers that send the same code at once, one gets in.
  const auto used = use ? context.store.apply(*use) : Result<store::WriteOutcome>(fail(ErrorKind::kDenied, "wrong code"));
  if (!used && used.error().kind != ErrorKind::kDenied) return problem(used.error());
  const sasl::LoginFacts facts{
      .protocol = "http", .remote_address = request.origin.remote_address, .is_tls = is_confidential(request.origin)};
  context.authenticator->code_checked(user.address, facts, used ? Verdict::kRight : Verdict::kWrong);
  if (used) return std::nullopt;
  return problem(401, "The code is not right, or was used before.", "factor.used");
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

std::string_view to_string(Reach reach) {
  switch (reach) {
    case Reach::kServer: return "server";
    case Reach::kDomain: return "domain";
    case Reach::kAddress: return "address";
    case Reach::kNarrowed: return "narrowed";
  }
  return "server";
}

bool Principal::may_reach(std::string_view domain) const {
  return reaches_all || std::ranges::find(domains, domain) != domains.end();
}

bool Principal::may_reach_address(std::string_view address) const {
  if (reaches_all) return true;
  const auto canonical = store::canonical_address(address, store::CatchAll::kAllow);
  return canonical && may_reach(canonical->domain);
}

std::expected<Principal, Response> authorise(const ServerContext& context, const Request& request, const Route& route,
                                             const std::vector<std::string>& path, BrowserSessions& sessions) {
  const Scope needed = route.scope;
  if (request.origin.is_unix_socket) return Principal{.name = "local", .reaches_all = true};
  if (needed == Scope::kOpen) return Principal{};
  if (needed == Scope::kSetUp) return authorise_set_up(context, request);
  if (request.authorization.empty()) return authorise_session(context, request, route, path, sessions);
  const std::string_view text = request.authorization;
  const std::size_t space = text.find(' ');
  const std::string_view scheme = text.substr(0, space);
  const std::string_view credentials = space == std::string_view::npos ? std::string_view{} : ascii::trim(text.substr(space));
  if (ascii::equal_ignoring_case(scheme, "Basic")) {
    if (needed == Scope::kLocal) return refuse_call(403, "This is allowed on the Unix socket only.");
    if (needed == Scope::kUser) return refuse_call(403, "This is for people who are signed in with a browser.");
    return authorise_basic(context, request, credentials);
  }
  if (!ascii::equal_ignoring_case(scheme, "Bearer")) return unauthorised(request);
  // WHY: a token read off the wire is as good as stolen; on loopback a reverse proxy has done TLS already (RFC 6750 §5.3).
  if (!is_confidential(request.origin)) return refuse_call(403, "Tokens are accepted over TLS only.");
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
