// /api/v1/me/app-passwords, /api/v1/users/{address}/app-passwords: passwords of mail programs. The server makes them, 99 random
// bits each, and shows them once.
#include <algorithm>
#include <array>

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/mail/date_time.h"
#include "core/sasl/scram.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr int kGroups = 5;  // of four letters and digits
constexpr std::size_t kAppPasswordIdBytes = 8;

struct NamedProtocol {
  std::string_view name;
  std::uint8_t bit;
};
constexpr std::array kProtocols{NamedProtocol{"imap", store::mail_protocol::kImap},
                                NamedProtocol{"pop3", store::mail_protocol::kPop3},
                                NamedProtocol{"smtp", store::mail_protocol::kSmtp}};

void append_time_or_null(JsonWriter& json, std::string_view key, Timestamp time) {
  json.key(key);
  time.microseconds > 0 ? json.text(mail::format_rfc3339(time)) : json.null();
}

/// The fields; the object is left open.
void append_fields(JsonWriter& json, const store::AppPasswordRecord& record) {
  json.begin_object().key("id").text(record.id).key("name").text(record.name).key("protocols").begin_array();
  for (const NamedProtocol& protocol : kProtocols) {
    if (record.protocols & protocol.bit) json.text(protocol.name);
  }
  json.end_array();
  append_time_or_null(json, "expires", record.expires.value_or(Timestamp{}));
  append_time_or_null(json, "created", record.created);
  append_time_or_null(json, "last_used", record.last_used);
  json.key("last_address");
  record.last_address.empty() ? json.null() : json.text(record.last_address);
}

Result<Response> listed_app_passwords(const Call& call, AccountId account) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto records = POSTHUS_TRY(store::IdentityReader(*snapshot).app_passwords(account));
  std::ranges::sort(records, std::greater(), &store::AppPasswordRecord::created);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::AppPasswordRecord& record : records) {
    append_fields(json, record);
    json.end_object();
  }
  json.end_array();
  append_next(json, "");
  return json_response(200, json.end_object().take());
}

Result<std::uint8_t> protocol_bits(const std::vector<std::string>& names) {
  std::uint8_t bits = 0;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(kProtocols, std::string_view(name), &NamedProtocol::name);
    if (found == kProtocols.end())
      return fail(ErrorKind::kInvalid, "field 'protocols' may hold \"imap\", \"pop3\" and \"smtp\" only");
    bits |= found->bit;
  }
  if (bits == 0) return fail(ErrorKind::kInvalid, "field 'protocols' must name one protocol at least");
  return bits;
}

/// SCRAM keys with the salt of the account's other ones: one exchange must fit all its passwords.
Result<> add_scram_keys(const Call& call, std::string_view password, store::AppPasswordRecord& record) {
  std::string salt = random_bytes(sasl::kScramSaltBytes);
  std::uint32_t iterations = call.context.password_cost.scram_iterations;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(record.account));
    if (!user) return fail(ErrorKind::kNotFound, "the account is gone");
    const auto others = POSTHUS_TRY(store::IdentityReader(*snapshot).app_passwords(record.account));
    const auto other = std::ranges::find_if(others, [](const auto& one) { return one.scram_iterations != 0; });
    if (user->scram_iterations != 0) {
      salt = user->scram_salt;
      iterations = user->scram_iterations;
    } else if (other != others.end()) {
      salt = other->scram_salt;
      iterations = other->scram_iterations;
    }
  }
  const sasl::ScramKeys keys = sasl::make_further_keys(password, salt, iterations);
  record.scram_iterations = keys.iterations;
  record.scram_salt = keys.salt;
  record.scram_stored_key = keys.stored_key;
  record.scram_server_key = keys.server_key;
  return {};
}

Result<Response> add_app_password(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  for (const char* name : {"name", "protocols", "current"}) fields.require(name);
  const auto name = fields.text("name");
  const auto protocols = fields.texts("protocols");
  const auto expires = fields.is_null("expires") ? std::nullopt : fields.text("expires");
  auto present = fields.text("current");
  POSTHUS_TRY_VOID(fields.finish());
  Secret current(*std::move(present));
  if (!call.principal.session) return no_session();
  if (name->empty() || name->size() > store::kMaxAppPasswordName) {
    return fail(ErrorKind::kInvalid, "field 'name' must have 1 to " + std::to_string(store::kMaxAppPasswordName) + " bytes");
  }
  store::AppPasswordRecord record{
      .account = call.principal.session->account, .id = to_hex(random_bytes(kAppPasswordIdBytes)), .name = *name};
  record.protocols = POSTHUS_TRY(protocol_bits(*protocols));
  record.created = call.context.clock.now();
  if (expires) {
    record.expires = mail::parse_rfc3339(*expires);
    if (!record.expires || *record.expires <= record.created) {
      return fail(ErrorKind::kInvalid, "field 'expires' must be a time to come, like 2030-01-31T12:00:00Z");
    }
  }
  if (auto wrong = check_own_password(call, std::move(current))) return *std::move(wrong);
  const Secret password(random_password(kGroups));
  record.secret_hash = as_view(sha256(sasl::app_password_text(password.reveal())));
  POSTHUS_TRY_VOID(add_scram_keys(call, password.reveal(), record));
  POSTHUS_TRY(call.context.store.apply(store::PutAppPassword{record}));
  JsonWriter json;
  append_fields(json, record);
  json.key("password").text(password.reveal()).end_object();
  return json_response(201, json.take());
}

Result<Response> removed_app_password(const Call& call, AccountId account, const std::string& id) {
  constexpr std::size_t kIdDigits = 2 * kAppPasswordIdBytes;
  const auto removed = id.size() == kIdDigits ? call.context.store.apply(store::RemoveAppPassword{account, id})
                                              : Result<store::WriteOutcome>(fail(ErrorKind::kNotFound, ""));
  if (!removed && removed.error().kind == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, "there is no such app password");
  if (!removed) return std::unexpected(removed.error());
  call.context.end_sessions(account);  // WHY all: nobody notes which password a session came with; the others sign in again
  return no_content();
}

Result<AccountId> named_account(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(call.path[0]));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + call.path[0]);
  return user->account;
}

Result<Response> list_own(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return call.principal.session ? listed_app_passwords(call, call.principal.session->account) : no_session();
}
Result<Response> removed_own_app_password(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return call.principal.session ? removed_app_password(call, call.principal.session->account, call.path[0]) : no_session();
}
Result<Response> list_named(const Call& call) { return listed_app_passwords(call, POSTHUS_TRY(named_account(call))); }
Result<Response> remove_named(const Call& call) {
  return removed_app_password(call, POSTHUS_TRY(named_account(call)), call.path[1]);
}

}  // namespace

Response list_own_app_passwords(const Call& call) { return answer(list_own(call)); }
Response add_own_app_password(const Call& call) { return answer(add_app_password(call)); }
Response remove_own_app_password(const Call& call) { return answer(removed_own_app_password(call)); }
Response list_app_passwords(const Call& call) { return answer(list_named(call)); }
Response remove_app_password(const Call& call) { return answer(remove_named(call)); }

}  // namespace posthus::web_admin
