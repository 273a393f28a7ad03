// What accounts may send and have sent: fields of users and domains, and releasing an account that was put on hold.
#include "store/sending_reader.h"

#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/hold_reason.h"
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

std::string_view messages_name(LimitsOf whose) {
  return whose == LimitsOf::kDomain ? "domain_messages_per_day" : "messages_per_day";
}
std::string_view new_recipients_name(LimitsOf whose) {
  return whose == LimitsOf::kDomain ? "domain_new_recipients_per_day" : "new_recipients_per_day";
}

Result<store::UserRecord> find_account(const Call& call) {
  const std::string& address = call.path[0];
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address));
  if (!user) return fail(ErrorKind::kNotFound, "there is no user " + address);
  return *std::move(user);
}

Result<std::string> hold_reason_of(const Call& call, AccountId account) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return POSTHUS_TRY(store::SendingReader(*snapshot).record(account)).hold_reason;
}

// The account first: else what is accepted in between would be held again.
Result<Response> release(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const store::UserRecord user = POSTHUS_TRY(find_account(call));
  const std::string reason = POSTHUS_TRY(hold_reason_of(call, user.account));
  POSTHUS_TRY(call.context.store.apply(store::HoldAccount{.account = user.account, .is_held = false, .reason = {}}));
  const std::string event =
      R"({"time":")" + mail::format_rfc3339(call.context.clock.now()) + R"(","event":"released","detail":"account released"})";
  const store::ChangeQueue change{.filter = {.account = user.account, .held_for_account = reason},
                                  .action = store::QueueAction::kRelease,
                                  .text = {},
                                  .trace = event};
  const auto outcome = POSTHUS_TRY(call.context.store.apply(change));
  wake_destinations(call, outcome);
  JsonWriter json;
  json.begin_object().key("address").text(user.address).key("released").number(outcome.messages);
  return json_response(200, json.end_object().take());
}

/// The event of a change to all that an account has in the queue.
std::string account_event(const Call& call, std::string_view event, std::string_view detail) {
  JsonWriter json;
  json.begin_object().key("time").text(mail::format_rfc3339(call.context.clock.now())).key("event").text(event);
  return json.key("by").text(call.principal.name).key("detail").text(detail).end_object().take();
}

// The account first: else what is accepted in between would go out.
Result<Response> hold(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::string text = fields.text("reason").value_or("");
  POSTHUS_TRY_VOID(fields.finish());
  const store::UserRecord user = POSTHUS_TRY(find_account(call));
  const store::HoldReason why{.code = store::HoldCode::kAccount, .text = text};
  const std::string reason = store::encode_hold_reason(why).substr(0, store::kMaxHoldReason);
  POSTHUS_TRY(call.context.store.apply(store::HoldAccount{.account = user.account, .is_held = true, .reason = reason}));
  const std::string event = account_event(call, "held", store::hold_reason_words(why, mail::ReportLanguage::kEnglish));
  POSTHUS_TRY(call.context.store.apply(store::ChangeQueue{
      .filter = {.account = user.account}, .action = store::QueueAction::kHold, .text = reason, .trace = event}));
  return no_content();
}

}  // namespace

void append_hold(JsonWriter& json, std::string_view stored) {
  const store::HoldReason reason = store::decode_hold_reason(stored);
  json.key("hold_reason").text_or_null(store::hold_reason_words(reason, mail::ReportLanguage::kEnglish)).key("hold");
  if (stored.empty()) {
    json.null();
    return;
  }
  json.begin_object().key("code").text(to_string(reason.code)).key("count").number(reason.count);
  json.key("limit").number(reason.limit).key("text").text(reason.text).end_object();
}

void append_limits(JsonWriter& json, const store::SendLimits& limits, LimitsOf whose) {
  append_limit(json, messages_name(whose), limits.messages_per_day);
  append_limit(json, new_recipients_name(whose), limits.new_recipients_per_day);
}

void read_limits(JsonFields& fields, store::SendLimits& limits, LimitsOf whose) {
  read_limit(fields, messages_name(whose), limits.messages_per_day);
  read_limit(fields, new_recipients_name(whose), limits.new_recipients_per_day);
}

Result<> append_domain_sending(JsonWriter& json, const store::Snapshot& snapshot, std::string_view domain, Timestamp now) {
  const store::SendingReader reader(snapshot);
  const store::SentToday today = POSTHUS_TRY(reader.sent_today(domain, now));
  const store::EffectiveLimits limits = POSTHUS_TRY(reader.domain_limits(domain));
  json.key("sending").begin_object().key("messages_today").number(today.messages);
  json.key("new_recipients_today").number(today.new_recipients).key("forwards_today").number(today.forwards);
  json.key("messages_limit").number(limits.domain_messages_per_day);
  json.key("new_recipients_limit").number(limits.domain_new_recipients_per_day).end_object();
  return {};
}

Result<> append_sending(JsonWriter& json, const store::Snapshot& snapshot, AccountId account, Timestamp now) {
  const store::SendingRecord record = store::rolled(POSTHUS_TRY(store::SendingReader(snapshot).record(account)), now);
  json.key("sending").begin_object().key("messages_today").number(record.messages);
  json.key("new_recipients_today").number(record.new_recipients).key("bounces_today").number(record.bounces);
  json.key("held").boolean(record.is_held);
  append_hold(json, record.is_held ? std::string_view(record.hold_reason) : std::string_view());
  json.end_object();
  return {};
}

Response release_account(const Call& call) { return answer(release(call)); }
Response hold_account(const Call& call) { return answer(hold(call)); }

}  // namespace posthus::web_admin
