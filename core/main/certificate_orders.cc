// Orders under way. Read look(), begin(), advance(), then obtained() and failed(). Renewal enquiries: certificate_enquiry.cc.
#include "core/main/certificate_orders.h"

#include <algorithm>
#include <chrono>

#include "core/acme/schedule.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"

namespace posthus::main {
namespace {

using Need = acme::Issuance::Need;

constexpr std::size_t kOrdersPage = 100;      // records at a time
constexpr std::int64_t kLookInterval = 3600;  // seconds; the clock may have been set
constexpr std::int64_t kAfterTrouble = 60;    // seconds, when the store could not be read
constexpr std::int64_t kAfterLoss = 3600;     // seconds, when what became of an order could not be kept: CAs limit orders
constexpr std::string_view kJoseType = "application/jose+json";  // RFC 8555 §6.2

Result<acme::WebAnswer> answer_of(const Result<HttpResponse>& response) {
  if (!response) return std::unexpected(response.error());
  return acme::WebAnswer{.status = response->status,
                         .content_type = response->content_type,
                         .body = response->body,
                         .replay_nonce = response->replay_nonce,
                         .location = response->location,
                         .retry_after = response->retry_after};
}

void count_order(std::string_view result) {
  static metrics::Counter& good =
      metrics::counter("posthus_certificate_orders_total", "Orders of certificates that came to an end.", "result=\"obtained\"");
  static metrics::Counter& bad =
      metrics::counter("posthus_certificate_orders_total", "Orders of certificates that came to an end.", "result=\"failed\"");
  (result == "obtained" ? good : bad).add();
}

metrics::Gauge& failing_gauge() {
  static metrics::Gauge& gauge = metrics::gauge("posthus_certificates_failing", "Certificates whose last order failed.");
  return gauge;
}

std::string seed_of(const store::CertificateRecord& record) { return record.hostname + "/" + std::to_string(record.failures); }

}  // namespace

/// One order. Touched under mutex_ only.
struct CertificateOrders::Order {
  Order(store::CertificateRecord r, AcmeSettings s, acme::AccountKey k)
      : record(std::move(r)), settings(std::move(s)), key(std::move(k)) {}

  store::CertificateRecord record;
  const AcmeSettings settings;
  const acme::AccountKey key;
  std::string known_account;
  Secret private_key;  // of the certificate
  acme::Proof proof = acme::Proof::kHttp;
  std::unique_ptr<acme::Issuance> issuance;
  Timestamp resume_at;
  bool is_asking = false;  // an answer is waited for
  bool is_published = false;
};

CertificateOrders::CertificateOrders(CertificateOrdersContext context) : context_(std::move(context)) {}
CertificateOrders::~CertificateOrders() = default;

Result<> CertificateOrders::add_configured() {
  for (const std::string& name : context_.settings.acme_hostnames) {
    const std::string hostname = POSTHUS_TRY(store::normalise_certificate_name(name));
    const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
    if (POSTHUS_TRY(store::CertificateReader(*snapshot).certificate(hostname))) continue;
    POSTHUS_TRY(context_.store.apply(store::PutCertificate{{.hostname = hostname}, false}));
  }
  return {};
}

void CertificateOrders::stop() {
  is_stopping_ = true;
  const std::lock_guard lock(mutex_);
  withdraw();
}

bool CertificateOrders::is_ordering() const {
  const std::lock_guard lock(mutex_);
  return order_ != nullptr;
}

void CertificateOrders::changed() { look_at_ = 0; }

void CertificateOrders::tick() {
  if (is_stopping_) return;
  {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    if (order_) {
      const bool is_due = order_->issuance->need() == Need::kPause && context_.clock.now() >= order_->resume_at;
      if (!is_due) return;
      // On a worker: what follows may write to the store.
      context_.run_blocking([this] {
        std::unique_lock inner(mutex_);
        if (!order_ || order_->issuance->need() != Need::kPause) return;
        order_->issuance->resumed();
        advance(inner);
      });
      return;
    }
    if (is_enquiring_ || is_looking_ || context_.clock.now().seconds() < look_at_) return;
    is_looking_ = true;
  }
  if (context_.run_blocking([this] { look(); })) return;
  const std::lock_guard lock(mutex_);
  is_looking_ = false;
}

// Finds what is due first: an order, else the question when to renew.
void CertificateOrders::look() {
  const Timestamp now = context_.clock.now();
  look_at_ = now.seconds() + kLookInterval;  // before reading, so that what changes meanwhile is seen
  std::optional<store::CertificateRecord> order, enquiry;
  std::int64_t next = now.seconds() + kLookInterval, failing = 0;
  const auto read = [&]() -> Result<> {
    std::string after;
    do {
      const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
      auto page = POSTHUS_TRY(store::CertificateReader(*snapshot).certificates(after, kOrdersPage));
      for (store::CertificateRecord& record : page.items) {
        if (record.source != store::CertificateSource::kAcme) continue;
        if (record.failures > 0) ++failing;
        const bool asks = !record.chain.empty() && record.failures == 0;
        next =
            std::min(next, asks ? std::min(record.next_attempt, record.next_enquiry).seconds() : record.next_attempt.seconds());
        const bool is_first = !order || record.next_attempt < order->next_attempt;
        if (record.next_attempt <= now && is_first) {
          order = std::move(record);
        } else if (asks && record.next_enquiry <= now && !enquiry) {
          enquiry = std::move(record);
        }
      }
      after = page.next;
    } while (!after.empty());
    return {};
  };
  const auto done = read();
  failing_gauge().set(failing);
  std::unique_lock lock(mutex_);
  is_looking_ = false;
  if (!done) log::warning("acme.look_failed", {{"context", done.error().context}});
  if (!done) look_at_ = now.seconds() + kAfterTrouble;
  if (!done || is_stopping_) return;
  // WHY compared: changed() may have asked for another look since.
  std::int64_t expected = now.seconds() + kLookInterval;
  look_at_.compare_exchange_strong(expected, std::max(next, now.seconds()));
  if (order) {
    const std::string hostname = order->hostname;
    store::CertificateRecord record = *order;
    if (const auto begun = begin(std::move(*order)); !begun) {
      record.failures += 1;
      record.last_error = begun.error().context;
      record.last_attempt = now;
      record.next_attempt = acme::retry_time(now, record.failures, std::nullopt, seed_of(record));
      log::warning("acme.order_failed", {{"hostname", hostname}, {"context", record.last_error}});
      if (!put(std::move(record))) look_at_ = now.seconds() + kAfterLoss;
    } else {
      advance(lock);
    }
  } else if (enquiry) {
    is_enquiring_ = true;
    enquire(std::move(*enquiry));
  }
}

// The account's key for this CA: the stored one, else a new one, stored before it is used.
Result<acme::AccountKey> CertificateOrders::account_key(const std::string& directory, std::string& account_url) {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  auto account = POSTHUS_TRY(store::CertificateReader(*snapshot).acme_account(directory));
  if (account) {
    account_url = account->url;
    auto key = acme::AccountKey::from_pem(account->private_key);
    wipe(account->private_key);
    return key;
  }
  acme::AccountKey key = POSTHUS_TRY(acme::AccountKey::make());
  const Secret pem = POSTHUS_TRY(key.pem());
  POSTHUS_TRY(context_.store.apply(
      store::PutAcmeAccount{{.directory = directory, .private_key = std::string(pem.reveal()), .url = {}, .created = {}}}));
  return key;
}

Result<> CertificateOrders::begin(store::CertificateRecord record) {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  AcmeSettings settings = POSTHUS_TRY(acme_settings(context_.settings, *snapshot));
  std::string account_url;
  acme::AccountKey key = POSTHUS_TRY(account_key(settings.directory, account_url));
  auto order = std::make_unique<Order>(std::move(record), std::move(settings), std::move(key));
  order->known_account = account_url;
  // WHY the same key again: TLSA records that name it (RFC 7671 §5.1, 3 1 1) stay true over renewals.
  order->private_key = Secret(order->record.private_key);
  auto request = net::make_certificate_request(order->record.hostname, order->private_key.reveal());
  if (!request) {  // none yet, or an uploaded one of another kind
    order->private_key = POSTHUS_TRY(net::make_certificate_key());
    request = net::make_certificate_request(order->record.hostname, order->private_key.reveal());
  }
  if (!request) return std::unexpected(request.error());
  const bool is_odd = order->record.failures % 2 == 1;
  order->proof = order->settings.proof.value_or(is_odd ? acme::Proof::kTlsAlpn : acme::Proof::kHttp);
  const auto facts = net::certificate_facts(order->record.chain);
  acme::IssuanceOrder wanted{.directory = order->settings.directory,
                             .hostname = order->record.hostname,
                             .contact = order->settings.contact,
                             .accepts_terms = order->settings.accepts_terms,
                             .external_account = order->settings.external_account,
                             .proof = order->proof,
                             .certificate_request = std::move(*request),
                             .replaces = facts ? facts->renewal_id : std::string()};
  log::info("acme.order_begun", {{"hostname", order->record.hostname},
                                 {"directory", order->settings.directory},
                                 {"challenge", acme::to_string(order->proof)}});
  order->issuance = std::make_unique<acme::Issuance>(std::move(wanted), order->key, account_url, context_.clock);
  order_ = std::move(order);
  return {};
}

// Does what the issuance needs until it waits for somebody else.
void CertificateOrders::advance(std::unique_lock<std::mutex>& lock) {
  while (order_ && !is_stopping_) {
    keep_account();
    const acme::Issuance& issuance = *order_->issuance;
    switch (issuance.need()) {
      case Need::kRequest: {
        const acme::WebRequest request = issuance.request();
        order_->is_asking = true;
        lock.unlock();  // the answer may come on this thread
        ask(request);
        lock.lock();
        return;
      }
      case Need::kPause: order_->resume_at = Timestamp::from_seconds(context_.clock.now().seconds() + issuance.pause()); return;
      case Need::kPublish: publish(); break;
      case Need::kDone: return obtained();
      case Need::kFailed: return failed(issuance.failure());
    }
  }
}

void CertificateOrders::ask(const acme::WebRequest& request) {
  using Method = acme::WebRequest::Method;
  WebCall call{.method = request.method == Method::kPost   ? WebCall::Method::kPost
                         : request.method == Method::kHead ? WebCall::Method::kHead
                                                           : WebCall::Method::kGet,
               .uri = request.url,
               .content_type = std::string(kJoseType),
               .body = request.body,
               .limit = request.limit};
  context_.call(std::move(call), [this](Result<HttpResponse> response) { answered(response); });
}

void CertificateOrders::answered(const Result<HttpResponse>& response) {
  std::unique_lock lock(mutex_);
  if (!order_ || !std::exchange(order_->is_asking, false) || is_stopping_) return;
  order_->issuance->answered(answer_of(response));
  advance(lock);
}

void CertificateOrders::keep_account() {
  const std::string& url = order_->issuance->account_url();
  if (url.empty() || url == order_->known_account) return;
  order_->known_account = url;
  const auto pem = order_->key.pem();
  if (!pem) return;
  const auto kept = context_.store.apply(store::PutAcmeAccount{
      {.directory = order_->settings.directory, .private_key = std::string(pem->reveal()), .url = url, .created = {}}});
  if (!kept) log::warning("acme.account_not_kept", {{"context", kept.error().context}});
}

// A key whose account the CA has ended gets no other one (RFC 8555 §7.3.6).
void CertificateOrders::replace_account() {
  const auto key = acme::AccountKey::make();
  const auto pem = key ? key->pem() : Result<Secret>(std::unexpected(key.error()));
  const auto kept =
      pem ? context_.store.apply(store::PutAcmeAccount{
                {.directory = order_->settings.directory, .private_key = std::string(pem->reveal()), .url = {}, .created = {}}})
          : Result<store::WriteOutcome>(std::unexpected(pem.error()));
  if (!kept) log::warning("acme.account_not_kept", {{"context", kept.error().context}});
}

void CertificateOrders::publish() {
  acme::Issuance& issuance = *order_->issuance;
  const std::string answer = issuance.key_authorization();
  if (order_->proof == acme::Proof::kHttp) {
    const std::lock_guard lock(challenge_mutex_);
    token_ = issuance.token();
    key_authorization_ = answer;
  } else {
    const Sha256Digest digest = sha256(answer);
    const auto challenge = net::make_challenge_certificate(order_->record.hostname, as_view(digest));
    const auto served = challenge ? context_.certificates.tls()->serve_challenge(order_->record.hostname, *challenge)
                                  : Result<>(std::unexpected(challenge.error()));
    if (!served) log::warning("acme.challenge_failed", {{"context", served.error().context}});
  }
  order_->is_published = true;
  issuance.resumed();
}

void CertificateOrders::withdraw() {
  if (!order_ || !std::exchange(order_->is_published, false)) return;
  context_.certificates.tls()->withdraw_challenge(order_->record.hostname);
  const std::lock_guard lock(challenge_mutex_);
  token_.clear();
  key_authorization_.clear();
}

std::optional<std::string> CertificateOrders::http_challenge(const std::string& token) const {
  const std::lock_guard lock(challenge_mutex_);
  if (token.empty() || token != token_) return std::nullopt;
  return key_authorization_;
}

void CertificateOrders::end_order(bool is_kept) {
  withdraw();
  order_.reset();
  look_at_ = is_kept ? 0 : context_.clock.now().seconds() + kAfterLoss;  // at once: perhaps another one waits
}

void CertificateOrders::obtained() {
  const Timestamp now = context_.clock.now();
  store::CertificateRecord record = order_->record;
  const net::CertificateAndKey pair{order_->issuance->chain(), order_->private_key.clone()};
  const auto checked = net::check_pair(pair);
  const auto facts = net::certificate_facts(pair.certificate_pem);
  const bool is_good = checked && facts && facts->covers(record.hostname) && facts->not_after > now.seconds();
  if (!is_good) {
    const std::string why = !checked ? checked.error().context
                            : facts  ? "it is not for this name, or over"
                                     : facts.error().context;
    return failed(
        {.error = {ErrorKind::kInvalid, "the CA's certificate cannot be used: " + why}, .retry_after = {}, .is_proof = false});
  }
  record.chain = pair.certificate_pem;
  record.private_key = std::string(pair.private_key_pem.reveal());
  record.obtained = record.last_attempt = now;
  record.failures = 0;
  record.last_error.clear();
  record.explanation_url.clear();
  record.next_attempt = acme::renewal_time(Timestamp::from_seconds(facts->not_before), Timestamp::from_seconds(facts->not_after),
                                           record.hostname + facts->serial);
  record.next_enquiry = now;
  const bool is_kept = put(std::move(record));
  const auto refreshed = context_.certificates.refresh();
  if (!refreshed) log::error("tls.reload_failed", {{"context", refreshed.error().context}});
  log::info(
      "acme.certificate_obtained",
      {{"hostname", order_->record.hostname}, {"issuer", facts->issuer}, {"days", (facts->not_after - now.seconds()) / 86'400}});
  count_order("obtained");
  end_order(is_kept);
}

void CertificateOrders::failed(const acme::Issuance::Failure& failure) {
  store::CertificateRecord record = order_->record;
  record.failures += 1;
  record.last_attempt = context_.clock.now();
  record.last_error = failure.error.context + (failure.is_proof ? " [" + std::string(to_string(order_->proof)) + "]" : "");
  record.next_attempt = acme::retry_time(record.last_attempt, record.failures, failure.retry_after, seed_of(record));
  log::warning("acme.order_failed", {{"hostname", record.hostname},
                                     {"context", record.last_error},
                                     {"failures", record.failures},
                                     {"next_in_seconds", record.next_attempt.seconds() - record.last_attempt.seconds()}});
  if (failure.is_account) replace_account();
  const bool is_kept = put(std::move(record));
  count_order("failed");
  end_order(is_kept);
}

// What was removed or uploaded meanwhile stays as it is.
bool CertificateOrders::put(store::CertificateRecord record) {
  const auto done = context_.store.apply(store::PutCertificate{std::move(record), true});
  if (done || done.error().kind == ErrorKind::kNotFound) return true;
  log::error("acme.not_kept", {{"context", done.error().context}});
  return false;
}

}  // namespace posthus::main
