// GET /api/v1/domains/{name}/dns/check, /api/v1/setup/dns/check and /api/v1/delivery-check/progress: how far a check is. See
// check_progress.h.
#include "web-admin/check_progress.h"

#include "core/mail/address.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/outside.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {

ProgressShown::ProgressShown(Outside& outside, std::string subject)
    : outside_(outside), progress_(std::make_shared<CheckProgress>(std::move(subject))) {
  const std::lock_guard lock(outside_.report_mutex);
  outside_.progress = progress_;
}

ProgressShown::~ProgressShown() {
  const std::lock_guard lock(outside_.report_mutex);
  outside_.progress = nullptr;
}

namespace {

/// Of another check than that of `subject` (null: any) nothing is told: it may be of a domain that is none of his.
Result<Response> told_progress(const Call& call, const std::string* subject) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  std::shared_ptr<const CheckProgress> progress;
  if (Outside* const outside = call.context.outside) {
    const std::lock_guard lock(outside->report_mutex);
    if (outside->progress && (!subject || outside->progress->subject == *subject)) progress = outside->progress;
  }
  // Read first what may only lag behind the other.
  const std::size_t done = progress ? progress->answered.load() : 0;
  const std::size_t all = progress ? progress->asked.load() : 0;
  JsonWriter json;
  json.begin_object().key("running").boolean(progress != nullptr).key("done").number(done).key("all").number(all);
  return json_response(200, json.end_object().take());
}

}  // namespace

Response get_dns_check_progress(const Call& call) {
  const std::string name = mail::normalise_domain(call.path[0]).value_or(call.path[0]);
  return answer(told_progress(call, &name));
}
Response get_delivery_check_progress(const Call& call) {
  const std::string of_the_server;
  return answer(told_progress(call, &of_the_server));
}
Response get_set_up_dns_progress(const Call& call) { return answer(told_progress(call, nullptr)); }

}  // namespace posthus::web_admin
