// The live check. See live_check.h.
#include "web-admin/live_check.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/dns/answers.h"
#include "core/dns/record_text.h"
#include "store/directory_reader.h"
#include "store/record_dns_check.h"
#include "web-admin/check_progress.h"
#include "web-admin/domain_publication.h"
#include "web-admin/outside.h"

namespace posthus::web_admin {
namespace {

constexpr std::chrono::seconds kCheckPatience{12};  // of the whole check: a person waits for it

/// The policy on its way, waited for together with the DNS.
class PolicyFetch {
 public:
  explicit PolicyFetch(const Outside& outside, const std::string& domain) {
    outside.fetch_sts_policy(domain, [shared = shared_](Result<std::string> policy) {
      const std::lock_guard lock(shared->mutex);
      shared->policy = std::move(policy);
      shared->changed.notify_all();
    });
  }
  Result<std::string> wait_until(std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_until(lock, stop, deadline, [this] { return shared_->policy.has_value(); });
    if (shared_->policy) return *shared_->policy;
    return fail(ErrorKind::kTimeout, "no answer in time");
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<Result<std::string>> policy;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

Result<std::unique_lock<std::mutex>> begin_check(const ServerContext& context) {
  Outside* const outside = context.outside;
  if (!outside || !outside->make_resolver) return fail(ErrorKind::kUnavailable, "only the running server can ask the DNS");
  std::unique_lock lock(outside->one_at_a_time, std::try_to_lock);
  if (!lock) return fail(ErrorKind::kBusy, "another check is under way; try again in some seconds");
  return lock;
}

bool leads_anywhere(const std::vector<mailauth::RecordFinding>& findings, dns::Purpose purpose) {
  for (const mailauth::RecordFinding& finding : findings) {
    if (finding.record.purpose == purpose) return !finding.found.empty();
  }
  return false;
}

}  // namespace

Result<std::vector<mailauth::RecordFinding>> check_domain(const ServerContext& context, const dns::PublicationFacts& facts) {
  const auto lock = POSTHUS_TRY(begin_check(context));
  Outside& outside = *context.outside;
  mailauth::CheckInput input{facts, "", std::nullopt};
  {
    const auto snapshot = POSTHUS_TRY(context.store.snapshot());
    input.policy = POSTHUS_TRY(sts_policy(context, *snapshot, facts.domain));
  }
  const auto deadline = std::chrono::steady_clock::now() + kCheckPatience;
  std::vector<mailauth::RecordFinding> findings;
  dns::Answers answers;
  const ProgressShown shown(outside, facts.domain);
  CountedResolver resolver(outside.make_resolver(), shown.progress());
  dns::ask_until_complete(resolver, answers, deadline, outside.stop.get_token(),
                          [&](dns::Answers& known) { findings = mailauth::check_publication(input, known); });
  if (!input.policy.empty() && outside.fetch_sts_policy && leads_anywhere(findings, dns::Purpose::kStsHost)) {
    ++shown.progress()->asked;
    input.fetched_policy = PolicyFetch(outside, facts.domain).wait_until(deadline, outside.stop.get_token());
    ++shown.progress()->answered;
    findings = mailauth::check_publication(input, answers);
  }
  return findings;
}

Result<> keep_check(const ServerContext& context, const std::string& domain,
                    const std::vector<mailauth::RecordFinding>& findings) {
  static_assert(static_cast<int>(store::DnsRecordState::kUnknown) == static_cast<int>(mailauth::RecordState::kUnknown));
  store::PutDnsCheck request{.domain = domain, .findings = {}};
  for (const mailauth::RecordFinding& finding : findings) {
    if (request.findings.size() == store::kMaxDnsFindings || finding.record.name.size() > store::kMaxDnsNameBytes) continue;
    request.findings.push_back({.type = std::string(dns::to_string(finding.record.type)),
                                .name = finding.record.name,
                                .purpose = std::string(dns::to_string(finding.record.purpose)),
                                .state = static_cast<store::DnsRecordState>(finding.state)});
  }
  POSTHUS_TRY(context.store.apply(std::move(request)));
  return {};
}

namespace {

constexpr std::int64_t kCheckSeconds = 86'400;
constexpr std::size_t kDomainPage = 100;

/// Domains whose last check is a day old, or that had none, in the order of their names from `after` on.
Result<std::vector<dns::PublicationFacts>> stale_domains(const ServerContext& context, std::size_t most) {
  std::vector<dns::PublicationFacts> stale;
  std::string after;
  do {
    const auto snapshot = POSTHUS_TRY(context.store.snapshot());
    const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).domains(after, kDomainPage));
    for (const store::DomainRecord& domain : page.items) {
      const auto last = POSTHUS_TRY(store::read_dns_check(*snapshot, domain.name));
      const bool is_fresh = last && context.clock.now().seconds() - last->checked.seconds() < kCheckSeconds;
      if (domain.is_disabled || is_fresh) continue;
      stale.push_back(POSTHUS_TRY(publication_facts(context, *snapshot, domain)));
      if (stale.size() == most) return stale;
    }
    after = page.next;
  } while (!after.empty());
  return stale;
}

}  // namespace

Result<std::size_t> check_stale_domains(const ServerContext& context, std::size_t most) {
  std::size_t checked = 0;
  for (const dns::PublicationFacts& facts : POSTHUS_TRY(stale_domains(context, most))) {
    if (!context.outside || context.outside->stop.stop_requested()) break;
    const auto findings = check_domain(context, facts);
    if (!findings && findings.error().kind == ErrorKind::kBusy) break;  // a person checks: he goes first, we go on in an hour
    if (!findings) return std::unexpected(findings.error());
    // Nobody answers: the others would cost as long, and it is asked again in an hour.
    const auto is_unknown = [](const mailauth::RecordFinding& one) { return one.state == mailauth::RecordState::kUnknown; };
    if (std::ranges::all_of(*findings, is_unknown)) break;
    const auto kept = keep_check(context, facts.domain, *findings);
    if (!kept && kept.error().kind != ErrorKind::kNotFound) return std::unexpected(kept.error());
    ++checked;
  }
  return checked;
}

Result<std::string> lacking_key_records(const ServerContext& context, const store::DomainRecord& domain) {
  if (!context.outside || !context.outside->make_resolver) return std::string();
  dns::PublicationFacts facts;
  {
    const auto snapshot = POSTHUS_TRY(context.store.snapshot());
    facts = POSTHUS_TRY(publication_facts(context, *snapshot, domain));
  }
  std::erase_if(facts.keys, [](const dns::OfferedKey& key) { return key.state != dns::OfferedKey::State::kPending; });
  const auto lock = POSTHUS_TRY(begin_check(context));
  std::string lacking;
  dns::Answers answers;
  const auto resolver = context.outside->make_resolver();
  dns::ask_until_complete(*resolver, answers, std::chrono::steady_clock::now() + kCheckPatience,
                          context.outside->stop.get_token(), [&](dns::Answers& known) {
                            lacking.clear();
                            for (const dns::OfferedKey& key : facts.keys) {
                              const auto finding = mailauth::check_key(facts, key, known);
                              if (finding.state == mailauth::RecordState::kOk) continue;
                              lacking += (lacking.empty() ? "" : " ") + finding.record.name + ": " + finding.meaning;
                            }
                          });
  return lacking;
}

}  // namespace posthus::web_admin
