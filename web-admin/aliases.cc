// /api/v1/aliases: addresses whose mail goes to other addresses; "@domain" is the catch-all of a domain.
#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "web-admin/alias_lists.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

void append_alias(JsonWriter& json, const store::AliasRecord& alias) {
  json.begin_object().key("address").text(alias.address).key("targets").texts(alias.targets);
  json.key("created").text(mail::format_rfc3339(alias.created)).key("own").boolean(alias.owner.value != 0).end_object();
}

/// Is `text` (lower case) a part of its address or of a target?
bool mentions(const store::AliasRecord& alias, std::string_view text) {
  const auto has = [text](const std::string& address) { return ascii::to_lower(address).find(text) != std::string::npos; };
  return text.empty() || has(alias.address) || std::ranges::any_of(alias.targets, has);
}

Response alias_response(int status, const store::AliasRecord& alias) {
  JsonWriter json;
  append_alias(json, alias);
  return json_response(status, json.take());
}

Result<std::string> alias_address(std::string_view text) {
  if (text.starts_with('@') && !mail::is_domain_literal(text.substr(1))) {
    if (auto domain = mail::normalise_domain(text.substr(1))) return "@" + *domain;
  }
  const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
  if (!address || mail::is_domain_literal(address->domain)) {
    return fail(ErrorKind::kInvalid, "'" + std::string(text) + "' is neither a mail address nor '@domain'");
  }
  return mail::to_string(*address);
}

Result<std::vector<std::string>> read_targets(JsonFields& fields) {
  fields.require("targets");
  const auto texts = fields.texts("targets");
  POSTHUS_TRY_VOID(fields.finish());
  if (texts->empty() || texts->size() > store::kMaxAliasTargets) {
    return fail(ErrorKind::kInvalid, "field 'targets' must have 1 to " + std::to_string(store::kMaxAliasTargets) + " addresses");
  }
  std::vector<std::string> targets;
  for (const std::string& text : *texts) {
    const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
    if (!address) return fail(ErrorKind::kInvalid, "target '" + text + "' is not a mail address");
    targets.push_back(mail::to_string(*address));
  }
  return targets;
}

Result<store::AliasRecord> find_alias(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string address = POSTHUS_TRY(alias_address(call.path[0]));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto alias = POSTHUS_TRY(store::DirectoryReader(*snapshot).alias(address));
  if (!alias) return fail(ErrorKind::kNotFound, "there is no alias " + address);
  return std::move(*alias);
}

struct AliasFilter {
  std::string domain, text;
};

bool alias_matches(const Call& call, const AliasFilter& filter, const store::AliasRecord& alias) {
  return call.principal.may_reach_address(alias.address) && mentions(alias, filter.text);
}

Result<Response> listed_aliases(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "domain", "search", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = AliasOrder(POSTHUS_TRY(list_order(call.target, {"address", "targets", "created"})));
  AliasFilter filter;
  filter.domain = POSTHUS_TRY(listed_domain(call));
  filter.text = POSTHUS_TRY(search_text(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = POSTHUS_TRY(append_alias_page(
      order, range, [&](const std::string& after, std::size_t limit) { return directory.aliases(filter.domain, after, limit); },
      [&](const store::AliasRecord& alias) { return alias_matches(call, filter, alias); },
      [&](const std::string& address) { return directory.alias(address); },
      [&](const store::AliasRecord& alias) { append_alias(json, alias); }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

Result<Response> added_alias(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto address = fields.text("address");
  store::AliasRecord alias{.targets = POSTHUS_TRY(read_targets(fields)), .created = call.context.clock.now()};
  alias.address = POSTHUS_TRY(alias_address(*address));
  if (!call.principal.may_reach_address(alias.address)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
  POSTHUS_TRY_VOID(check_home(call, alias.address));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(store::PutAlias{alias, store::PutRule::kCreate});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "the address " + alias.address + " exists already");
  }
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, "the domain of " + alias.address + " is not here");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return alias_response(201, alias);
}

Result<Response> replace(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  std::vector<std::string> targets = POSTHUS_TRY(read_targets(fields));
  const std::lock_guard lock(call.directory);
  store::AliasRecord alias = POSTHUS_TRY(find_alias(call));
  alias.targets = std::move(targets);
  POSTHUS_TRY(call.context.store.apply(store::PutAlias{alias, store::PutRule::kReplace}));
  return alias_response(200, alias);
}

Result<Response> removed_alias(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::AliasRecord alias = POSTHUS_TRY(find_alias(call));
  POSTHUS_TRY(call.context.store.apply(store::RemoveAlias{alias.address}));
  return no_content();
}

}  // namespace

Response list_aliases(const Call& call) { return answer(listed_aliases(call)); }
Response add_alias(const Call& call) { return answer(added_alias(call)); }
Response replace_alias(const Call& call) { return answer(replace(call)); }
Response remove_alias(const Call& call) { return answer(removed_alias(call)); }
Response get_alias(const Call& call) {
  const auto alias = find_alias(call);
  return alias ? alias_response(200, *alias) : answer(std::unexpected(alias.error()));
}

}  // namespace posthus::web_admin
