// /api/v1/sign-ins, /api/v1/blocks: who signed in or tried to, and who may not try now. Both are in memory; core/main keeps them
// over a restart (kept_sign_ins, kept_blocks). Mail programs, browsers and HTTP Basic all go through the same authenticator.
#include <algorithm>
#include <map>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "core/sasl/login_throttle.h"
#include "core/sasl/sign_in_log.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/ranked.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

void append_sign_in(JsonWriter& json, const sasl::SignIn& one) {
  json.begin_object().key("first").text(mail::format_rfc3339(one.first)).key("last").text(mail::format_rfc3339(one.last));
  json.key("count").number(one.count).key("login").text(one.login).key("protocol").text(one.protocol);
  json.key("mechanism").text(one.mechanism);
  json.key("remote_address").text_or_null(one.remote_address);
  json.key("tls").boolean(one.is_tls).key("result").text(one.result);
  json.key("reason").text_or_null(one.reason);
  json.key("app_password").text_or_null(one.app_password);
  json.end_object();
}

Result<std::vector<sasl::SignIn>> wanted_sign_ins(const Call& call) {
  const std::string text = POSTHUS_TRY(search_text(call.target));
  const std::string* const result = call.target.parameter("result");
  if (result && *result != "accepted" && *result != "failed") {
    return fail(ErrorKind::kInvalid, "parameter 'result' must be accepted or failed");
  }
  auto all = call.context.authenticator ? call.context.authenticator->sign_ins() : std::vector<sasl::SignIn>();
  std::erase_if(all, [&](const sasl::SignIn& one) {
    if (result && one.is_success() != (*result == "accepted")) return true;
    return ascii::to_lower(one.login).find(text) == std::string::npos && one.remote_address.find(text) == std::string::npos;
  });
  return all;
}

/// The most repeated of a page, as JSON; the cursor of the next one.
Result<std::string> append_repeated_sign_ins(const Call& call, const ListRange& range, JsonWriter& json) {
  std::map<std::string, sasl::SignIn> by_number;
  RankedPage all = POSTHUS_TRY(RankedPage::begin(range));
  for (sasl::SignIn& one : POSTHUS_TRY(wanted_sign_ins(call))) {
    const std::string number = std::to_string(one.number);
    POSTHUS_TRY_VOID(all.add(one.count, number));
    by_number.emplace(number, std::move(one));
  }
  const auto page = std::move(all).end();
  for (const Ranked& one : page.items) append_sign_in(json, by_number.at(one.name));
  return page.next;
}

Result<std::string> append_newest_sign_ins(const Call& call, const ListRange& range, JsonWriter& json) {
  const auto after = range.after.empty() ? std::uint64_t{UINT64_MAX} : ascii::parse_decimal<std::uint64_t>(range.after);
  if (!after) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  std::uint64_t last = 0;
  std::size_t shown = 0;
  for (const sasl::SignIn& one : POSTHUS_TRY(wanted_sign_ins(call))) {
    if (one.number >= *after) continue;
    if (shown == range.limit) return std::to_string(last);
    append_sign_in(json, one);
    last = one.number;
    ++shown;
  }
  return std::string();
}

enum class SignInOrder : std::uint8_t { kLast, kCount };

Result<Response> listed_sign_ins(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "search", "result", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = SignInOrder(POSTHUS_TRY(list_order(call.target, {"last", "count"})));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = order == SignInOrder::kLast ? POSTHUS_TRY(append_newest_sign_ins(call, range, json))
                                                       : POSTHUS_TRY(append_repeated_sign_ins(call, range, json));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

Result<Response> show_blocks(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto from = range.after.empty() ? std::size_t{0} : ascii::parse_decimal<std::size_t>(range.after);
  if (!from) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  auto all = call.context.authenticator ? call.context.authenticator->blocks() : std::vector<sasl::LoginBlock>();
  std::ranges::sort(all, std::greater(), [](const sasl::LoginBlock& one) { return std::pair(one.last_failure, one.id); });
  const std::size_t end = *from < all.size() ? std::min(all.size(), *from + range.limit) : *from;
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (std::size_t i = *from; i < end; ++i) {
    json.begin_object().key("id").text(all[i].id);
    json.key("login").text_or_null(all[i].login);
    json.key("network").text_or_null(all[i].network);
    json.key("of")
        .text(all[i].kind == sasl::LoginBlockKind::kCodes ? "codes" : "passwords")
        .key("failures")
        .number(all[i].failures);
    json.key("last_failure").text(mail::format_rfc3339(all[i].last_failure));
    json.key("until").text(mail::format_rfc3339(all[i].until)).end_object();
  }
  json.end_array();
  append_next(json, end < all.size() ? std::to_string(end) : std::string());
  return json_response(200, json.end_object().take());
}

Result<Response> lift(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  if (call.context.authenticator && call.context.authenticator->unblock(call.path[0])) return no_content();
  return fail(ErrorKind::kNotFound, "there is no such block");
}

}  // namespace

Response list_sign_ins(const Call& call) { return answer(listed_sign_ins(call)); }
Response list_blocks(const Call& call) { return answer(show_blocks(call)); }
Response remove_block(const Call& call) { return answer(lift(call)); }

}  // namespace posthus::web_admin
