// What accounts may send and have sent: fields of users and domains, and releasing an account that was put on hold.
#include "store/sending_reader.h"

#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

void append_limit(JsonWriter& json, std::string_view name, const std::optional<std::uint32_t>& limit) {
  json.key(name);
  if (limit) {
    json.number(*limit);
  } else {
    json.null();
  }
}

void read_limit(JsonFields& fields, std::string_view name, std::optional<std::uint32_t>& limit) {
  if (fields.is_null(name)) {
    limit.reset();
  } else if (const auto value = fields.number(name, UINT32_MAX)) {
    limit = static_cast<std::uint32_t>(*value);
  }
}

Result<store::UserRecord> find_account(const Call& call) {
  const std::string& address = call.path[0];
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + address);
  return *std::move(user);
}

// The account first: else what is accepted in between would be held again.
Result<Response> release(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const store::UserRecord user = POSTHUS_TRY(find_account(call));
  POSTHUS_TRY(call.context.store.apply(store::HoldAccount{.account = user.account, .is_held = false, .reason = {}}));
  const std::string event =
      R"({"time":")" + mail::format_rfc3339(call.context.clock.now()) + R"(","event":"released","detail":"account released"})";
  const store::ChangeQueue change{
      .filter = {.account = user.account}, .action = store::QueueAction::kRelease, .text = {}, .trace = event};
  const auto outcome = POSTHUS_TRY(call.context.store.apply(change));
  wake_destinations(call, outcome);
  JsonWriter json;
  json.begin_object().key("address").text(user.address).key("released").number(outcome.messages);
  return json_response(200, json.end_object().take());
}

Result<Response> hold(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::string reason = fields.text("reason").value_or("by an admin");
  POSTHUS_TRY_VOID(fields.finish());
  const store::UserRecord user = POSTHUS_TRY(find_account(call));
  POSTHUS_TRY(call.context.store.apply(store::HoldAccount{.account = user.account, .is_held = true, .reason = reason}));
  return no_content();
}

}  // namespace

void append_limits(JsonWriter& json, const store::SendLimits& limits) {
  append_limit(json, "messages_per_day", limits.messages_per_day);
  append_limit(json, "new_recipients_per_day", limits.new_recipients_per_day);
}

void read_limits(JsonFields& fields, store::SendLimits& limits) {
  read_limit(fields, "messages_per_day", limits.messages_per_day);
  read_limit(fields, "new_recipients_per_day", limits.new_recipients_per_day);
}

Result<> append_sending(JsonWriter& json, const store::Snapshot& snapshot, AccountId account, Timestamp now) {
  const store::SendingRecord record = store::rolled(POSTHUS_TRY(store::SendingReader(snapshot).record(account)), now);
  json.key("sending").begin_object().key("messages_today").number(record.messages);
  json.key("new_recipients_today").number(record.new_recipients).key("bounces_today").number(record.bounces);
  json.key("held").boolean(record.is_held).key("hold_reason");
  if (record.is_held) {
    json.text(record.hold_reason);
  } else {
    json.null();
  }
  json.end_object();
  return {};
}

Response release_account(const Call& call) { return answer(release(call)); }
Response hold_account(const Call& call) { return answer(hold(call)); }

}  // namespace posthus::web_admin
