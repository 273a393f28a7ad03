// StsPolicies: RFC 8461 §3.1 (the record), §3.3 (fetching), §5.1 (what holds).
#include "smtp/sts_policies.h"

#include <utility>

#include "core/base/log.h"
#include "store/tls_reader.h"

namespace posthus::smtp {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kFailureRest = 300 * kSecond;          // RFC 8461 §3.3: five minutes or longer
constexpr std::int64_t kRefreshAge = 24 * 60 * 60 * kSecond;  // RFC 8461 §3.3: once per day
constexpr std::size_t kMaxFailures = 10'000;                  // domains whose fetch failed lately, of 100 bytes or so
constexpr std::size_t kMaxExpiredAtOnce = 1000;

// What holds when nothing new can be had: the stored policy.
StsAnswer answer_from(const std::optional<store::StsPolicyRecord>& record) {
  if (!record) return {};
  auto policy = mailauth::parse_sts_policy(record->text);
  if (!policy) return {};
  return {.found = FoundStsPolicy{*std::move(policy), record->text}, .failure = {}};
}

// As above, where a new policy was wanted and could not be had.
StsAnswer answer_without_new(const std::optional<store::StsPolicyRecord>& record) {
  StsAnswer answer = answer_from(record);
  answer.is_unknown = !answer.found;
  return answer;
}

}  // namespace

StsPolicies::~StsPolicies() {
  std::unique_lock lock(mutex_);
  all_settled_.wait(lock, [this] { return unsettled_ == 0; });
}

void StsPolicies::find(std::string domain, StsDone done) {
  std::string name = "_mta-sts." + domain;
  resolver_.resolve(std::move(name), dns::RecordType::kTxt,
                    [this, domain = std::move(domain), done = std::move(done)](const dns::Answer& answer) mutable {
                      have_record(domain, answer, std::move(done));
                    });
}

void StsPolicies::have_record(const std::string& domain, const dns::Answer& answer, StsDone done) {
  std::optional<std::string> id;
  if (answer.status == dns::Status::kFound) id = mailauth::find_sts_id(answer.texts);
  const auto record = stored(domain);
  // RFC 8461 §3.1: a record that went does not take the policy with it.
  const bool is_answered = answer.status != dns::Status::kTemporary && answer.status != dns::Status::kBogus;
  if (!id) return done(is_answered ? answer_from(record) : answer_without_new(record));
  const bool is_current = record && record->id == *id;
  const bool is_old = record && clock_.now().microseconds - record->fetched.microseconds > kRefreshAge;
  if (is_current && !is_old) return done(answer_from(record));
  if (has_failed_lately(domain, *id)) return done(answer_without_new(record));
  if (is_current) {  // refreshed for the next time; this one does not wait
    fetch(domain, *id, [](const StsAnswer&) {});
    return done(answer_from(record));
  }
  fetch(domain, *id, std::move(done));
}

std::optional<store::StsPolicyRecord> StsPolicies::stored(const std::string& domain) const {
  const auto snapshot = store_.snapshot();
  if (!snapshot) return std::nullopt;
  auto record = store::TlsReader(**snapshot).sts_policy(domain);
  if (!record || !*record || (*record)->expires <= clock_.now()) return std::nullopt;
  return *std::move(record);
}

bool StsPolicies::has_failed_lately(const std::string& domain, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto failure = failures_.find(domain);
  if (failure == failures_.end()) return false;
  if (failure->second.id == id && failure->second.until > clock_.now()) return true;
  failures_.erase(failure);
  return false;
}

void StsPolicies::fetch(const std::string& domain, const std::string& id, StsDone done) {
  {
    const std::lock_guard lock(mutex_);
    auto& waiting = fetching_[domain];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1) return;
    ++unsettled_;
  }
  fetcher_.fetch(domain, [this, domain, id](const Result<std::string>& text) { fetched(domain, id, text); });
}

void StsPolicies::fetched(const std::string& domain, const std::string& id, const Result<std::string>& text) {
  auto policy = text ? mailauth::parse_sts_policy(*text) : Result<mailauth::StsPolicy>(std::unexpected(text.error()));
  if (!policy) {
    note_failure(domain, id, policy.error());
    StsAnswer answer = answer_without_new(stored(domain));
    answer.failure = policy.error();
    return settle(domain, std::move(answer));
  }
  const Timestamp now = clock_.now();
  const Timestamp expires{now.microseconds + policy->max_age.count() * kSecond};
  StsAnswer answer{.found = FoundStsPolicy{*std::move(policy), *text}, .failure = {}};
  // WHY: answered when it is stored, so that the next question finds it instead of fetching it again.
  store_.submit(store::PutStsPolicy{{.domain = domain, .id = id, .text = *text, .fetched = now, .expires = expires}},
                [this, domain, answer = std::move(answer)](const Result<store::WriteOutcome>& outcome) mutable {
                  if (!outcome) log::warning("mta_sts.not_kept", {{"reason", outcome.error().context}});
                  settle(domain, std::move(answer));
                });
}

void StsPolicies::settle(const std::string& domain, StsAnswer answer) {
  std::vector<StsDone> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(fetching_[domain]);
    fetching_.erase(domain);
  }
  for (StsDone& done : waiting) {
    done(answer);
    answer.failure.reset();  // one failure, counted once
  }
  const std::lock_guard lock(mutex_);
  if (--unsettled_ == 0) all_settled_.notify_all();
}

void StsPolicies::note_failure(const std::string& domain, const std::string& id, const Error& error) {
  log::warning("mta_sts.fetch", {{"domain", domain}, {"reason", error.context}});
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMaxFailures) failures_.clear();
  failures_[domain] = {id, {clock_.now().microseconds + kFailureRest}};
}

void StsPolicies::expire() {
  std::vector<std::string> domains;
  {
    const auto snapshot = store_.snapshot();
    if (!snapshot) return;
    auto expired = store::TlsReader(**snapshot).expired_sts_policies(clock_.now(), kMaxExpiredAtOnce);
    if (!expired) return log::error("mta_sts.expire", {{"reason", expired.error().context}});
    domains = *std::move(expired);
  }
  for (const std::string& domain : domains) {
    if (const auto removed = store_.apply(store::RemoveStsPolicy{domain}); !removed) return;
  }
}

}  // namespace posthus::smtp
