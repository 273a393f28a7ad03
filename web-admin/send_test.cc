// /api/v1/send-test: dry runs. They take their time, so one is begun with POST and looked at with GET until it is over.
#include "web-admin/send_tests.h"

#include "core/mail/date_time.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

void append_step(JsonWriter& json, const SendTestStep& step) {
  json.begin_object().key("time").text(mail::format_rfc3339(step.time)).key("mark").text(step.mark);
  json.key("stage").text(step.stage).key("host");
  step.host.empty() ? json.null() : json.text(step.host);
  json.key("meaning").text(step.meaning).key("lines").texts(step.lines).end_object();
}

Response response(int status, const SendTest& test) {
  JsonWriter json;
  json.begin_object().key("id").text(test.id).key("address").text(test.address).key("from").text(test.from);
  json.key("started").text(mail::format_rfc3339(test.started)).key("verdict").text(test.verdict);
  json.key("stage").text(test.stage).key("explanation").text(test.explanation).key("reply");
  if (test.code == 0) {
    json.null();
  } else {
    json.begin_object()
        .key("code")
        .number(test.code)
        .key("enhanced")
        .text(test.enhanced)
        .key("text")
        .text(test.text)
        .end_object();
  }
  json.key("steps").begin_array();
  for (const SendTestStep& step : test.steps) append_step(json, step);
  json.end_array().end_object();
  return json_response(status, json.take());
}

Result<SendTests*> runner(const Call& call) {
  if (call.context.send_tests) return call.context.send_tests;
  return fail(ErrorKind::kUnavailable, "a dry run needs the running server");
}

Result<Response> find(const Call& call, int status, const std::string& id) {
  SendTests* const tests = POSTHUS_TRY(runner(call));
  const auto test = tests->find(id);
  if (!test) return fail(ErrorKind::kNotFound, "there is no such dry run, or it was long ago");
  return response(status, *test);
}

Result<std::string> reverse_path(const std::string& text) {
  if (text.empty() || text == "<>") return std::string();
  const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
  if (!address) return fail(ErrorKind::kInvalid, "field 'from' must be a mail address, or empty");
  return mail::to_string(*address);
}

Result<Response> start(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  const auto address = fields.text("address");
  const auto from = fields.text("from");
  POSTHUS_TRY_VOID(fields.finish());
  const auto recipient = mail::parse_mailbox(*address, mail::Utf8::kAllow);
  if (!recipient) return fail(ErrorKind::kInvalid, "field 'address' must be a mail address");
  std::optional<std::string> sender;
  if (from) sender = POSTHUS_TRY(reverse_path(*from));
  SendTests* const tests = POSTHUS_TRY(runner(call));
  return find(call, 202, POSTHUS_TRY(tests->start(*recipient, sender)));
}

Result<Response> show_send_test(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return find(call, 200, call.path[0]);
}

}  // namespace

Response start_send_test(const Call& call) { return answer(start(call)); }
Response get_send_test(const Call& call) { return answer(show_send_test(call)); }

}  // namespace posthus::web_admin
