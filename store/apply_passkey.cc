// Passkeys. WebAuthn Level 3 §6.1.1: a counter that does not go up tells of a copy, which only the Writer can see to.
#include "store/apply_kinds.h"
#include "store/identity_reader.h"
#include "store/long_value.h"
#include "store/record_passkey.h"
#include "store/rows.h"

namespace posthus::store {
namespace {

Result<PasskeyRecord> find_passkey(const Snapshot& snapshot, AccountId account, std::string_view id) {
  auto found = POSTHUS_TRY(IdentityReader(snapshot).passkey(account, id));
  if (!found) return fail(ErrorKind::kNotFound, "there is no such passkey");
  return *std::move(found);
}

bool is_whole_passkey(const PasskeyRecord& record) {
  return !record.name.empty() && !record.relying_party.empty() && record.user_handle.size() == kUserHandle &&
         !record.credential_id.empty() && !record.public_key.empty();
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutPasskey& request) {
  PasskeyRecord record = request.passkey;
  if (!is_whole_passkey(record)) return fail(ErrorKind::kInvalid, "passkey");
  record.id = passkey_id(record.credential_id);
  record.created = context.now;
  record.last_used = {};
  record.last_address.clear();
  const std::string bytes = encode_passkey(record);
  if (record.name.size() > kMaxPasskeyName || record.credential_id.size() > kMaxCredentialId || bytes.size() > kMaxPasskeyRecord)
    return fail(ErrorKind::kTooLarge, "passkey");
  if (!POSTHUS_TRY(get_user(context.transaction, record.account)))
    return fail(ErrorKind::kNotFound, "account " + std::to_string(record.account.value));
  const auto others = POSTHUS_TRY(IdentityReader(context.transaction).passkeys(record.account));
  for (const PasskeyRecord& other : others) {
    if (other.id == record.id) return fail(ErrorKind::kExists, "the account has this passkey already");
  }
  if (others.size() >= kMaxPasskeys)
    return fail(ErrorKind::kTooLarge, "an account has at most " + std::to_string(kMaxPasskeys) + " passkeys");
  POSTHUS_TRY_VOID(put_long_value(context.transaction, Table::kPasskeys, passkey_key(record.account, record.id), bytes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const UsePasskey& request) {
  PasskeyRecord record = POSTHUS_TRY(find_passkey(context.transaction, request.account, request.id));
  const bool counts = record.sign_count != 0 || request.sign_count != 0;
  if (counts && request.sign_count <= record.sign_count) return fail(ErrorKind::kDenied, "the counter did not go up");
  record.sign_count = request.sign_count;
  record.last_used = context.now;
  record.last_address = request.remote_address.substr(0, 64);  // an IPv6 address with its zone
  POSTHUS_TRY_VOID(
      replace_long_value(context.transaction, Table::kPasskeys, passkey_key(record.account, record.id), encode_passkey(record)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemovePasskey& request) {
  POSTHUS_TRY(find_passkey(context.transaction, request.account, request.id));
  const auto others = POSTHUS_TRY(IdentityReader(context.transaction).passkeys(request.account));
  const auto factor = POSTHUS_TRY(IdentityReader(context.transaction).second_factor(request.account));
  if (others.size() == 1 && factor && factor->secret.empty())
    return fail(ErrorKind::kExists, "it is the only second factor of the account; switch that off first");
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kPasskeys, passkey_key(request.account, request.id)));
  return WriteOutcome{};
}

}  // namespace posthus::store
