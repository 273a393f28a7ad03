// /api/v1/me/aliases: addresses that a user makes for himself, where his domain lets him (store/own_alias.h). Whose they are is
// said by the session, never by the request.
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/own_alias.h"
#include "web-admin/api.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kTooOften = "you changed your own addresses too often; wait some minutes";

std::string_view domain_of_user(const store::UserRecord& user) {
  return std::string_view(user.address).substr(user.address.rfind('@') + 1);
}

Result<store::UserRecord> user_of_session(const Call& call, const store::Snapshot& snapshot) {
  if (!call.principal.session) return fail(ErrorKind::kNotFound, "there is no session");
  auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(call.principal.session->account));
  if (!user) return fail(ErrorKind::kNotFound, "the account is gone");
  return *std::move(user);
}

/// How many he may have.
Result<std::uint32_t> allowed_aliases(const store::Snapshot& snapshot, const store::UserRecord& user) {
  const auto domain = POSTHUS_TRY(store::DirectoryReader(snapshot).domain(domain_of_user(user)));
  return domain && !user.is_shared ? domain->own_aliases : 0;
}

void append_own_alias(JsonWriter& json, const store::AliasRecord& alias) {
  json.begin_object().key("address").text(alias.address);
  json.key("created").text(mail::format_rfc3339(alias.created)).end_object();
}

Result<Response> listed_own_aliases(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::UserRecord user = POSTHUS_TRY(user_of_session(call, *snapshot));
  JsonWriter json;
  json.begin_object().key("domain").text(domain_of_user(user));
  json.key("allowed").number(POSTHUS_TRY(allowed_aliases(*snapshot, user))).key("items").begin_array();
  for (const store::AliasRecord& alias : POSTHUS_TRY(store::own_aliases_of(*snapshot, user))) append_own_alias(json, alias);
  json.end_array();
  append_next(json, "");  // kMaxOwnAliases at most
  return json_response(200, json.end_object().take());
}

/// Why not, for people. The store decides; this says it.
/// WHY 409 and not 403: whoever asks may make addresses; it is this address or this domain that stands in the way, and he can
/// choose otherwise.
std::unexpected<Error> refuse_own_alias(const Error& error, const std::string& address, std::uint32_t allowed) {
  switch (error.kind) {
    case ErrorKind::kExists: return fail(ErrorKind::kExists, "the address " + address + " exists already");
    case ErrorKind::kTooLarge:
      return fail(ErrorKind::kExists, "you may have " + std::to_string(allowed) + " addresses of your own; delete one first");
    case ErrorKind::kDenied:
      if (allowed == 0) return fail(ErrorKind::kExists, "your domain has no addresses of one's own");
      return fail(ErrorKind::kExists, address + " is kept for whoever looks after the domain");
    case ErrorKind::kInvalid:
      return fail(ErrorKind::kInvalid,
                  "an address of your own is of your domain, and of letters, digits, dots, hyphens and underscores");
    default: return std::unexpected(error);
  }
}

Result<Response> made_own_alias(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto text = fields.text("address");
  POSTHUS_TRY_VOID(fields.finish());
  if (!call.principal.session) return fail(ErrorKind::kNotFound, "there is no session");
  if (!call.sessions.may_change_addresses(call.principal.session->account)) return problem(429, kTooOften);
  const auto parsed = mail::parse_mailbox(*text, mail::Utf8::kAllow);
  if (!parsed) return fail(ErrorKind::kInvalid, "'" + *text + "' is not a mail address");
  const std::string address = mail::to_string(*parsed);
  const std::lock_guard lock(call.directory);
  std::uint32_t allowed = 0;
  store::UserRecord user;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    user = POSTHUS_TRY(user_of_session(call, *snapshot));
    allowed = POSTHUS_TRY(allowed_aliases(*snapshot, user));
  }
  const auto outcome = call.context.store.apply(store::PutOwnAlias{user.account, address});
  if (!outcome) return refuse_own_alias(outcome.error(), address, allowed);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto alias = POSTHUS_TRY(store::DirectoryReader(*snapshot).alias(address));
  if (!alias) return fail(ErrorKind::kNotFound, "there is no alias " + address);
  JsonWriter json;
  append_own_alias(json, *alias);
  return json_response(201, json.take());
}

Result<Response> removed_own_alias(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.session) return fail(ErrorKind::kNotFound, "there is no session");
  if (!call.sessions.may_change_addresses(call.principal.session->account)) return problem(429, kTooOften);
  const std::string& address = call.path[0];
  const std::lock_guard lock(call.directory);
  const auto outcome = call.context.store.apply(store::RemoveOwnAlias{call.principal.session->account, address});
  // WHY one answer for what is no address, nobody's and somebody else's: it must not tell what exists.
  if (!outcome && (outcome.error().kind == ErrorKind::kNotFound || outcome.error().kind == ErrorKind::kInvalid)) {
    return fail(ErrorKind::kNotFound, "you have no address " + address + " that you made yourself");
  }
  if (!outcome) return std::unexpected(outcome.error());
  return no_content();
}

}  // namespace

Response list_own_aliases(const Call& call) { return answer(listed_own_aliases(call)); }
Response add_own_alias(const Call& call) { return answer(made_own_alias(call)); }
Response remove_own_alias(const Call& call) { return answer(removed_own_alias(call)); }

}  // namespace posthus::web_admin
