// A round of alerts: look, keep, tell. See alerts.h.
#include "core/main/alerts.h"

#include <algorithm>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/mail/address.h"
#include "smtp/own_message.h"
#include "store/alert_reader.h"
#include "store/directory_reader.h"
#include "web-admin/setting_values.h"

namespace posthus::main {
namespace {

using store::AlertRecord;
using store::AlertTold;

std::string_view domain_of(std::string_view address) { return address.substr(address.rfind('@') + 1); }

/// What is to be told next; kNothing: nothing is. `has_begun`: telling the opening was tried, so that it is not left out.
AlertTold next_stage(const AlertRecord& alert, AlertTold told, bool has_begun) {
  if (told == AlertTold::kNothing) return alert.is_open() || has_begun ? AlertTold::kBegin : AlertTold::kNothing;
  return told == AlertTold::kBegin && !alert.is_open() ? AlertTold::kEnd : AlertTold::kNothing;
}

AlertMessage message_of(const AlertRecord& alert, AlertTold stage, const std::string& hostname, Timestamp now) {
  return {stage == AlertTold::kEnd ? AlertEvent::kClosed : AlertEvent::kOpened, alert, hostname, now};
}

/// Or so far ahead that the clock must have been put back.
bool is_past(Timestamp time, Timestamp now) { return time <= now || time.seconds() - now.seconds() > Alerts::kMaxWebhookDelay; }

/// Paths of webhooks are often secrets.
std::string without_path(const std::string& url) {
  const std::size_t host = url.find("//");
  const std::size_t end = host == std::string::npos ? std::string::npos : url.find_first_of("/?", host + 2);
  return end == std::string::npos ? url : url.substr(0, end) + "/...";
}

}  // namespace

struct Alerts::Mailbox {
  std::mutex mutex;
  bool is_in_flight = false;
  std::optional<WebhookAnswer> answer;

  bool has_answer() {
    const std::lock_guard lock(mutex);
    return answer.has_value();
  }
};

Alerts::Alerts(AlertsContext context)
    : context_(std::move(context)),
      conditions_(context_.sources),
      next_round_(context_.clock.now().seconds() + 1),
      mailbox_(std::make_shared<Mailbox>()) {}
Alerts::~Alerts() = default;

// WHY a look far ahead is due as well: the clock was put back, perhaps because an alert said that it is wrong.
bool Alerts::is_look_due() const {
  const std::int64_t left = next_round_ - context_.clock.now().seconds();
  return left <= 0 || left > kMaxInterval;
}

void Alerts::stop() {
  is_stopping_ = true;
  if (!mailbox_->has_answer() || is_running_.exchange(true)) return;
  const auto snapshot = context_.store.snapshot();
  auto alerts = snapshot ? store::read_alerts(**snapshot) : Result<std::vector<AlertRecord>>(std::vector<AlertRecord>());
  if (alerts) note_answer(*alerts, kMaxInterval);
  is_running_ = false;
}

void Alerts::tick() {
  if (is_stopping_) return;
  const bool is_due = is_look_due() || mailbox_->has_answer();
  if (!is_due || is_running_.exchange(true)) return;
  const bool is_queued = context_.run_blocking([this] {
    if (!is_stopping_) round();
    is_running_ = false;
  });
  if (!is_queued) is_running_ = false;
}

void Alerts::round() {
  const auto done = [this]() -> Result<> {
    auto snapshot = POSTHUS_TRY(context_.store.snapshot());
    const auto interval = static_cast<std::int64_t>(POSTHUS_TRY(web_admin::setting_number(*snapshot, "alerts.interval_seconds")));
    const AlertRecipients recipients = POSTHUS_TRY(alert_recipients(*snapshot));
    snapshot.reset();
    if (is_look_due()) POSTHUS_TRY_VOID(look(std::max<std::int64_t>(interval, 1)));
    snapshot = POSTHUS_TRY(context_.store.snapshot());
    auto alerts = POSTHUS_TRY(store::read_alerts(*snapshot));
    snapshot.reset();
    note_answer(alerts, std::max<std::int64_t>(interval, 1));
    for (AlertRecord& alert : alerts) POSTHUS_TRY_VOID(tell(alert, recipients));
    return send_webhook(alerts, recipients);
  }();
  if (!done && !is_stopping_) log::warning("alert.round_failed", {{"context", done.error().context}});
}

Result<> Alerts::look(std::int64_t interval) {
  const Timestamp now = context_.clock.now();
  next_round_ = now.seconds() + interval;
  const Observed observed = POSTHUS_TRY(conditions_.look());
  auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const auto alerts = POSTHUS_TRY(store::read_alerts(*snapshot));
  snapshot.reset();
  for (const AlertRecord& alert : book_.judge(alerts, observed, now)) {
    POSTHUS_TRY_VOID(keep(alert));
    log::write(alert.is_open() ? log::Level::kWarning : log::Level::kInfo, alert.is_open() ? "alert.opened" : "alert.closed",
               {{"alert", alert.id}, {"kind", to_string(alert.kind)}, {"subject", alert.subject}});
  }
  return {};
}

Result<> Alerts::keep(const AlertRecord& alert) {
  POSTHUS_TRY(context_.store.apply(store::PutAlert{alert}));
  return {};
}

// WHY not of a hold to the first admin: he got the notice of it, which says more (smtp/hold_notice.h), or he did it himself.
Result<> Alerts::tell(AlertRecord& alert, const AlertRecipients& recipients) {
  const AlertTold stage = next_stage(alert, alert.mail, false);
  if (stage == AlertTold::kNothing || recipients.from.empty()) return {};
  const bool has_notice = alert.kind == store::AlertKind::kHold && stage == AlertTold::kBegin;
  std::string admin;
  std::vector<std::string> addresses = recipients.addresses;
  {
    const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
    const auto found = POSTHUS_TRY(store::DirectoryReader(*snapshot).first_server_admin());
    if (found) admin = found->address;
    for (std::string& more : POSTHUS_TRY(domain_admins_told(*snapshot, alert))) {
      const auto is_same = [&more](const std::string& one) { return ascii::equal_ignoring_case(one, more); };
      if (std::ranges::none_of(addresses, is_same)) addresses.push_back(std::move(more));
    }
  }
  const AlertMessage message = message_of(alert, stage, context_.hostname, context_.clock.now());
  bool is_told = false, has_failed = false;
  for (const std::string& to : addresses) {
    if (has_notice && (!recipients.are_named || ascii::equal_ignoring_case(to, admin))) continue;
    const auto sent = send_mail(message, recipients, to);
    (sent ? is_told : has_failed) = true;
    if (!sent) log::warning("alert.mail_failed", {{"to", to}, {"context", sent.error().context}});
  }
  if (has_failed && !is_told) return {};  // again at the next round
  alert.mail = stage;
  return keep(alert);
}

Result<std::string> Alerts::send_mail(const AlertMessage& message, const AlertRecipients& recipients, const std::string& to) {
  auto address = POSTHUS_TRY(mail::parse_mailbox(to, mail::Utf8::kAllow));
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const auto domain = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(address.domain));
  smtp::OwnMessage mail{.to = std::move(address), .text = {}, .event = "notice", .signing = context_.signing, .from_domain = {}};
  mail.from_domain = std::string(domain_of(recipients.from));
  mail.text = compose_alert_mail(message, recipients.from, to, domain ? domain->language : recipients.language);
  auto request = POSTHUS_TRY(smtp::make_own_message(context_.store, mail, message.now));
  if (!request) return fail(ErrorKind::kNotFound, "this address leads to no mailbox");
  std::vector<std::string> domains;
  for (const store::QueuedRecipient& recipient : request->recipients) domains.push_back(recipient.domain);
  const bool is_local = !request->targets.empty();
  POSTHUS_TRY(context_.store.apply(*std::move(request)));
  if (!domains.empty()) context_.queued(domains);
  return std::string(is_local ? "in the mailbox" : "on its way; see the queue and the trace");
}

void Alerts::post(const std::string& url, const std::string& body, std::move_only_function<void(std::string error)> done) {
  WebCall call{.method = WebCall::Method::kPost, .uri = url, .content_type = "application/json", .body = body};
  call.plain = WebCall::Plain::kLoopback;
  context_.call(std::move(call), [done = std::move(done)](Result<HttpResponse> response) mutable {
    if (!response) return done(response.error().context.empty() ? "it cannot be reached" : response.error().context);
    done(response->status / 100 == 2 ? std::string() : "HTTP status " + std::to_string(response->status));
  });
}

void Alerts::note_answer(std::vector<AlertRecord>& alerts, std::int64_t interval) {
  std::optional<WebhookAnswer> answer;
  {
    const std::lock_guard lock(mailbox_->mutex);
    answer = std::exchange(mailbox_->answer, std::nullopt);
    if (answer) mailbox_->is_in_flight = false;
  }
  const auto alert = answer ? std::ranges::find(alerts, answer->id, &AlertRecord::id) : alerts.end();
  if (alert == alerts.end()) return;
  alert->webhook_error = answer->error.substr(0, store::kMaxAlertFact);
  const bool is_given_up = !answer->error.empty() && ++alert->webhook_failures >= kMaxWebhookAttempts;
  if (!answer->error.empty())
    log::warning("alert.webhook_failed",
                 {{"alert", alert->id}, {"error", alert->webhook_error}, {"given_up", is_given_up ? "yes" : "no"}});
  if (answer->error.empty() || is_given_up) {
    alert->webhook = answer->stage;
    alert->webhook_failures = 0;
    alert->webhook_next = {};
  } else {
    const std::int64_t delay = std::min(kMaxWebhookDelay, interval << std::min<std::uint32_t>(alert->webhook_failures - 1, 20));
    alert->webhook_next = Timestamp::from_seconds(context_.clock.now().seconds() + delay);
  }
  if (const auto kept = keep(*alert); !kept) log::warning("alert.not_kept", {{"context", kept.error().context}});
}

// One at a time: a receiver that is slow holds up nothing but itself.
Result<> Alerts::send_webhook(std::vector<AlertRecord>& alerts, const AlertRecipients& recipients) {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const std::string url = POSTHUS_TRY(web_admin::setting_value(*snapshot, "alerts.webhook"));
  if (url.empty()) return {};
  const Timestamp now = context_.clock.now();
  const auto stage_of = [](const AlertRecord& alert) { return next_stage(alert, alert.webhook, alert.webhook_failures > 0); };
  const auto due = std::ranges::find_if(
      alerts, [&](const AlertRecord& a) { return stage_of(a) != AlertTold::kNothing && is_past(a.webhook_next, now); });
  if (due == alerts.end()) return {};
  {
    const std::lock_guard lock(mailbox_->mutex);
    if (std::exchange(mailbox_->is_in_flight, true)) return {};
  }
  const AlertTold stage = stage_of(*due);
  const std::string body = compose_webhook(message_of(*due, stage, context_.hostname, now), recipients.language);
  post(url, body, [mailbox = mailbox_, id = due->id, stage](std::string error) {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->answer = WebhookAnswer{id, stage, std::move(error)};
  });
  return {};
}

Result<std::vector<web_admin::AlertDelivery>> Alerts::test() {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const AlertRecipients recipients = POSTHUS_TRY(alert_recipients(*snapshot));
  const std::string url = POSTHUS_TRY(web_admin::setting_value(*snapshot, "alerts.webhook"));
  const AlertMessage message{.event = AlertEvent::kTest, .alert = {}, .hostname = context_.hostname, .now = context_.clock.now()};
  std::vector<web_admin::AlertDelivery> deliveries;
  for (const std::string& to : recipients.addresses) {
    const auto sent = recipients.from.empty() ? Result<std::string>(fail(ErrorKind::kInvalid, "there is no domain to write from"))
                                              : send_mail(message, recipients, to);
    deliveries.push_back({"mail", to, sent.has_value(), sent ? *sent : sent.error().context});
  }
  if (url.empty()) return deliveries;
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<std::string> error;
  };
  const auto waiting = std::make_shared<Waiting>();
  post(url, compose_webhook(message, recipients.language), [waiting](std::string error) {
    const std::lock_guard lock(waiting->mutex);
    waiting->error = std::move(error);
    waiting->changed.notify_all();
  });
  std::unique_lock lock(waiting->mutex);
  constexpr std::chrono::milliseconds kSlice{100};  // so that the server's end is noticed
  const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
  while (!waiting->error && !is_stopping_ && std::chrono::steady_clock::now() < deadline) {
    waiting->changed.wait_for(lock, kSlice);
  }
  const std::string error = waiting->error.value_or("it did not answer in time");
  deliveries.push_back({"webhook", without_path(url), error.empty(), error.empty() ? "taken" : error});
  return deliveries;
}

}  // namespace posthus::main
