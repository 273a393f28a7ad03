// /api/v1/users: people with a mailbox, their state, quota and password.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/base/ascii.h"
#include "core/base/secret.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/sending_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::uint64_t kMaxQuota = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMaxRetentionDays = 36'500;
constexpr std::size_t kMinPassword = 8;     // NIST SP 800-63B §5.1.1.2
constexpr std::size_t kMaxPassword = 1024;  // bounds the work of normalising and hashing

std::string_view role_name(store::Role role) { return role == store::Role::kServerAdmin ? "server_admin" : "user"; }

}  // namespace

Result<> append_user(const Call& call, const store::Snapshot& snapshot, JsonWriter& json, const store::UserRecord& user) {
  const store::Usage usage = POSTHUS_TRY(store::DirectoryReader(snapshot).usage(user.account));
  json.begin_object().key("address").text(user.address).key("disabled").boolean(user.is_disabled);
  json.key("role").text(role_name(user.role)).key("has_password").boolean(!user.password_hash.empty());
  json.key("quota_bytes").number(user.quota_bytes);
  json.key("usage").begin_object().key("bytes").number(usage.bytes).key("messages").number(usage.messages).end_object();
  json.key("pop3_retention_days");
  if (user.pop3_retention_days) {
    json.number(*user.pop3_retention_days);
  } else {
    json.null();
  }
  json.key("created").text(mail::format_rfc3339(user.created));
  json.key("forward_to").texts(user.forward_to).key("keeps_copy").boolean(user.keeps_copy);
  append_limits(json, user.limits);
  POSTHUS_TRY_VOID(append_sending(json, snapshot, user.account, call.context.clock.now()));
  json.end_object();
  return {};
}

namespace {

Result<Response> user_response(const Call& call, int status, std::string_view address) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + std::string(address));
  JsonWriter json;
  POSTHUS_TRY_VOID(append_user(call, *snapshot, json, *user));
  return json_response(status, json.take());
}

Result<std::string> user_address(std::string_view text) {
  const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
  if (!address || mail::is_domain_literal(address->domain)) {
    return fail(ErrorKind::kInvalid, "'" + std::string(text) + "' is not a mail address");
  }
  return mail::to_string(*address);
}

Result<store::UserRecord> find_user(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string address = POSTHUS_TRY(user_address(call.path[0]));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + address);
  return std::move(*user);
}

Result<> read_role(JsonFields& fields, store::UserRecord& user) {
  const auto role = fields.text("role");
  if (!role) return {};
  if (*role != "user" && *role != "server_admin")
    return fail(ErrorKind::kInvalid, "field 'role' must be \"user\" or \"server_admin\"");
  user.role = *role == "user" ? store::Role::kUser : store::Role::kServerAdmin;
  return {};
}

Result<> read_changes(JsonFields& fields, store::UserRecord& user) {
  POSTHUS_TRY_VOID(read_role(fields, user));
  if (const auto value = fields.boolean("disabled")) user.is_disabled = *value;
  if (const auto value = fields.number("quota_bytes", kMaxQuota)) user.quota_bytes = *value;
  if (fields.is_null("pop3_retention_days")) {
    user.pop3_retention_days.reset();
  } else if (const auto days = fields.number("pop3_retention_days", kMaxRetentionDays)) {
    user.pop3_retention_days = static_cast<std::uint32_t>(*days);
  }
  if (auto value = fields.texts("forward_to")) user.forward_to = *std::move(value);
  if (const auto value = fields.boolean("keeps_copy")) user.keeps_copy = *value;
  read_limits(fields, user.limits);
  return {};
}

// Hashes the password into `user`. Takes tens of milliseconds: not under the directory lock.
Result<> put_password(std::string password, const sasl::PasswordCost& cost, store::UserRecord& user) {
  const Secret secret(std::move(password));
  const std::size_t size = secret.reveal().size();
  if (size < kMinPassword || size > kMaxPassword) {
    return fail(ErrorKind::kInvalid,
                "field 'password' must have " + std::to_string(kMinPassword) + " to " + std::to_string(kMaxPassword) + " bytes");
  }
  const sasl::PasswordRecord record = sasl::make_password_record(secret, cost);
  user.password_hash = record.password_hash;
  user.scram_iterations = record.scram.iterations;
  user.scram_salt = record.scram.salt;
  user.scram_stored_key = record.scram.stored_key;
  user.scram_server_key = record.scram.server_key;
  return {};
}

void forget(const Call& call, std::string_view address) {
  if (call.context.authenticator) call.context.authenticator->forget(address);
}

/// What a list of users is narrowed to.
struct UserFilter {
  std::string domain, text;  // text: a part of the address, lower case
  std::string state;
  std::set<AccountId> held;  // with state "held" or "active"
};

Result<UserFilter> read_filter(const Call& call, const store::Snapshot& snapshot) {
  UserFilter filter;
  if (const std::string* wanted = call.target.parameter("domain")) filter.domain = POSTHUS_TRY(mail::normalise_domain(*wanted));
  filter.text = POSTHUS_TRY(search_text(call.target));
  const std::string* const state = call.target.parameter("state");
  if (!state) return filter;
  constexpr std::array<std::string_view, 5> kStates{"active", "disabled", "held", "almost_full", "admin"};
  if (std::ranges::find(kStates, *state) == kStates.end()) {
    return fail(ErrorKind::kInvalid, "parameter 'state' must be active, disabled, held, almost_full or admin");
  }
  filter.state = *state;
  for (const auto& record : POSTHUS_TRY(store::SendingReader(snapshot).held())) filter.held.insert(record.account);
  return filter;
}

Result<bool> matches(const UserFilter& filter, const store::Snapshot& snapshot, const store::UserRecord& user) {
  if (!filter.text.empty() && ascii::to_lower(user.address).find(filter.text) == std::string::npos) return false;
  if (filter.state == "disabled") return user.is_disabled;
  if (filter.state == "held") return filter.held.contains(user.account);
  if (filter.state == "active") return !user.is_disabled && !filter.held.contains(user.account);
  if (filter.state == "admin") return user.role == store::Role::kServerAdmin;
  if (filter.state != "almost_full") return true;
  if (user.quota_bytes == 0) return false;
  const store::Usage usage = POSTHUS_TRY(store::DirectoryReader(snapshot).usage(user.account));
  return usage.bytes >= user.quota_bytes - user.quota_bytes / 10;
}

Result<Response> list(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "domain", "search", "state"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  const UserFilter filter = POSTHUS_TRY(read_filter(call, *snapshot));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = POSTHUS_TRY(narrowed_page(
      range, [&](const std::string& after, std::size_t limit) { return directory.users(filter.domain, after, limit); },
      [&](const store::UserRecord& user) { return matches(filter, *snapshot, user); },
      [&](const store::UserRecord& user) { return append_user(call, *snapshot, json, user); }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

// The quota of a new user is the domain's unless given.
Result<std::uint64_t> default_quota(const Call& call, std::string_view address) {
  const std::string_view domain = address.substr(address.rfind('@') + 1);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto record = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(domain));
  if (!record) return fail(ErrorKind::kNotFound, "there is no domain " + std::string(domain));
  return record->default_quota_bytes;
}

Result<Response> add(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto address = fields.text("address");
  auto password = fields.text("password");
  store::UserRecord user{.created = call.context.clock.now()};
  user.quota_bytes = kMaxQuota + 1;  // not given
  POSTHUS_TRY_VOID(read_changes(fields, user));
  POSTHUS_TRY_VOID(fields.finish());
  user.address = POSTHUS_TRY(user_address(*address));
  const std::uint64_t quota = POSTHUS_TRY(default_quota(call, user.address));
  if (user.quota_bytes > kMaxQuota) user.quota_bytes = quota;
  if (password) POSTHUS_TRY_VOID(put_password(std::move(*password), call.context.password_cost, user));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(store::PutUser{user, store::PutRule::kCreate});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "the address " + user.address + " exists already");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return user_response(call, 201, user.address);
}

Result<Response> change(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::lock_guard lock(call.directory);
  store::UserRecord user = POSTHUS_TRY(find_user(call));
  POSTHUS_TRY_VOID(read_changes(fields, user));
  POSTHUS_TRY_VOID(fields.finish());
  POSTHUS_TRY(call.context.store.apply(store::PutUser{user, store::PutRule::kReplace}));
  forget(call, user.address);
  return user_response(call, 200, user.address);
}

Result<Response> change_password(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("password");
  auto password = fields.text("password");
  POSTHUS_TRY_VOID(fields.finish());
  const store::UserRecord user = POSTHUS_TRY(find_user(call));
  const store::UserRecord changed = POSTHUS_TRY(store_password(call, user.address, *std::move(password)));
  // Who changes his own goes on working; his other browsers are signed out.
  const auto& session = call.principal.session;
  if (session && session->account == changed.account)
    call.sessions.set_credentials(session->id, credentials_fingerprint(changed));
  return no_content();
}

Result<Response> remove(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::UserRecord user = POSTHUS_TRY(find_user(call));
  POSTHUS_TRY(call.context.store.apply(store::RemoveUser{user.address}));
  forget(call, user.address);
  return no_content();
}

}  // namespace

Result<store::UserRecord> store_password(const Call& call, std::string_view address, std::string password) {
  store::UserRecord hashed;
  POSTHUS_TRY_VOID(put_password(std::move(password), call.context.password_cost, hashed));
  const std::lock_guard lock(call.directory);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + std::string(address));
  user->password_hash = hashed.password_hash;
  user->scram_iterations = hashed.scram_iterations;
  user->scram_salt = hashed.scram_salt;
  user->scram_stored_key = hashed.scram_stored_key;
  user->scram_server_key = hashed.scram_server_key;
  POSTHUS_TRY(call.context.store.apply(store::PutUser{*user, store::PutRule::kReplace}));
  forget(call, user->address);
  return *std::move(user);
}

Response list_users(const Call& call) { return answer(list(call)); }
Response add_user(const Call& call) { return answer(add(call)); }
Response change_user(const Call& call) { return answer(change(call)); }
Response remove_user(const Call& call) { return answer(remove(call)); }
Response set_password(const Call& call) { return answer(change_password(call)); }
Response get_user(const Call& call) {
  const auto user = find_user(call);
  return answer(user ? user_response(call, 200, user->address) : std::unexpected(user.error()));
}

}  // namespace posthus::web_admin
