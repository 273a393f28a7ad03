// /api/v1/domains/{name}/dkim: the keys that mail of a domain is signed with. Only what the DNS is to hold is shown: private keys
// never leave the store. RFC 6376 §3.6.2.
#include "core/mail/date_time.h"
#include "core/mailauth/dkim_sign.h"
#include "web-admin/api.h"
#include "web-admin/domain_publication.h"
#include "web-admin/lists.h"
#include "web-admin/live_check.h"
#include "web-admin/resources.h"
#include "web-admin/signing_keys.h"

namespace posthus::web_admin {
namespace {

std::string_view key_state_name(KeyState state) {
  switch (state) {
    case KeyState::kActive: return "active";
    case KeyState::kPending: return "pending";
    case KeyState::kRetiring: break;
  }
  return "retiring";
}

void append_key(JsonWriter& json, const store::DkimKeyRecord& key) {
  const bool is_rsa = key.algorithm == store::DkimAlgorithm::kRsaSha256;
  const auto algorithm = is_rsa ? mailauth::SigningAlgorithm::kRsaSha256 : mailauth::SigningAlgorithm::kEd25519Sha256;
  json.begin_object().key("selector").text(key.selector);
  json.key("algorithm").text(is_rsa ? "rsa-sha256" : "ed25519-sha256").key("state").text(key_state_name(key_state(key)));
  json.key("record_name").text(key.selector + "._domainkey." + key.domain);
  json.key("record").text(mailauth::key_record(algorithm, key.public_key));
  json.key("created").text(mail::format_rfc3339(key.created)).key("retires");
  if (key.retires.microseconds > 0) {
    json.text(mail::format_rfc3339(key.retires));
  } else {
    json.null();
  }
  json.end_object();
}

/// The domain the request names, when it is ours.
Result<store::DomainRecord> named_record(const Call& call) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return our_domain(*snapshot, call.path[0]);
}
Result<std::string> named_domain(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return POSTHUS_TRY(named_record(call)).name;
}

Result<Response> keys_response(const Call& call, int status, const std::string& domain) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::DkimKeyRecord& key : POSTHUS_TRY(listed_keys(*snapshot, domain, call.context.clock.now()))) {
    append_key(json, key);
  }
  json.end_array();
  append_next(json, "");  // a page like others: a domain never has more keys than one holds
  return json_response(status, json.end_object().take());
}

Result<Response> shown_keys(const Call& call) { return keys_response(call, 200, POSTHUS_TRY(named_domain(call))); }

Result<Response> rotate(const Call& call) {
  const std::string domain = POSTHUS_TRY(named_domain(call));
  const Timestamp now = call.context.clock.now();
  const std::lock_guard lock(call.directory);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto keys = POSTHUS_TRY(listed_keys(*snapshot, domain, now));
  bool has_active = false;
  for (const store::DkimKeyRecord& key : keys) {
    has_active = has_active || key_state(key) == KeyState::kActive;
    if (key_state(key) == KeyState::kPending) {
      return fail(ErrorKind::kExists, domain + " has pending keys already: activate or remove them");
    }
  }
  const NewKeys kind = has_active ? NewKeys::kPending : NewKeys::kActive;
  POSTHUS_TRY_VOID(add_key_pair(call.context.store, domain, kind, call.context.make_signing_key, now));
  return keys_response(call, 201, domain);
}

/// A key whose record others do not find makes every signature fail. With ?force=true the admin knows better.
Result<> check_records(const Call& call, const store::DomainRecord& domain) {
  const std::string* const force = call.target.parameter("force");
  if (force && *force != "true" && *force != "false") return fail(ErrorKind::kInvalid, "parameter 'force' must be true or false");
  if (force && *force == "true") return {};
  const std::string lacking = POSTHUS_TRY(lacking_key_records(call.context, domain));
  if (lacking.empty()) return {};
  return fail(ErrorKind::kExists, "the DNS does not have the new keys yet; publish them, or force it. " + lacking);
}

Result<Response> activate(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"force"}));
  const store::DomainRecord record = POSTHUS_TRY(named_record(call));
  const std::string& domain = record.name;
  POSTHUS_TRY_VOID(check_records(call, record));
  const std::lock_guard lock(call.directory);
  POSTHUS_TRY_VOID(activate_pending_keys(call.context.store, domain, call.context.clock.now()));
  return keys_response(call, 200, domain);
}

Result<Response> removed_key(const Call& call) {
  const std::string domain = POSTHUS_TRY(named_domain(call));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(store::RemoveDkimKey{domain, call.path[1]});
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, domain + " has no key '" + call.path[1] + "'");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return no_content();
}

}  // namespace

Response list_keys(const Call& call) { return answer(shown_keys(call)); }
Response rotate_keys(const Call& call) { return answer(rotate(call)); }
Response activate_keys(const Call& call) { return answer(activate(call)); }
Response remove_key(const Call& call) { return answer(removed_key(call)); }

}  // namespace posthus::web_admin
