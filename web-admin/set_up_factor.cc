// /api/v1/setup/factor: the second factor of the first admin, begun and confirmed in the set-up. The first code shows that the
// app has the key and that both clocks agree, so that nobody is locked out of a server that is a minute old. RFC 6238.
#include "core/sasl/totp.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/factor_parts.h"
#include "web-admin/first_start.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"
#include "web-admin/set_up_parts.h"

namespace posthus::web_admin {
namespace {

/// Errors: kExists before the step "admin", and when the server is set up.
Result<store::UserRecord> first_admin(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  POSTHUS_TRY_VOID(check_open(call));
  const std::string address = POSTHUS_TRY(note(call, first_start_keys::kAdmin));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = address.empty() ? std::optional<store::UserRecord>() : POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kExists, "there is no admin with a password yet: that step comes first");
  return *std::move(user);
}

Result<Response> begin_factor(const Call& call) {
  const store::UserRecord admin = POSTHUS_TRY(first_admin(call));
  const std::string secret = sasl::make_totp_secret();
  call.context.first_start->set_pending_factor(secret);
  // WHY not our host name: it may not be chosen yet.
  return factor_key_response(admin.address.substr(admin.address.rfind('@') + 1), admin.address, secret);
}

Result<Response> confirm_factor(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("code");
  const auto code = fields.text("code");
  POSTHUS_TRY_VOID(fields.finish());
  const store::UserRecord admin = POSTHUS_TRY(first_admin(call));
  const std::string secret = call.context.first_start->pending_factor();
  if (secret.empty()) return fail(ErrorKind::kExists, "no second factor is being set up: begin it first");
  const auto step = sasl::find_totp_step(secret, sasl::app_password_text(code->substr(0, 100)), call.context.clock.now(), 0);
  if (!step) return problem(403, "The code is not right. Is the clock of the device right?", "factor.wrong");
  const FreshCodes fresh = make_recovery_codes();
  POSTHUS_TRY(call.context.store.apply(store::PutSecondFactor{
      {.account = admin.account, .secret = secret, .last_step = *step, .recovery_hashes = fresh.hashes, .created = {}}}));
  call.context.first_start->set_pending_factor({});
  POSTHUS_TRY_VOID(put_note(call, first_start_keys::kFactor, "totp"));
  return codes_response(201, fresh);
}

}  // namespace

Response begin_set_up_factor(const Call& call) { return answer(begin_factor(call)); }
Response confirm_set_up_factor(const Call& call) { return answer(confirm_factor(call)); }

}  // namespace posthus::web_admin
