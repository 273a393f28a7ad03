// /api/v1/me/passkeys, /api/v1/users/{address}/passkeys, /api/v1/session/passkey: making passkeys, signing in with them, taking
// them away. WebAuthn Level 3 §7.1, §7.2. Binary members travel as base64url without padding.
#include "web-admin/passkeys.h"

#include <algorithm>
#include <array>

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/secret.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "store/record_passkey.h"
#include "web-admin/api.h"
#include "web-admin/host_name.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"
#include "web-admin/setting_values.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kPasskeyCookie = "__Host-posthus-passkey";
constexpr std::size_t kCookieBytes = 16;
constexpr std::array kAlgorithms{cose::kEdDsa, cose::kEs256, cose::kRs256};

Response wrong_name() {
  return problem(409, "Passkeys belong to a name: open the panel under the server's own name, or one of setting panel.names.",
                 "passkey.name");
}
// WHY one answer for all reasons: who tries learns nothing; the log has the reason.
Response refused_passkey() { return problem(401, "This passkey was not accepted.", "passkey.refused"); }

std::pair<std::string, std::string> passkey_cookie(std::string_view value, std::chrono::seconds life) {
  std::string cookie(kPasskeyCookie);
  cookie.append("=").append(value).append("; Path=/; Max-Age=").append(std::to_string(life.count()));
  return {"Set-Cookie", cookie.append("; Secure; HttpOnly; SameSite=Strict")};
}

void append_credentials(JsonWriter& json, std::string_view key, const std::vector<store::PasskeyRecord>& records,
                        std::string_view party) {
  json.key(key).begin_array();
  for (const store::PasskeyRecord& record : records) {
    if (record.relying_party != party) continue;
    json.begin_object().key("id").text(base64url_encode(record.credential_id));
    json.key("transports").texts(transport_names(record.transports)).end_object();
  }
  json.end_array();
}

/// A challenge for a new browser: its cookie and the request.
PasskeyRequest make_request(const Call& call, const RelyingParty& party, AccountId account,
                            const std::vector<store::PasskeyRecord>& records) {
  const std::string browser = base64url_encode(random_bytes(kCookieBytes));
  JsonWriter json;
  json.begin_object().key("rp_id").text(party.id).key("challenge");
  json.text(base64url_encode(call.sessions.challenges().make(PasskeyChallenges::Purpose::kSignIn, browser, account)));
  append_credentials(json, "credentials", records, party.id);
  return {json.end_object().take(), passkey_cookie(browser, kChallengeLife).second};
}

void append_passkey(JsonWriter& json, const store::PasskeyRecord& record) {
  json.begin_object().key("id").text(record.id).key("name").text(record.name);
  json.key("hostname").text(record.relying_party).key("synced").boolean(record.is_backup_eligible);
  json.key("created").text(mail::format_rfc3339(record.created)).key("last_used");
  record.last_used.microseconds > 0 ? json.text(mail::format_rfc3339(record.last_used)) : json.null();
  json.key("last_address");
  record.last_address.empty() ? json.null() : json.text(record.last_address);
  json.end_object();
}

Result<Response> listed_passkeys(const Call& call, AccountId account) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto records = POSTHUS_TRY(store::IdentityReader(*snapshot).passkeys(account));
  std::ranges::sort(records, std::greater(), &store::PasskeyRecord::created);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::PasskeyRecord& record : records) append_passkey(json, record);
  json.end_array().key("available").boolean(POSTHUS_TRY(relying_party(call, *snapshot)).has_value());
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

Result<Response> removed_passkey(const Call& call, AccountId account, const std::string& id) {
  POSTHUS_TRY(call.context.store.apply(store::RemovePasskey{account, id}));
  return no_content();
}

// ---- making one ----

/// The same for all passkeys of an account, so that an authenticator keeps one of each name. Not the address: the handle may be
/// shown to whoever holds the authenticator (WebAuthn §14.6.1).
std::string user_handle(AccountId account, const std::vector<store::PasskeyRecord>& records) {
  if (!records.empty()) return records.front().user_handle;
  std::string handle;
  append_u32(handle, account.value);
  return handle + random_bytes(store::kUserHandle - handle.size());
}

Result<Response> begin_registration(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  Secret password = POSTHUS_TRY(read_current_password(call));
  if (!call.principal.session) return no_session();
  const BrowserSession& session = *call.principal.session;
  std::optional<RelyingParty> party;
  std::vector<store::PasskeyRecord> records;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    party = POSTHUS_TRY(relying_party(call, *snapshot));
    records = POSTHUS_TRY(store::IdentityReader(*snapshot).passkeys(session.account));
  }
  if (!party) return wrong_name();
  if (auto wrong = check_own_password(call, std::move(password))) return *std::move(wrong);
  if (records.size() >= store::kMaxPasskeys)
    return fail(ErrorKind::kTooLarge, "an account has at most " + std::to_string(store::kMaxPasskeys) + " passkeys");
  // WHY the handle is in the session: the record that is made later must have the one that the authenticator was told.
  const std::string handle = user_handle(session.account, records);
  call.sessions.set_passkey_handle(session.id, handle);
  JsonWriter json;
  json.begin_object().key("rp_id").text(party->id).key("challenge");
  json.text(
      base64url_encode(call.sessions.challenges().make(PasskeyChallenges::Purpose::kRegister, session.id, session.account)));
  json.key("user_id").text(base64url_encode(handle)).key("user_name").text(session.login).key("algorithms").begin_array();
  for (const std::int32_t algorithm : kAlgorithms) json.raw(std::to_string(algorithm));
  json.end_array();
  append_credentials(json, "exclude", records, party->id);
  return json_response(200, json.end_object().take());
}

struct Registration {
  std::string name, client_data, attestation_object;
  std::uint8_t transports = 0;
};

Result<std::string> passkey_bytes(std::optional<std::string> text, std::string_view name) {
  auto bytes = base64url_decode(text.value_or(""));
  if (!bytes) return fail(ErrorKind::kInvalid, "field '" + std::string(name) + "' must be base64url without padding");
  return *std::move(bytes);
}

Result<Registration> read_registration(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  for (const char* name : {"name", "client_data", "attestation_object"}) fields.require(name);
  const auto name = fields.text("name"), client_data = fields.text("client_data");
  const auto object = fields.text("attestation_object");
  const auto transports = fields.texts("transports");
  POSTHUS_TRY_VOID(fields.finish());
  if (name->empty() || name->size() > store::kMaxPasskeyName) {
    return fail(ErrorKind::kInvalid, "field 'name' must have 1 to " + std::to_string(store::kMaxPasskeyName) + " bytes");
  }
  return Registration{*name, POSTHUS_TRY(passkey_bytes(client_data, "client_data")),
                      POSTHUS_TRY(passkey_bytes(object, "attestation_object")),
                      transport_bits(transports.value_or(std::vector<std::string>()))};
}

/// Errors: kDenied with the reason, for the log.
Result<NewCredential> check_registration(const Call& call, const RelyingParty& party, const Registration& made) {
  const BrowserSession& session = *call.principal.session;
  PasskeyChallenges& challenges = call.sessions.challenges();
  const std::string challenge = POSTHUS_TRY(challenge_of(party, Ceremony::kCreate, made.client_data));
  if (challenges.account_of(PasskeyChallenges::Purpose::kRegister, session.id, challenge) != session.account ||
      !challenges.use(challenge))
    return fail(ErrorKind::kDenied, "the challenge is over, was used, or is another browser's");
  return check_new_credential(party, made.attestation_object);
}

Result<Response> finish_registration(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const Registration made = POSTHUS_TRY(read_registration(call));
  if (!call.principal.session) return no_session();
  const BrowserSession& session = *call.principal.session;
  std::optional<RelyingParty> party;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    party = POSTHUS_TRY(relying_party(call, *snapshot));
  }
  if (!party) return wrong_name();
  auto credential = check_registration(call, *party, made);
  if (!credential) {
    log::warning("passkey.not_made", {{"user", session.login}, {"reason", credential.error().context}});
    return problem(403, "The passkey was not made: what the browser sent is not right.", "passkey.not_made");
  }
  POSTHUS_TRY(call.context.store.apply(store::PutPasskey{{.account = session.account,
                                                          .id = {},
                                                          .name = made.name,
                                                          .relying_party = party->id,
                                                          .user_handle = session.passkey_handle,
                                                          .credential_id = credential->credential_id,
                                                          .public_key = std::move(credential->key.public_key),
                                                          .algorithm = credential->key.algorithm,
                                                          .sign_count = credential->sign_count,
                                                          .transports = made.transports,
                                                          .is_backup_eligible = credential->is_backup_eligible,
                                                          .created = {},
                                                          .last_used = {},
                                                          .last_address = {}}}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto record =
      POSTHUS_TRY(store::IdentityReader(*snapshot).passkey(session.account, store::passkey_id(credential->credential_id)));
  if (!record) return fail(ErrorKind::kNotFound, "the passkey is gone");
  JsonWriter json;
  append_passkey(json, *record);
  return json_response(201, json.take());
}

// ---- signing in ----

Result<Response> ask_stranger(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (auto hasty = refusal_of_haste(call)) return *std::move(hasty);
  if (!is_confidential(call.request.origin)) return problem(403, "Passkeys are accepted over TLS only.");
  if (auto foreign = refuse_foreign_page(call.request)) return *std::move(foreign);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto party = POSTHUS_TRY(relying_party(call, *snapshot));
  if (!party) return wrong_name();
  PasskeyRequest request = make_request(call, *party, AccountId(0), {});
  Response response = json_response(200, std::move(request.json));
  response.fields.emplace_back("Set-Cookie", std::move(request.cookie));
  return response;
}

struct Proof {
  std::string credential_id, user_handle;  // the latter may be empty
  Assertion assertion;
};

Result<Proof> read_proof(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  for (const char* name : {"id", "client_data", "authenticator_data", "signature"}) fields.require(name);
  const auto id = fields.text("id"), client_data = fields.text("client_data");
  const auto data = fields.text("authenticator_data"), signature = fields.text("signature"), handle = fields.text("user_handle");
  POSTHUS_TRY_VOID(fields.finish());
  return Proof{POSTHUS_TRY(passkey_bytes(id, "id")),
               POSTHUS_TRY(passkey_bytes(handle, "user_handle")),
               {POSTHUS_TRY(passkey_bytes(client_data, "client_data")), POSTHUS_TRY(passkey_bytes(data, "authenticator_data")),
                POSTHUS_TRY(passkey_bytes(signature, "signature"))}};
}

/// Whose passkey it is. WHY the account comes from the handle or the password, and never from the credential's name alone: a name
/// can be given to another account's passkey by whoever makes one.
Result<store::PasskeyRecord> find_passkey(const Call& call, const RelyingParty& party, const Proof& proof, AccountId expected) {
  AccountId account = expected;
  if (!proof.user_handle.empty()) {
    if (proof.user_handle.size() != store::kUserHandle) return fail(ErrorKind::kDenied, "user handle");
    account = AccountId(ByteReader(proof.user_handle).u32());
    if (expected.value != 0 && account != expected) return fail(ErrorKind::kDenied, "it is of another account");
  }
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto record = POSTHUS_TRY(store::IdentityReader(*snapshot).passkey(account, store::passkey_id(proof.credential_id)));
  const bool is_it = record && record->credential_id == proof.credential_id && record->relying_party == party.id &&
                     (proof.user_handle.empty() || record->user_handle == proof.user_handle);
  if (!is_it) return fail(ErrorKind::kDenied, "nobody has this passkey");
  return *record;
}

Result<bool> may_sign_in(const store::Snapshot& snapshot, const store::UserRecord& user) {
  const auto domain =
      POSTHUS_TRY(store::DirectoryReader(snapshot).domain(std::string_view(user.address).substr(user.address.rfind('@') + 1)));
  return !user.is_disabled && domain && !domain->is_disabled;
}

struct Proved {
  store::UserRecord user;
  std::string passkey;
};

/// kDenied: the reason is for the log. `user` is set as soon as it is known whose it is.
Result<Proved> check_proof(const Call& call, const RelyingParty& party, const Proof& proof, std::string& login) {
  PasskeyChallenges& challenges = call.sessions.challenges();
  const std::string challenge = POSTHUS_TRY(challenge_of(party, Ceremony::kGet, proof.assertion.client_data));
  const std::string_view browser = cookie_value(call.request.browser.cookie, kPasskeyCookie);
  const auto expected = challenges.account_of(PasskeyChallenges::Purpose::kSignIn, browser, challenge);
  if (!expected) return fail(ErrorKind::kDenied, "the challenge is over or another browser's");
  const store::PasskeyRecord passkey = POSTHUS_TRY(find_passkey(call, party, proof, *expected));
  if (!challenges.use(challenge)) return fail(ErrorKind::kDenied, "the challenge was used before");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(passkey.account));
  if (!user) return fail(ErrorKind::kDenied, "the account is gone");
  login = user->address;
  const KnownCredential known{{passkey.algorithm, passkey.public_key}, passkey.is_backup_eligible};
  const std::uint32_t count = POSTHUS_TRY(check_assertion(party, known, proof.assertion));
  if (!POSTHUS_TRY(may_sign_in(*snapshot, *user))) return fail(ErrorKind::kDenied, "account disabled");
  POSTHUS_TRY(
      call.context.store.apply(store::UsePasskey{passkey.account, passkey.id, count, call.request.origin.remote_address}));
  return Proved{*std::move(user), passkey.id};
}

void note_passkey_sign_in(const Call& call, const std::string& login, std::string_view reason) {
  if (!call.context.authenticator) return;
  const sasl::LoginFacts facts{
      .protocol = "http", .remote_address = call.request.origin.remote_address, .is_tls = is_confidential(call.request.origin)};
  call.context.authenticator->passkey_checked(login, facts, reason);
}

Result<Response> signed_in_with_passkey(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (auto hasty = refusal_of_haste(call)) return *std::move(hasty);
  const Proof proof = POSTHUS_TRY(read_proof(call));
  if (!is_confidential(call.request.origin)) return problem(403, "Passkeys are accepted over TLS only.");
  if (auto foreign = refuse_foreign_page(call.request)) return *std::move(foreign);
  std::optional<RelyingParty> party;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    party = POSTHUS_TRY(relying_party(call, *snapshot));
  }
  if (!party) return wrong_name();
  std::string login;
  const auto proved = check_proof(call, *party, proof, login);
  if (!proved && proved.error().kind != ErrorKind::kDenied) return std::unexpected(proved.error());
  note_passkey_sign_in(call, login, proved ? std::string_view() : std::string_view(proved.error().context));
  if (!proved) return refused_passkey();
  Response response = POSTHUS_TRY(begin_session(call, proved->user, proved->passkey));
  response.fields.push_back(passkey_cookie("", std::chrono::seconds(0)));
  return response;
}

Result<AccountId> passkey_owner(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(call.path[0]));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + call.path[0]);
  return user->account;
}

Result<Response> listed_own_passkeys(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return call.principal.session ? listed_passkeys(call, call.principal.session->account) : no_session();
}
Result<Response> removed_own_passkey(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return call.principal.session ? removed_passkey(call, call.principal.session->account, call.path[0]) : no_session();
}
Result<Response> listed_named_passkeys(const Call& call) { return listed_passkeys(call, POSTHUS_TRY(passkey_owner(call))); }
Result<Response> removed_named_passkey(const Call& call) {
  return removed_passkey(call, POSTHUS_TRY(passkey_owner(call)), call.path[1]);
}

}  // namespace

Result<std::optional<RelyingParty>> relying_party(const Call& call, const store::Snapshot& snapshot) {
  if (!is_confidential(call.request.origin)) return std::nullopt;
  const auto name = host_name(call.request.host);
  if (!name) return std::nullopt;
  bool is_ours = host_name(call.context.hostname) == name;
  if (!is_ours) {
    const auto names = POSTHUS_TRY(setting_items(snapshot, "panel.names"));
    is_ours = std::ranges::find(names, *name) != names.end();
  }
  if (!is_ours) return std::nullopt;
  const std::size_t colon = call.request.host.find(':');
  const std::string port = colon == std::string::npos ? "" : call.request.host.substr(colon);
  return RelyingParty{*name, "https://" + *name + (port == ":443" ? "" : port)};
}

Result<bool> offers_passkeys(const Call& call, const store::Snapshot& snapshot) {
  if (!call.context.authenticator || !POSTHUS_TRY(relying_party(call, snapshot))) return false;
  return POSTHUS_TRY(snapshot.size(store::Table::kPasskeys)).rows > 0;
}

Result<std::optional<PasskeyRequest>> passkey_request(const Call& call, const store::Snapshot& snapshot, AccountId account) {
  const auto party = POSTHUS_TRY(relying_party(call, snapshot));
  if (!party) return std::nullopt;
  auto records = POSTHUS_TRY(store::IdentityReader(snapshot).passkeys(account));
  std::erase_if(records, [&party](const store::PasskeyRecord& record) { return record.relying_party != party->id; });
  if (records.empty()) return std::nullopt;
  return make_request(call, *party, account, records);
}

Response list_own_passkeys(const Call& call) { return answer(listed_own_passkeys(call)); }
Response begin_own_passkey(const Call& call) { return answer(begin_registration(call)); }
Response add_own_passkey(const Call& call) { return answer(finish_registration(call)); }
Response remove_own_passkey(const Call& call) { return answer(removed_own_passkey(call)); }
Response list_passkeys(const Call& call) { return answer(listed_named_passkeys(call)); }
Response remove_passkey(const Call& call) { return answer(removed_named_passkey(call)); }
Response ask_for_passkey(const Call& call) { return answer(ask_stranger(call)); }
Response open_session_with_passkey(const Call& call) { return answer(signed_in_with_passkey(call)); }

}  // namespace posthus::web_admin
