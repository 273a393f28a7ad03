// /api/v1/users: people with a mailbox, their state, quota and password.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/base/ascii.h"
#include "core/base/secret.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/canonical_address.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "store/sending_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/ranked.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::uint64_t kMaxQuota = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMaxRetentionDays = 36'500;
constexpr std::size_t kMinPassword = 8;     // NIST SP 800-63B §5.1.1.2
constexpr std::size_t kMaxPassword = 1024;  // bounds the work of normalising and hashing

constexpr std::string_view kSharedHasNone = "nobody signs in to a shared mailbox: it has no password";

constexpr std::array<std::string_view, 3> kRoles{"user", "server_admin", "domain_admin"};  // same order as store::Role

}  // namespace

std::string_view role_name(store::Role role) { return kRoles[static_cast<std::size_t>(role)]; }

Result<> append_user(const Call& call, const store::Snapshot& snapshot, JsonWriter& json, const store::UserRecord& user) {
  const store::Usage usage = POSTHUS_TRY(store::DirectoryReader(snapshot).usage(user.account));
  json.begin_object().key("address").text(user.address).key("disabled").boolean(user.is_disabled);
  json.key("role").text(role_name(user.role)).key("has_password").boolean(!user.password_hash.empty());
  const store::IdentityReader identity(snapshot);
  auto domains =
      user.role == store::Role::kDomainAdmin ? POSTHUS_TRY(identity.administered(user.account)) : std::vector<std::string>();
  // Which other domains there are is nobody's business but the server admins'.
  std::erase_if(domains, [&call](const std::string& domain) { return !call.principal.may_reach(domain); });
  json.key("shared").boolean(user.is_shared).key("admin_of").texts(domains);
  json.key("second_factor").boolean(POSTHUS_TRY(identity.has_second_factor(user.account)));
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

/// The fields "role" and "admin_of". Who makes admins is a server admin.
Result<> read_role(const Call& call, JsonFields& fields, store::PutUser& put) {
  const auto role = fields.text("role");
  const store::Role before = put.user.role;
  if (role) {
    const auto found = std::ranges::find(kRoles, *role);
    if (found == kRoles.end()) {
      return fail(ErrorKind::kInvalid, "field 'role' must be \"user\", \"domain_admin\" or \"server_admin\"");
    }
    put.user.role = static_cast<store::Role>(found - kRoles.begin());
  }
  put.administers = fields.texts("admin_of");
  if (put.administers && put.administers->empty() && put.user.role != store::Role::kDomainAdmin) put.administers.reset();
  const bool changes = put.user.role != before || put.administers;
  if (changes && !call.principal.reaches_all) return fail(ErrorKind::kDenied, "Only server admins may make admins.");
  if (put.administers && put.user.role != store::Role::kDomainAdmin) {
    return fail(ErrorKind::kInvalid, "field 'admin_of' goes with the role \"domain_admin\"");
  }
  const bool becomes = put.user.role == store::Role::kDomainAdmin && before != store::Role::kDomainAdmin;
  const bool has_none = put.administers ? put.administers->empty() : becomes;
  if (has_none && put.user.role == store::Role::kDomainAdmin) {
    return fail(ErrorKind::kInvalid, "field 'admin_of' must name the domains of the domain admin");
  }
  return {};
}

/// The field "shared". An account that becomes one loses its password, and all that signs in with it.
Result<> read_shared(const Call& call, JsonFields& fields, store::UserRecord& user) {
  const auto value = fields.boolean("shared");
  const bool becomes = value.value_or(false) && !user.is_shared;
  if (value) user.is_shared = *value;
  if (user.is_shared && user.role != store::Role::kUser) {
    return fail(ErrorKind::kInvalid, "an admin's account cannot be a shared mailbox: nobody signs in to one");
  }
  const auto& session = call.principal.session;
  if (becomes && session && session->account == user.account) {
    return fail(ErrorKind::kInvalid, "this is your own account: nobody signs in to a shared mailbox");
  }
  if (!becomes) return {};
  user.password_hash.clear();
  user.scram_iterations = 0;
  user.scram_salt.clear();
  user.scram_stored_key.clear();
  user.scram_server_key.clear();
  return {};
}

/// The field "forward_to". WHY here: of what the store refuses it says too little for people.
Result<> read_forwards(JsonFields& fields, store::UserRecord& user) {
  auto value = fields.texts("forward_to");
  if (!value) return {};
  for (const std::string& text : *value) {
    if (!mail::parse_mailbox(text, mail::Utf8::kAllow)) return fail(ErrorKind::kInvalid, "'" + text + "' is not a mail address");
  }
  user.forward_to = *std::move(value);
  return {};
}

Result<> read_user_changes(const Call& call, JsonFields& fields, store::PutUser& put) {
  store::UserRecord& user = put.user;
  POSTHUS_TRY_VOID(read_role(call, fields, put));
  POSTHUS_TRY_VOID(read_shared(call, fields, user));
  if (const auto value = fields.boolean("disabled")) user.is_disabled = *value;
  if (const auto value = fields.number("quota_bytes", kMaxQuota)) user.quota_bytes = *value;
  if (fields.is_null("pop3_retention_days")) {
    user.pop3_retention_days.reset();
  } else if (const auto days = fields.number("pop3_retention_days", kMaxRetentionDays)) {
    user.pop3_retention_days = static_cast<std::uint32_t>(*days);
  }
  POSTHUS_TRY_VOID(read_forwards(fields, user));
  if (const auto value = fields.boolean("keeps_copy")) user.keeps_copy = *value;
  const store::SendLimits before = user.limits;
  read_limits(fields, user.limits);
  return check_limits(call, before, user.limits);
}

// Hashes the password into `user`. Takes tens of milliseconds: not under the directory lock.
// `user` has SCRAM keys already: the new ones get their salt, so that app passwords go on working with SCRAM.
Result<> put_password(std::string password, const sasl::PasswordCost& cost, store::UserRecord& user) {
  const Secret secret(std::move(password));
  const std::size_t size = secret.reveal().size();
  if (size < kMinPassword || size > kMaxPassword) {
    return fail(ErrorKind::kInvalid,
                "field 'password' must have " + std::to_string(kMinPassword) + " to " + std::to_string(kMaxPassword) + " bytes");
  }
  const sasl::PasswordRecord record = sasl::make_password_record(secret, cost, user.scram_salt);
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

Result<UserFilter> read_user_filter(const Call& call, const store::Snapshot& snapshot) {
  UserFilter filter;
  filter.domain = POSTHUS_TRY(listed_domain(call));
  filter.text = POSTHUS_TRY(search_text(call.target));
  const std::string* const state = call.target.parameter("state");
  if (!state) return filter;
  constexpr std::array<std::string_view, 6> kStates{"active", "disabled", "held", "almost_full", "admin", "shared"};
  if (std::ranges::find(kStates, *state) == kStates.end()) {
    return fail(ErrorKind::kInvalid, "parameter 'state' must be active, disabled, held, almost_full, admin or shared");
  }
  filter.state = *state;
  for (const auto& record : POSTHUS_TRY(store::SendingReader(snapshot).held())) filter.held.insert(record.account);
  return filter;
}

Result<bool> user_matches(const Call& call, const UserFilter& filter, const store::Snapshot& snapshot,
                          const store::UserRecord& user) {
  if (!call.principal.may_reach_address(user.address)) return false;
  if (!filter.text.empty() && ascii::to_lower(user.address).find(filter.text) == std::string::npos) return false;
  if (filter.state == "disabled") return user.is_disabled;
  if (filter.state == "held") return filter.held.contains(user.account);
  if (filter.state == "active") return !user.is_disabled && !filter.held.contains(user.account);
  if (filter.state == "shared") return user.is_shared;
  if (filter.state == "admin") return user.role == store::Role::kServerAdmin;
  if (filter.state != "almost_full") return true;
  if (user.quota_bytes == 0) return false;
  const store::Usage usage = POSTHUS_TRY(store::DirectoryReader(snapshot).usage(user.account));
  return usage.bytes >= user.quota_bytes - user.quota_bytes / 10;
}

/// In which order a list of users is; the highest first, but for addresses.
enum class UserOrder : std::uint8_t { kAddress, kUsed, kFilled, kSent, kCreated };

Result<std::uint64_t> rank_of(UserOrder order, const store::Snapshot& snapshot, const store::UserRecord& user, Timestamp now) {
  if (order == UserOrder::kCreated) return late_first(user.created);
  if (order == UserOrder::kSent) {
    return store::rolled(POSTHUS_TRY(store::SendingReader(snapshot).record(user.account)), now).messages;
  }
  const std::uint64_t bytes = POSTHUS_TRY(store::DirectoryReader(snapshot).usage(user.account)).bytes;
  if (order == UserOrder::kUsed) return bytes;
  constexpr double kParts = 1e6;  // of a quota: finer than anybody sees
  if (user.quota_bytes == 0) return 0;
  return static_cast<std::uint64_t>(std::min(static_cast<double>(bytes) / static_cast<double>(user.quota_bytes), kParts) *
                                    kParts);
}

/// The users of a page in that order, as JSON; the cursor of the next one.
Result<std::string> append_ranked_users(const Call& call, const UserFilter& filter, const store::Snapshot& snapshot,
                                        UserOrder order, const ListRange& range, JsonWriter& json) {
  const store::DirectoryReader directory(snapshot);
  auto page = POSTHUS_TRY(ranked_page(
      range, [&](const std::string& after, std::size_t limit) { return directory.users(filter.domain, after, limit); },
      [&](const store::UserRecord& user) -> Result<std::optional<Ranked>> {
        if (!POSTHUS_TRY(user_matches(call, filter, snapshot, user))) return std::nullopt;
        return Ranked{POSTHUS_TRY(rank_of(order, snapshot, user, call.context.clock.now())), user.address};
      }));
  for (const Ranked& one : page.items) {
    const auto user = POSTHUS_TRY(directory.user(one.name));
    if (user) POSTHUS_TRY_VOID(append_user(call, snapshot, json, *user));
  }
  return page.next;
}

Result<Response> listed_users(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "domain", "search", "state", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = UserOrder(POSTHUS_TRY(list_order(call.target, {"address", "used", "filled", "sent", "created"})));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  const UserFilter filter = POSTHUS_TRY(read_user_filter(call, *snapshot));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next =
      order != UserOrder::kAddress
          ? POSTHUS_TRY(append_ranked_users(call, filter, *snapshot, order, range, json))
          : POSTHUS_TRY(narrowed_page(
                range, [&](const std::string& after, std::size_t limit) { return directory.users(filter.domain, after, limit); },
                [&](const store::UserRecord& user) { return user_matches(call, filter, *snapshot, user); },
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

Result<Response> added_user(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto address = fields.text("address");
  auto password = fields.text("password");
  store::PutUser put{{.created = call.context.clock.now()}, store::PutRule::kCreate};
  store::UserRecord& user = put.user;
  user.quota_bytes = kMaxQuota + 1;  // not given
  POSTHUS_TRY_VOID(read_user_changes(call, fields, put));
  POSTHUS_TRY_VOID(fields.finish());
  user.address = POSTHUS_TRY(user_address(*address));
  if (!call.principal.may_reach_address(user.address)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
  POSTHUS_TRY_VOID(check_home(call, user.address));
  const std::uint64_t quota = POSTHUS_TRY(default_quota(call, user.address));
  if (user.quota_bytes > kMaxQuota) user.quota_bytes = quota;
  if (password && user.is_shared) return fail(ErrorKind::kInvalid, std::string(kSharedHasNone));
  if (password) POSTHUS_TRY_VOID(put_password(std::move(*password), call.context.password_cost, user));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(put);
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "the address " + user.address + " exists already");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return user_response(call, 201, user.address);
}

Result<Response> changed_user(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::lock_guard lock(call.directory);
  store::PutUser put{POSTHUS_TRY(find_user(call)), store::PutRule::kReplace};
  POSTHUS_TRY_VOID(read_user_changes(call, fields, put));
  POSTHUS_TRY_VOID(fields.finish());
  const auto outcome = call.context.store.apply(put);
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, "there is no domain or user " + outcome.error().context);
  }
  if (!outcome) return std::unexpected(outcome.error());
  forget(call, put.user.address);
  if (put.user.is_disabled || put.user.is_shared) call.context.end_sessions(put.user.account);
  return user_response(call, 200, put.user.address);
}

Result<Response> change_password(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("password");
  auto password = fields.text("password");
  POSTHUS_TRY_VOID(fields.finish());
  const store::UserRecord user = POSTHUS_TRY(find_user(call));
  POSTHUS_TRY_VOID(check_not_own(call, user));
  if (user.is_shared) return fail(ErrorKind::kInvalid, std::string(kSharedHasNone));
  const store::UserRecord changed = POSTHUS_TRY(store_password(call, user.address, *std::move(password)));
  // Who changes his own goes on working; his other browsers are signed out.
  const auto& session = call.principal.session;
  if (session && session->account == changed.account) POSTHUS_TRY_VOID(keep_signed_in(call));
  return no_content();
}

Result<Response> renamed_user(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto text = fields.text("address");
  POSTHUS_TRY_VOID(fields.finish());
  const std::string address = POSTHUS_TRY(user_address(*text));
  if (!call.principal.may_reach_address(address)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
  POSTHUS_TRY_VOID(check_home(call, address));
  const std::lock_guard lock(call.directory);
  const store::UserRecord user = POSTHUS_TRY(find_user(call));
  const auto outcome = call.context.store.apply(store::RenameUser{user.address, address});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "the address " + address + " exists already");
  }
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, "there is no domain or user " + outcome.error().context);
  }
  if (!outcome) return std::unexpected(outcome.error());
  forget(call, user.address);
  return user_response(call, 200, address);
}

Result<Response> removed_user(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::UserRecord user = POSTHUS_TRY(find_user(call));
  POSTHUS_TRY(call.context.store.apply(store::RemoveUser{user.address}));
  forget(call, user.address);
  call.context.end_sessions(user.account);
  return no_content();
}

}  // namespace

Result<store::UserRecord> store_password(const Call& call, std::string_view address, std::string password) {
  store::UserRecord hashed;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    if (auto before = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address))) hashed.scram_salt = before->scram_salt;
  }
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
  call.context.end_sessions(user->account);
  return *std::move(user);
}

Result<> check_limits(const Call& call, const store::SendLimits& before, const store::SendLimits& after) {
  const bool is_same =
      before.messages_per_day == after.messages_per_day && before.new_recipients_per_day == after.new_recipients_per_day;
  if (is_same || call.principal.reaches_all) return {};
  return fail(ErrorKind::kDenied, "Only server admins may change limits.");
}

Result<store::UserRecord> change_own_forwards(const Call& call, std::string_view address) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::lock_guard lock(call.directory);
  std::optional<store::UserRecord> user;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  }
  if (!user) return fail(ErrorKind::kNotFound, "the account is gone");
  POSTHUS_TRY_VOID(read_forwards(fields, *user));
  if (const auto value = fields.boolean("keeps_copy")) user->keeps_copy = *value;
  POSTHUS_TRY_VOID(fields.finish());
  POSTHUS_TRY(call.context.store.apply(store::PutUser{*user, store::PutRule::kReplace}));
  return *std::move(user);
}

Result<> check_not_own(const Call& call, const store::UserRecord& user) {
  const bool is_own = call.principal.session && call.principal.session->account == user.account;
  // WHY server admins may: they could make another admin anyway.
  if (!is_own || call.principal.reaches_all) return {};
  return fail(ErrorKind::kDenied, "This is your own account: change it on its own page, with the present password.");
}

Response list_users(const Call& call) { return answer(listed_users(call)); }
Response add_user(const Call& call) { return answer(added_user(call)); }
Response change_user(const Call& call) { return answer(changed_user(call)); }
Response rename_user(const Call& call) { return answer(renamed_user(call)); }
Response remove_user(const Call& call) { return answer(removed_user(call)); }
Response set_password(const Call& call) { return answer(change_password(call)); }
Response get_user(const Call& call) {
  const auto user = find_user(call);
  return answer(user ? user_response(call, 200, user->address) : std::unexpected(user.error()));
}

}  // namespace posthus::web_admin
