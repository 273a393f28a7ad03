// CertificateOrders: certificates of the store that a CA is to give: ordered, renewed, tried again; one order at a time.
// RFC 8555; RFC 9773 (when to renew). What may be done when stands in the records of the store (next_attempt), so that a restart
// forgets nothing; a record without certificate is an order.
// Idle it holds no more than its own members; keys, requests and the HTTPS client's threads come with an order.
// Thread rule: any thread. What waits for the CA waits in the HTTPS client; what waits for a time, in tick().
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/acme/issuance.h"
#include "core/base/clock.h"
#include "core/main/acme_settings.h"
#include "core/main/certificates.h"
#include "core/main/settings.h"
#include "core/main/web_client.h"
#include "store/certificate_records.h"
#include "store/store.h"

namespace posthus::main {

struct CertificateOrdersContext {
  const Settings& settings;
  store::Store& store;
  std::function<void(WebCall, std::move_only_function<void(Result<HttpResponse>)>)> call;  // WebClient::call
  ServerCertificates& certificates;
  const Clock& clock;
  std::function<bool(std::move_only_function<void()>)> run_blocking;  // on a worker; false: not now
};

class CertificateOrders {
 public:
  /// What the context refers to outlives it.
  explicit CertificateOrders(CertificateOrdersContext context);
  ~CertificateOrders();

  /// Records for the hostnames of posthus.toml that have none.
  Result<> add_configured();
  /// Goes on with what waits for a time. REQUIRES: called every second or so.
  void tick();
  /// Records or settings have changed: look at once.
  void changed();
  /// Whether an order is under way. Any thread.
  bool is_ordering() const;
  /// The answer to an http-01 challenge under way (RFC 8555 §8.3); nothing for other tokens.
  std::optional<std::string> http_challenge(const std::string& token) const;
  /// Nothing new begins. REQUIRES: before the web client stops.
  void stop();

 private:
  struct Order;
  struct Enquiry;

  void look();
  Result<> begin(store::CertificateRecord record);
  Result<acme::AccountKey> account_key(const std::string& directory, std::string& account_url);
  void advance(std::unique_lock<std::mutex>& lock);
  void ask(const acme::WebRequest& request);
  void answered(const Result<HttpResponse>& response);
  void publish();
  void withdraw();
  void keep_account();
  void replace_account();
  void end_order(bool is_kept);
  void obtained();
  void failed(const acme::Issuance::Failure& failure);
  bool put(store::CertificateRecord record);

  void enquire(store::CertificateRecord record);
  void enquired(const std::string& hostname, const Result<HttpResponse>& answer);
  Result<std::string> enquiry_url(const store::CertificateRecord& record, const Result<HttpResponse>& directory) const;

  const CertificateOrdersContext context_;
  mutable std::mutex mutex_;  // of what is under way
  std::unique_ptr<Order> order_;
  bool is_enquiring_ = false, is_looking_ = false;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<std::int64_t> look_at_ = 0;  // seconds since 1970
  mutable std::mutex challenge_mutex_;
  std::string token_, key_authorization_;  // of http-01
};

}  // namespace posthus::main
