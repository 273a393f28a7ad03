// /api/v1/session, /api/v1/sessions, /api/v1/me: signing in with a browser, and one's own account. RFC 6265 (cookies).
// Over plain HTTP only from this machine: the cookie is Secure all the same, so the way from the browser to a proxy there must
// be TLS, or the browser must take this machine for safe (Chromium and Firefox do for localhost).
#include <algorithm>
#include <array>

#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "store/mailbox_reader.h"
#include "web-admin/api.h"
#include "web-admin/authorisation.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/lists.h"
#include "web-admin/panel.h"
#include "web-admin/passkeys.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

std::pair<std::string, std::string> set_cookie(std::string_view value, std::chrono::seconds lifetime) {
  std::string cookie(kSessionCookie);
  cookie.append("=").append(value).append("; Path=/; Max-Age=").append(std::to_string(lifetime.count()));
  return {"Set-Cookie", cookie.append("; Secure; HttpOnly; SameSite=Strict")};
}

void append_session(JsonWriter& json, const BrowserSession& session, std::string_view own) {
  json.begin_object().key("id").text(session.id).key("login").text(session.login);
  json.key("is_this").boolean(session.id == own);
  json.key("created").text(mail::format_rfc3339(session.created));
  json.key("last_used").text(mail::format_rfc3339(session.last_used));
  json.key("ends").text(mail::format_rfc3339(session.end())).key("idle_ends").text(mail::format_rfc3339(session.idle_end()));
  json.key("remote_address").text(session.remote_address).key("user_agent").text(session.user_agent).end_object();
}

Result<std::string> session_json(const Call& call, const std::optional<BrowserSession>& session) {
  JsonWriter json;
  json.begin_object().key("hostname").text(call.context.hostname);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  json.key("passkeys").boolean(POSTHUS_TRY(offers_passkeys(call, *snapshot)));
  json.key("needs_code").boolean(false).key("takes_app_code").boolean(false).key("passkey").null().key("role");
  if (!session) return json.null().key("session").null().end_object().take();
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(session->account));
  json.text(role_name(user ? user->role : store::Role::kUser)).key("session");
  append_session(json, *session, session->id);
  return json.end_object().take();
}

/// The password was right, and the second factor is needed besides, a code or a passkey: nobody is signed in.
Result<Response> factor_needed(const Call& call, AccountId account) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto factor = POSTHUS_TRY(store::IdentityReader(*snapshot).second_factor(account));
  auto passkey = POSTHUS_TRY(passkey_request(call, *snapshot, account));
  JsonWriter json;
  json.begin_object().key("hostname").text(call.context.hostname).key("role").null().key("session").null();
  json.key("passkeys").boolean(passkey.has_value()).key("needs_code").boolean(true);
  json.key("takes_app_code").boolean(factor && !factor->secret.empty()).key("passkey");
  passkey ? json.raw(passkey->json) : json.null();
  Response response = json_response(202, json.end_object().take());
  if (passkey) response.fields.emplace_back("Set-Cookie", std::move(passkey->cookie));
  return response;
}

Result<Response> current(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto session = POSTHUS_TRY(session_of(call.context, call.request, call.sessions));
  return json_response(200, POSTHUS_TRY(session_json(call, session)));
}

Result<Response> open(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("login");
  fields.require("password");
  const auto login = fields.text("login");
  auto password = fields.text("password");
  const auto code = fields.text("code");
  POSTHUS_TRY_VOID(fields.finish());
  Secret secret(*std::move(password));
  if (!is_confidential(call.request.origin)) return problem(403, "Passwords are accepted over TLS only.");
  if (auto foreign = refuse_foreign_page(call.request)) return *std::move(foreign);
  if (!call.context.authenticator) return problem(503, "Nobody can sign in here.");
  const auto checked = check_password(call.context, call.request, *login, std::move(secret));
  if (!checked) return checked.error();
  if (checked->needs_code && !code) return factor_needed(call, checked->user.account);
  if (checked->needs_code) {
    if (auto wrong = check_code(call.context, call.request, checked->user, *code)) return *std::move(wrong);
  }
  return begin_session(call, checked->user, {});
}

Result<Response> sign_out(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  call.sessions.close(call.principal.session->account, call.principal.session->id);
  Response response = no_content();
  response.fields.push_back(set_cookie("", std::chrono::seconds(0)));
  return response;
}

Result<Response> listed_sessions(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const BrowserSession& session : call.sessions.of(call.principal.session->account)) {
    append_session(json, session, call.principal.session->id);
  }
  json.end_array();
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

Result<Response> close_others(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const std::size_t closed = call.sessions.close_others(call.principal.session->account, call.principal.session->id);
  return json_response(200, JsonWriter().begin_object().key("closed").number(closed).end_object().take());
}

Result<Response> close_one(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const bool is_closed = call.sessions.close(call.principal.session->account, call.path[0]);
  return is_closed ? no_content() : problem(404, "There is no such session of yours.");
}

/// What a folder is for, where that is known (RFC 6154); empty.
std::string_view folder_use(const store::MailboxRecord& record) {
  constexpr std::array<std::string_view, 6> kUses{"",     "drafts", "sent",
                                                  "junk", "trash",  "archive"};  // in the order of SpecialUse
  return record.name == "INBOX" ? "inbox" : kUses.at(static_cast<std::size_t>(record.special_use));
}

Result<Response> own_user(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(call.principal.session->account));
  if (!user) return fail(ErrorKind::kNotFound, "the account is gone");
  JsonWriter json;
  POSTHUS_TRY_VOID(append_user(call, *snapshot, json, *user));
  return json_response(200, json.take());
}

Result<Response> own_folders(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const auto& [record, has_children] : POSTHUS_TRY(store::list_mailboxes(*snapshot, call.principal.session->account))) {
    json.begin_object().key("name").text(record.name).key("use").text_or_null(folder_use(record));
    json.key("messages").number(record.messages).key("unseen").number(record.unseen).key("bytes").number(record.bytes);
    json.end_object();
  }
  return json_response(200, json.end_array().end_object().take());
}

Result<Response> change_own(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const store::UserRecord user = POSTHUS_TRY(change_own_forwards(call, call.principal.session->login));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  POSTHUS_TRY_VOID(append_user(call, *snapshot, json, user));
  return json_response(200, json.take());
}

// Who finds a browser left open must not be able to take the account over: the present password is asked for.
Result<Response> own_password(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("current");
  fields.require("password");
  auto present = fields.text("current");
  auto password = fields.text("password");
  POSTHUS_TRY_VOID(fields.finish());
  Secret secret(*std::move(present));
  if (!call.principal.session) return no_session();
  const BrowserSession& session = *call.principal.session;
  if (auto wrong = check_own_password(call, std::move(secret))) return *std::move(wrong);
  POSTHUS_TRY(store_password(call, session.login, *std::move(password)));
  POSTHUS_TRY_VOID(keep_signed_in(call));
  return no_content();
}

}  // namespace

Result<Response> begin_session(const Call& call, const store::UserRecord& user, std::string_view passkey) {
  // WHY: what the browser brought, perhaps planted by somebody else, is never the session that is signed in.
  if (const auto old = POSTHUS_TRY(session_of(call.context, call.request, call.sessions))) {
    call.sessions.close(old->account, old->id);
  }
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  std::string credentials = POSTHUS_TRY(credentials_fingerprint(*snapshot, user));
  const auto opened = call.sessions.open({.account = user.account,
                                          .login = user.address,
                                          .credentials = std::move(credentials),
                                          .remote_address = call.request.origin.remote_address,
                                          .user_agent = call.request.browser.user_agent,
                                          .passkey = std::string(passkey)});
  Response response = json_response(201, POSTHUS_TRY(session_json(call, opened.session)));
  response.fields.push_back(set_cookie(opened.secret, kSessionLifetime));
  return response;
}

std::optional<Response> check_own_password(const Call& call, Secret password) {
  if (!call.context.authenticator) return problem(503, "Nobody can sign in here.");
  const auto checked = check_password(call.context, call.request, call.principal.session->login, std::move(password));
  if (checked) return std::nullopt;
  // 401 would say that the session is over.
  if (checked.error().status == 401) return problem(403, "The present password is not right.");
  return checked.error();
}

Result<> keep_signed_in(const Call& call) {
  const BrowserSession& session = *call.principal.session;
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(session.account));
  if (user) call.sessions.set_credentials(session.id, POSTHUS_TRY(credentials_fingerprint(*snapshot, *user)));
  return {};
}

Response get_panel_file(const Call& call) { return panel_file(call.request, call.path[0]); }
Response get_session(const Call& call) { return answer(current(call)); }
Response open_session(const Call& call) { return answer(open(call)); }
Response close_session(const Call& call) { return answer(sign_out(call)); }
Response list_sessions(const Call& call) { return answer(listed_sessions(call)); }
Response close_other_sessions(const Call& call) { return answer(close_others(call)); }
Response close_session_by_id(const Call& call) { return answer(close_one(call)); }
Response get_own_user(const Call& call) { return answer(own_user(call)); }
Response list_own_folders(const Call& call) { return answer(own_folders(call)); }
Response change_own_user(const Call& call) { return answer(change_own(call)); }
Response set_own_password(const Call& call) { return answer(own_password(call)); }

}  // namespace posthus::web_admin
