// /api/v1/me/second-factor, /api/v1/users/{address}/second-factor: codes of an authenticator app besides the password, and
// recovery codes for the day it is lost. RFC 6238. The key is shown once, while it is set up; recovery codes once, when they are
// made.
#include "core/base/random.h"
#include "core/mail/date_time.h"
#include "core/sasl/totp.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "web-admin/api.h"
#include "web-admin/factor_parts.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/qr_code.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kRecoveryCodes = 10;
constexpr int kRecoveryGroups = 4;  // of four letters and digits: 79 bits, too many to try however fast the hash is

Result<std::optional<store::SecondFactorRecord>> own_factor(const Call& call) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return store::IdentityReader(*snapshot).second_factor(call.principal.session->account);
}

Result<Response> show_second_factor(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return no_session();
  const auto factor = POSTHUS_TRY(own_factor(call));
  JsonWriter json;
  json.begin_object().key("enabled").boolean(factor.has_value()).key("created");
  factor ? json.text(mail::format_rfc3339(factor->created)) : json.null();
  json.key("takes_app_code").boolean(factor && !factor->secret.empty());
  json.key("recovery_codes_left").number(factor ? factor->recovery_hashes.size() : 0);
  return json_response(200, json.end_object().take());
}

// Passkeys alone: with the recovery codes that are made here, nobody is locked out who has lost his devices.
Result<Response> require(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  Secret password = POSTHUS_TRY(read_current_password(call));
  if (!call.principal.session) return no_session();
  if (auto wrong = check_own_password(call, std::move(password))) return *std::move(wrong);
  if (POSTHUS_TRY(own_factor(call))) return fail(ErrorKind::kExists, "the account has a second factor already; remove it first");
  const FreshCodes fresh = make_recovery_codes();
  const BrowserSession& session = *call.principal.session;
  const auto put = call.context.store.apply(
      store::PutSecondFactor{{.account = session.account, .secret = {}, .recovery_hashes = fresh.hashes, .created = {}}});
  if (!put && put.error().kind == ErrorKind::kInvalid) return problem(409, "Make a passkey first.", "passkey.none");
  if (!put) return std::unexpected(put.error());
  POSTHUS_TRY_VOID(keep_signed_in(call));
  if (call.context.authenticator) call.context.authenticator->forget(session.login);
  return codes_response(201, fresh);
}

Result<Response> begin(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  Secret password = POSTHUS_TRY(read_current_password(call));
  if (!call.principal.session) return no_session();
  if (auto wrong = check_own_password(call, std::move(password))) return *std::move(wrong);
  if (POSTHUS_TRY(own_factor(call))) return fail(ErrorKind::kExists, "the account has a second factor already; remove it first");
  const BrowserSession& session = *call.principal.session;
  const std::string secret = sasl::make_totp_secret();
  call.sessions.set_pending_factor(session.id, secret);
  return factor_key_response(call.context.hostname, session.login, secret);
}

// The first code shows that the app has the key: nobody locks himself out.
Result<Response> confirm(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("code");
  const auto code = fields.text("code");
  POSTHUS_TRY_VOID(fields.finish());
  if (!call.principal.session) return no_session();
  const BrowserSession& session = *call.principal.session;
  if (session.pending_factor.empty()) return fail(ErrorKind::kNotFound, "no second factor is being set up in this session");
  const auto step =
      sasl::find_totp_step(session.pending_factor, sasl::app_password_text(code->substr(0, 100)), call.context.clock.now(), 0);
  if (!step) return problem(403, "The code is not right. Is the clock of the device right?", "factor.wrong");
  const FreshCodes fresh = make_recovery_codes();
  POSTHUS_TRY(call.context.store.apply(store::PutSecondFactor{{.account = session.account,
                                                               .secret = session.pending_factor,
                                                               .last_step = *step,
                                                               .recovery_hashes = fresh.hashes,
                                                               .created = {}}}));
  call.sessions.set_pending_factor(session.id, {});
  POSTHUS_TRY_VOID(keep_signed_in(call));
  if (call.context.authenticator) call.context.authenticator->forget(session.login);
  return codes_response(201, fresh);
}

/// Both the password and a code are asked for again: an open browser alone must not take the second factor away.
std::expected<void, Response> check_both(const Call& call) {
  if (!call.principal.session) return std::unexpected(no_session());
  auto fields = JsonFields::parse(call.request.body);
  if (!fields) return std::unexpected(problem(fields.error()));
  fields->require("current");
  fields->require("code");
  auto present = fields->text("current");
  const auto code = fields->text("code");
  if (const auto finished = fields->finish(); !finished) return std::unexpected(problem(finished.error()));
  if (auto wrong = check_own_password(call, Secret(*std::move(present)))) return std::unexpected(*std::move(wrong));
  const auto snapshot = call.context.store.snapshot();
  if (!snapshot) return std::unexpected(problem(snapshot.error()));
  const auto user = store::DirectoryReader(**snapshot).user(call.principal.session->account);
  if (!user || !*user) return std::unexpected(no_session());
  auto wrong = check_code(call.context, call.request, **user, *code);
  if (!wrong) return {};
  if (wrong->status == 401) return std::unexpected(problem(403, "The code is not right, or was used before.", "factor.used"));
  return std::unexpected(*std::move(wrong));
}

Result<Response> removed_own_second_factor(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (const auto checked = check_both(call); !checked) return checked.error();
  POSTHUS_TRY(call.context.store.apply(store::RemoveSecondFactor{call.principal.session->account}));
  POSTHUS_TRY_VOID(keep_signed_in(call));
  return no_content();
}

Result<Response> renew(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (const auto checked = check_both(call); !checked) return checked.error();
  auto factor = POSTHUS_TRY(own_factor(call));
  if (!factor) return fail(ErrorKind::kNotFound, "the account has no second factor");
  const FreshCodes fresh = make_recovery_codes();
  factor->recovery_hashes = fresh.hashes;
  POSTHUS_TRY(call.context.store.apply(store::PutSecondFactor{*factor}));
  return codes_response(201, fresh);
}

Result<Response> remove_of_user(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(call.path[0]));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + call.path[0]);
  POSTHUS_TRY_VOID(check_not_own(call, *user));
  POSTHUS_TRY(call.context.store.apply(store::RemoveSecondFactor{user->account}));
  return no_content();
}

}  // namespace

FreshCodes make_recovery_codes() {
  FreshCodes fresh;
  for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
    fresh.codes.push_back(random_password(kRecoveryGroups));
    fresh.hashes.push_back(recovery_hash(fresh.codes.back()));
  }
  return fresh;
}

Response codes_response(int status, const FreshCodes& fresh) {
  return json_response(status, JsonWriter().begin_object().key("recovery_codes").texts(fresh.codes).end_object().take());
}

Response factor_key_response(std::string_view issuer, std::string_view login, std::string_view secret) {
  const std::string uri = sasl::totp_uri(issuer, login, secret);
  const auto image = qr_code_svg(uri, login);
  JsonWriter json;
  json.begin_object().key("secret").text(sasl::base32_encode(secret)).key("uri").text(uri).key("qr");
  image ? json.text(*image) : json.null();  // without the library the key is typed
  return json_response(200, json.end_object().take());
}

Response get_second_factor(const Call& call) { return answer(show_second_factor(call)); }
Response begin_second_factor(const Call& call) { return answer(begin(call)); }
Response confirm_second_factor(const Call& call) { return answer(confirm(call)); }
Response require_passkeys(const Call& call) { return answer(require(call)); }
Response remove_own_second_factor(const Call& call) { return answer(removed_own_second_factor(call)); }
Response renew_recovery_codes(const Call& call) { return answer(renew(call)); }
Response remove_second_factor(const Call& call) { return answer(remove_of_user(call)); }

Result<Secret> read_current_password(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("current");
  auto present = fields.text("current");
  POSTHUS_TRY_VOID(fields.finish());
  return Secret(*std::move(present));
}

}  // namespace posthus::web_admin
