// /api/v1/users/{address}/delegates and /api/v1/me/delegates: who else uses somebody's mailboxes and sends in his name;
// …/delegations: whose he uses himself.
#include <algorithm>
#include <array>

#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/grant_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::array<std::string_view, 3> kAccessWords{"none", "read", "full"};  // in the order of MailboxAccess

enum class GrantSide : bool { kOwner, kDelegate };

/// Grants of an account from one side; `address` in them is who stands on the other.
Result<Response> list_grants(const Call& call, AccountId account, GrantSide side) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));  // all fit one page
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::GrantReader reader(*snapshot);
  const auto grants =
      side == GrantSide::kOwner ? POSTHUS_TRY(reader.of_owner(account)) : POSTHUS_TRY(reader.of_delegate(account));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::GrantRecord& grant : grants) {
    const AccountId other = side == GrantSide::kOwner ? grant.delegate : grant.owner;
    const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(other));
    if (!user) continue;
    json.begin_object().key("address").text(user->address);
    json.key("access").text(kAccessWords.at(static_cast<std::size_t>(grant.access))).key("send_as").boolean(grant.may_send);
    json.key("shared").boolean(user->is_shared).key("created").text(mail::format_rfc3339(grant.created)).end_object();
  }
  json.end_array().key("next").null();
  return json_response(200, json.end_object().take());
}

Result<store::UserRecord> user_of_address(const store::Snapshot& snapshot, const std::string& address) {
  auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + address);
  return std::move(*user);
}

Result<AccountId> account_in_path(const Call& call) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return POSTHUS_TRY(user_of_address(*snapshot, call.path[0])).account;
}

Result<store::GrantRecord> read_grant(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("access");
  const auto access = fields.text("access");
  store::GrantRecord grant;
  grant.may_send = fields.boolean("send_as").value_or(false);
  POSTHUS_TRY_VOID(fields.finish());
  const auto found = std::ranges::find(kAccessWords, *access);
  if (found == kAccessWords.end()) return fail(ErrorKind::kInvalid, "field 'access' must be none, read or full");
  grant.access = static_cast<store::MailboxAccess>(found - kAccessWords.begin());
  if (grant.access == store::MailboxAccess::kNone && !grant.may_send) {
    return fail(ErrorKind::kInvalid, "without access and 'send_as' nothing would be granted");
  }
  return grant;
}

Result<Response> put_grant(const Call& call, AccountId owner, const std::string& delegate_address) {
  store::GrantRecord grant = POSTHUS_TRY(read_grant(call));
  grant.owner = owner;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    grant.delegate = POSTHUS_TRY(user_of_address(*snapshot, delegate_address)).account;
  }
  POSTHUS_TRY(call.context.store.apply(store::PutGrant{grant}));
  return list_grants(call, owner, GrantSide::kOwner);
}

Result<Response> drop_grant(const Call& call, AccountId owner, const std::string& delegate_address) {
  std::optional<AccountId> delegate;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(delegate_address));
    if (user) delegate = user->account;
  }
  const auto gone = delegate ? call.context.store.apply(store::RemoveGrant{owner, *delegate})
                             : Result<store::WriteOutcome>(fail(ErrorKind::kNotFound));
  if (!gone && gone.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, delegate_address + " is no delegate");
  }
  if (!gone) return std::unexpected(gone.error());
  return no_content();
}

Result<Response> put_delegate_of(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (!call.principal.may_reach_address(call.path[1])) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
  const std::lock_guard lock(call.directory);
  return put_grant(call, POSTHUS_TRY(account_in_path(call)), call.path[1]);
}

Result<Response> drop_delegate_of(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::lock_guard lock(call.directory);
  return drop_grant(call, POSTHUS_TRY(account_in_path(call)), call.path[1]);
}

Result<Response> list_of_user(const Call& call, GrantSide side) {
  return list_grants(call, POSTHUS_TRY(account_in_path(call)), side);
}

Response own_session_missing() { return problem(404, "There is no browser's session here."); }

}  // namespace

Response list_delegates(const Call& call) { return answer(list_of_user(call, GrantSide::kOwner)); }
Response list_delegations(const Call& call) { return answer(list_of_user(call, GrantSide::kDelegate)); }
Response put_delegate(const Call& call) { return answer(put_delegate_of(call)); }
Response remove_delegate(const Call& call) { return answer(drop_delegate_of(call)); }

Response list_own_delegates(const Call& call) {
  if (!call.principal.session) return own_session_missing();
  return answer(list_grants(call, call.principal.session->account, GrantSide::kOwner));
}
Response list_own_delegations(const Call& call) {
  if (!call.principal.session) return own_session_missing();
  return answer(list_grants(call, call.principal.session->account, GrantSide::kDelegate));
}
Response put_own_delegate(const Call& call) {
  if (!call.principal.session) return own_session_missing();
  const std::lock_guard lock(call.directory);
  return answer(put_grant(call, call.principal.session->account, call.path[0]));
}
Response remove_own_delegate(const Call& call) {
  if (!call.principal.session) return own_session_missing();
  const std::lock_guard lock(call.directory);
  return answer(drop_grant(call, call.principal.session->account, call.path[0]));
}

}  // namespace posthus::web_admin
