// /api/v1/domains/{name}/dkim: the keys that mail of a domain is signed with. Only what the DNS is to hold is shown: private keys
// never leave the store. RFC 6376 §3.6.2.
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "core/mailauth/dkim_sign.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"
#include "web-admin/signing_keys.h"

namespace posthus::web_admin {
namespace {

std::string_view name_of(KeyState state) {
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
  json.key("algorithm").text(is_rsa ? "rsa-sha256" : "ed25519-sha256").key("state").text(name_of(key_state(key)));
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

/// The name of a domain of ours.
Result<std::string> our_domain(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto name = mail::normalise_domain(call.path[0]);
  if (!name) return fail(ErrorKind::kInvalid, "'" + call.path[0] + "' is not a domain name");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  if (!POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(*name))) {
    return fail(ErrorKind::kNotFound, "there is no domain " + *name);
  }
  return *name;
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

Result<Response> list(const Call& call) { return keys_response(call, 200, POSTHUS_TRY(our_domain(call))); }

Result<Response> rotate(const Call& call) {
  const std::string domain = POSTHUS_TRY(our_domain(call));
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

Result<Response> activate(const Call& call) {
  const std::string domain = POSTHUS_TRY(our_domain(call));
  const std::lock_guard lock(call.directory);
  POSTHUS_TRY_VOID(activate_pending_keys(call.context.store, domain, call.context.clock.now()));
  return keys_response(call, 200, domain);
}

Result<Response> remove(const Call& call) {
  const std::string domain = POSTHUS_TRY(our_domain(call));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(store::RemoveDkimKey{domain, call.path[1]});
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, domain + " has no key '" + call.path[1] + "'");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return no_content();
}

}  // namespace

Response list_keys(const Call& call) { return answer(list(call)); }
Response rotate_keys(const Call& call) { return answer(rotate(call)); }
Response activate_keys(const Call& call) { return answer(activate(call)); }
Response remove_key(const Call& call) { return answer(remove(call)); }

}  // namespace posthus::web_admin
