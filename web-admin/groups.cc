// /api/v1/groups: addresses with members, a name, and who may write to them. A group is kept as an alias that has these; an
// address is either.
#include <algorithm>
#include <array>

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

constexpr std::array<std::string_view, 3> kWriterWords{"anyone", "members", "domain"};  // in the order of GroupWriters

void append_group(JsonWriter& json, const store::AliasRecord& group) {
  json.begin_object().key("address").text(group.address).key("display_name").text(group.group->display_name);
  json.key("writers").text(kWriterWords.at(static_cast<std::size_t>(group.group->writers)));
  json.key("members").texts(group.targets).key("created").text(mail::format_rfc3339(group.created)).end_object();
}

Response group_response(int status, const store::AliasRecord& group) {
  JsonWriter json;
  append_group(json, group);
  return json_response(status, json.take());
}

/// Is `text` (lower case) a part of its address, its name or a member?
bool group_mentions(const store::AliasRecord& group, std::string_view text) {
  const auto has = [text](const std::string& part) { return ascii::to_lower(part).find(text) != std::string::npos; };
  return text.empty() || has(group.address) || has(group.group->display_name) || std::ranges::any_of(group.targets, has);
}

Result<std::string> member_address(const std::string& text) {
  const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
  if (!address || mail::is_domain_literal(address->domain)) {
    return fail(ErrorKind::kInvalid, "'" + text + "' is not a mail address");
  }
  return mail::to_string(*address);
}

/// Fields that are there go into `group`. Errors: kInvalid.
Result<> read_group(JsonFields& fields, store::AliasRecord& group) {
  const auto name = fields.text("display_name"), writers = fields.text("writers");
  const auto members = fields.texts("members");
  POSTHUS_TRY_VOID(fields.finish());
  if (name && name->size() > store::kMaxGroupName) {
    return fail(ErrorKind::kInvalid, "field 'display_name' must have at most " + std::to_string(store::kMaxGroupName) + " bytes");
  }
  if (name && std::ranges::any_of(*name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return fail(ErrorKind::kInvalid, "field 'display_name' must be one line of text");
  }
  if (name) group.group->display_name = *name;
  if (writers) {
    const auto found = std::ranges::find(kWriterWords, *writers);
    if (found == kWriterWords.end()) return fail(ErrorKind::kInvalid, "field 'writers' must be anyone, members or domain");
    group.group->writers = static_cast<store::GroupWriters>(found - kWriterWords.begin());
  }
  if (!members) return {};
  if (members->empty() || members->size() > store::kMaxAliasTargets) {
    return fail(ErrorKind::kInvalid, "field 'members' must have 1 to " + std::to_string(store::kMaxAliasTargets) + " addresses");
  }
  group.targets.clear();
  for (const std::string& text : *members) group.targets.push_back(POSTHUS_TRY(member_address(text)));
  return {};
}

Result<store::AliasRecord> find_group(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto group = POSTHUS_TRY(store::DirectoryReader(*snapshot).group(call.path[0]));
  if (!group) return fail(ErrorKind::kNotFound, "there is no group " + call.path[0]);
  return std::move(*group);
}

/// As the store has it now, with what it made of the members.
Result<Response> stored_group(const Call& call, int status, const std::string& address) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto group = POSTHUS_TRY(store::DirectoryReader(*snapshot).group(address));
  if (!group) return fail(ErrorKind::kNotFound, "there is no group " + address);
  return group_response(status, *group);
}

Result<Response> replaced_group(const Call& call, const store::AliasRecord& group) {
  POSTHUS_TRY(call.context.store.apply(store::PutAlias{group, store::PutRule::kReplace}));
  return stored_group(call, 200, group.address);
}

struct GroupFilter {
  std::string domain, text;
};

bool group_matches(const Call& call, const GroupFilter& filter, const store::AliasRecord& group) {
  return call.principal.may_reach_address(group.address) && group_mentions(group, filter.text);
}

Result<Response> list_of_groups(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "domain", "search", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = AliasOrder(POSTHUS_TRY(list_order(call.target, {"address", "members", "created"})));
  GroupFilter filter;
  filter.domain = POSTHUS_TRY(listed_domain(call));
  filter.text = POSTHUS_TRY(search_text(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = POSTHUS_TRY(append_alias_page(
      order, range, [&](const std::string& after, std::size_t limit) { return directory.groups(filter.domain, after, limit); },
      [&](const store::AliasRecord& group) { return group_matches(call, filter, group); },
      [&](const std::string& address) { return directory.group(address); },
      [&](const store::AliasRecord& group) { append_group(json, group); }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

Result<Response> made_group(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  fields.require("members");
  const auto address = fields.text("address");
  store::AliasRecord group{.created = call.context.clock.now(), .group = store::GroupTraits{}};
  POSTHUS_TRY_VOID(read_group(fields, group));
  group.address = POSTHUS_TRY(member_address(*address));
  if (!call.principal.may_reach_address(group.address)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
  POSTHUS_TRY_VOID(check_home(call, group.address));
  const std::lock_guard lock(call.directory);
  auto outcome = call.context.store.apply(store::PutAlias{group, store::PutRule::kCreate});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "the address " + group.address + " exists already");
  }
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, "the domain of " + group.address + " is not here");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return stored_group(call, 201, group.address);
}

Result<Response> changed_group(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::lock_guard lock(call.directory);
  store::AliasRecord group = POSTHUS_TRY(find_group(call));
  POSTHUS_TRY_VOID(read_group(fields, group));
  return replaced_group(call, group);
}

Result<Response> removed_group(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::AliasRecord group = POSTHUS_TRY(find_group(call));
  POSTHUS_TRY(call.context.store.apply(store::RemoveAlias{group.address}));
  return no_content();
}

/// Where `member` (any case) stands among the members, end() when nowhere.
std::vector<std::string>::iterator member_in(store::AliasRecord& group, const std::string& member) {
  return std::ranges::find_if(group.targets,
                              [&member](const std::string& one) { return ascii::equal_ignoring_case(one, member); });
}

Result<Response> with_member(const Call& call) {
  const std::lock_guard lock(call.directory);
  store::AliasRecord group = POSTHUS_TRY(find_group(call));
  const std::string member = POSTHUS_TRY(member_address(call.path[1]));
  if (member_in(group, member) != group.targets.end()) return group_response(200, group);
  if (group.targets.size() >= store::kMaxAliasTargets) {
    return fail(ErrorKind::kInvalid, "a group has at most " + std::to_string(store::kMaxAliasTargets) + " members");
  }
  group.targets.push_back(member);
  return replaced_group(call, group);
}

Result<Response> without_member(const Call& call) {
  const std::lock_guard lock(call.directory);
  store::AliasRecord group = POSTHUS_TRY(find_group(call));
  const std::string member = POSTHUS_TRY(member_address(call.path[1]));
  const auto found = member_in(group, member);
  if (found == group.targets.end()) return fail(ErrorKind::kNotFound, member + " is no member of " + group.address);
  if (group.targets.size() == 1) {
    return fail(ErrorKind::kInvalid, member + " is the last member of " + group.address + "; remove the group instead");
  }
  group.targets.erase(found);
  return replaced_group(call, group);
}

}  // namespace

Response list_groups(const Call& call) { return answer(list_of_groups(call)); }
Response add_group(const Call& call) { return answer(made_group(call)); }
Response change_group(const Call& call) { return answer(changed_group(call)); }
Response remove_group(const Call& call) { return answer(removed_group(call)); }
Response add_group_member(const Call& call) { return answer(with_member(call)); }
Response remove_group_member(const Call& call) { return answer(without_member(call)); }
Response get_group(const Call& call) {
  const auto group = find_group(call);
  return group ? group_response(200, *group) : answer(std::unexpected(group.error()));
}

}  // namespace posthus::web_admin
