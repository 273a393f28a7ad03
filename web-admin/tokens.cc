// /api/v1/tokens: bearer tokens for programs. The secret is shown once, in the answer that makes it.
#include <algorithm>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kTokenSecretBytes = 32;

void append_token_fields(JsonWriter& json, const store::TokenRecord& token) {
  json.key("id").text(token.id).key("name").text(token.name).key("scopes").texts(token.scopes).key("expires");
  if (token.expires) {
    json.text(mail::format_rfc3339(*token.expires));
  } else {
    json.null();
  }
  json.key("created").text(mail::format_rfc3339(token.created));
}

Result<Response> listed_tokens(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).tokens(range.after, range.limit));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::TokenRecord& token : page.items) {
    json.begin_object();
    append_token_fields(json, token);
    json.end_object();
  }
  json.end_array();
  append_next(json, page.next);
  return json_response(200, json.end_object().take());
}

Result<> check_scopes(const std::vector<std::string>& scopes) {
  if (scopes.empty() || scopes.size() > 3) return fail(ErrorKind::kInvalid, "field 'scopes' must name 1 to 3 scopes");
  for (const std::string& scope : scopes) {
    if (scope != "admin" && scope != "read" && scope != "metrics") {
      return fail(ErrorKind::kInvalid, "field 'scopes' may hold \"admin\", \"read\" and \"metrics\" only");
    }
    if (std::count(scopes.begin(), scopes.end(), scope) > 1) return fail(ErrorKind::kInvalid, "field 'scopes' names one twice");
  }
  return {};
}

Result<Response> added_token(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("name");
  fields.require("scopes");
  const auto name = fields.text("name");
  const auto scopes = fields.texts("scopes");
  const auto expires = fields.is_null("expires") ? std::nullopt : fields.text("expires");
  POSTHUS_TRY_VOID(fields.finish());
  if (name->empty() || name->size() > kMaxName) {
    return fail(ErrorKind::kInvalid, "field 'name' must have 1 to " + std::to_string(kMaxName) + " bytes");
  }
  POSTHUS_TRY_VOID(check_scopes(*scopes));
  store::TokenRecord token{.id = to_hex(random_bytes(kTokenIdDigits / 2)), .name = *name, .scopes = *scopes};
  token.created = call.context.clock.now();
  if (expires) {
    token.expires = mail::parse_rfc3339(*expires);
    if (!token.expires || *token.expires <= token.created) {
      return fail(ErrorKind::kInvalid, "field 'expires' must be a time to come, like 2030-01-31T12:00:00Z");
    }
  }
  const std::string secret = base64url_encode(random_bytes(kTokenSecretBytes));
  token.secret_hash = as_view(sha256(secret));
  POSTHUS_TRY(call.context.store.apply(store::PutToken{token}));
  JsonWriter json;
  json.begin_object();
  append_token_fields(json, token);
  json.key("token").text(join_token(token.id, secret)).end_object();
  return json_response(201, json.take());
}

Result<Response> removed_token(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string& id = call.path[0];
  const std::lock_guard lock(call.directory);
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const bool is_token_id = id.size() == kTokenIdDigits;
    if (!is_token_id || !POSTHUS_TRY(store::DirectoryReader(*snapshot).token(id))) {
      return fail(ErrorKind::kNotFound, "there is no token " + id);
    }
  }
  POSTHUS_TRY(call.context.store.apply(store::RemoveToken{id}));
  return no_content();
}

}  // namespace

Response list_tokens(const Call& call) { return answer(listed_tokens(call)); }
Response add_token(const Call& call) { return answer(added_token(call)); }
Response remove_token(const Call& call) { return answer(removed_token(call)); }

}  // namespace posthus::web_admin
