// When to renew, asked of the CA: its directory names the resource, the certificate's id the question. RFC 9773 §4.
// Thread rule: as CertificateOrders.
#include <algorithm>

#include "core/acme/schedule.h"
#include "core/base/log.h"
#include "core/main/certificate_orders.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"

namespace posthus::main {
namespace {

// WHY: a CA that wants every new certificate replaced at once would be asked for one after the other.
constexpr std::int64_t kLeastUse = 86'400;
// RFC 9773 §4.3.2: between a minute and a day, whatever the CA says; six hours when it says nothing.
constexpr std::int64_t kLeastWait = 60, kMostWait = 86'400, kUsualWait = 6 * 3600;

// WHY: whatever a CA says, or says wrongly, a sixth of the life is left for attempts that fail.
Timestamp latest_renewal(const net::CertificateFacts& facts) {
  return Timestamp::from_seconds(facts.not_after - (facts.not_after - facts.not_before) / 6);
}

}  // namespace

Result<std::string> CertificateOrders::enquiry_url(const store::CertificateRecord& record,
                                                   const Result<HttpResponse>& directory) const {
  if (!directory) return std::unexpected(directory.error());
  const acme::Directory parsed = POSTHUS_TRY(acme::parse_directory(directory->body));
  const net::CertificateFacts facts = POSTHUS_TRY(net::certificate_facts(record.chain));
  if (parsed.renewal_info.empty() || facts.renewal_id.empty()) return fail(ErrorKind::kNotFound, "not offered");
  return parsed.renewal_info + (parsed.renewal_info.ends_with('/') ? "" : "/") + facts.renewal_id;
}

// REQUIRES: is_enquiring_ was set, mutex_ is held.
void CertificateOrders::enquire(store::CertificateRecord record) {
  const auto snapshot = context_.store.snapshot();
  const auto settings = snapshot ? acme_settings(context_.settings, **snapshot) : std::unexpected(snapshot.error());
  const std::string hostname = record.hostname;
  if (!settings) {
    const auto is_queued = context_.run_blocking([this, hostname] { enquired(hostname, fail(ErrorKind::kInvalid, "settings")); });
    if (!is_queued) is_enquiring_ = false;
    return;
  }
  WebCall call{.method = WebCall::Method::kGet, .uri = settings->directory, .content_type = {}, .body = {}};
  // WHY on a worker: the answer may come at once, on the thread that asks, and the caller holds the mutex.
  const bool is_queued = context_.run_blocking([this, call = std::move(call), record = std::move(record)]() mutable {
    context_.call(std::move(call), [this, record = std::move(record)](Result<HttpResponse> directory) {
      const auto url = enquiry_url(record, directory);
      if (!url) return enquired(record.hostname, std::unexpected(url.error()));
      WebCall question{.method = WebCall::Method::kGet, .uri = *url, .content_type = {}, .body = {}};
      const std::string name = record.hostname;
      context_.call(std::move(question), [this, name](Result<HttpResponse> answer) { enquired(name, answer); });
    });
  });
  if (!is_queued) is_enquiring_ = false;
}

void CertificateOrders::enquired(const std::string& hostname, const Result<HttpResponse>& answer) {
  const Timestamp now = context_.clock.now();
  const auto snapshot = context_.store.snapshot();
  auto record = snapshot ? store::CertificateReader(**snapshot).certificate(hostname) : std::unexpected(snapshot.error());
  bool is_kept = record.has_value();
  if (record && *record && !(*record)->chain.empty()) {
    store::CertificateRecord& certificate = **record;
    const auto info = answer ? acme::parse_renewal_info(answer->body) : std::unexpected(answer.error());
    const auto said = answer ? acme::parse_retry_after(answer->retry_after, now) : std::nullopt;
    // What offers no information today will not do so within the hour.
    const std::int64_t wait = info ? std::clamp(said.value_or(kUsualWait), kLeastWait, kMostWait) : kMostWait;
    certificate.next_enquiry = Timestamp::from_seconds(now.seconds() + wait);
    if (info && certificate.failures == 0) {
      const auto facts = net::certificate_facts(certificate.chain);
      const std::string seed = certificate.hostname + (facts ? facts->serial : std::string());
      const Timestamp least = Timestamp::from_seconds(certificate.obtained.seconds() + kLeastUse);
      Timestamp chosen = std::max(acme::renewal_time_within(info->start, info->end, seed), least);
      if (facts) chosen = std::min(chosen, latest_renewal(*facts));
      if (chosen != certificate.next_attempt) {
        log::info("acme.renewal_suggested", {{"hostname", hostname}, {"in_seconds", chosen.seconds() - now.seconds()}});
      }
      certificate.next_attempt = chosen;
      certificate.explanation_url = info->explanation_url;
    }
    is_kept = put(std::move(certificate));
  }
  const std::lock_guard lock(mutex_);
  is_enquiring_ = false;
  look_at_ = is_kept ? 0 : now.seconds() + kMostWait;
}

}  // namespace posthus::main
