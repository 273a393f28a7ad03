// Alerts: looks once a minute, keeps what opens and closes in the store, and tells those who are to be told: by mail at once, by
// webhook with retries. What was told stands in the record, so that a restart repeats nothing; a crash between telling and
// writing that down may tell twice, never not at all. Thread rule: tick() on a timer; the work runs where `run_blocking` says,
// one round at a time; test() on a worker.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/main/alert_book.h"
#include "core/main/alert_conditions.h"
#include "core/main/alert_mail.h"
#include "core/main/http_response.h"
#include "core/main/web_client.h"
#include "smtp/signing.h"
#include "store/store.h"
#include "web-admin/alert_delivery.h"

namespace posthus::main {

struct AlertsContext {
  store::Store& store;
  const Clock& clock;
  std::string hostname;
  AlertSources sources;
  std::function<void(WebCall, std::move_only_function<void(Result<HttpResponse>)>)> call;  // WebClient::call
  smtp::SigningKeys* signing = nullptr;                                                    // of mail that leaves
  std::function<void(const std::vector<std::string>& domains)> queued;                     // mail for these was queued
  std::function<bool(std::move_only_function<void()>)> run_blocking;                       // false: not now
};

class Alerts {
 public:
  /// What the context refers to outlives it.
  explicit Alerts(AlertsContext context);
  ~Alerts();

  /// REQUIRES: called every second or so.
  void tick();
  /// Settings have changed: the next tick looks.
  void look_soon() { next_round_ = 0; }
  /// One round, now. REQUIRES: no other one runs (tick() begins none while one does).
  void round();
  /// Tells everybody that this is a test, and waits for what comes of it, kTestPatience at most.
  Result<std::vector<web_admin::AlertDelivery>> test();
  /// Nothing new begins, test() returns, and an answer of the webhook that has come is noted. REQUIRES: before the web client
  /// stops.
  void stop();

  static constexpr std::uint32_t kMaxWebhookAttempts = 10;  // some six hours; then it is given up
  static constexpr std::int64_t kMaxWebhookDelay = 3600;    // seconds between two
  static constexpr std::int64_t kMaxInterval = 3600;        // of alerts.interval_seconds
  static constexpr std::chrono::milliseconds kTestPatience{20'000};

 private:
  struct WebhookAnswer {
    std::uint64_t id;
    store::AlertTold stage;
    std::string error;  // empty: it was taken
  };
  /// What the web client's threads write, who may come later than we are gone.
  struct Mailbox;

  bool is_look_due() const;
  Result<> look(std::int64_t interval);
  Result<> keep(const store::AlertRecord& alert);
  Result<> tell(store::AlertRecord& alert, const AlertRecipients& recipients);
  void note_answer(std::vector<store::AlertRecord>& alerts, std::int64_t interval);
  Result<> send_webhook(std::vector<store::AlertRecord>& alerts, const AlertRecipients& recipients);
  Result<std::string> send_mail(const AlertMessage& message, const AlertRecipients& recipients, const std::string& to);
  void post(const std::string& url, const std::string& body, std::move_only_function<void(std::string error)> done);

  const AlertsContext context_;
  AlertConditions conditions_;
  AlertBook book_;
  std::atomic<std::int64_t> next_round_;  // seconds since 1970
  std::atomic<bool> is_running_ = false, is_stopping_ = false;
  const std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace posthus::main
